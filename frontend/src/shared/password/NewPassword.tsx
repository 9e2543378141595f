import { PasswordInput, VisuallyHidden, type PasswordInputProps } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { configQuery } from '@/shared/api/queries';
import { Icon, type IconName } from '@/shared/ui/icons';

import classes from './NewPassword.module.css';
import { standing, type Standing } from './rules';

const LOOKS: Record<Standing, { icon: IconName; word: string; className: string | undefined }> = {
  met: { icon: 'check', word: 'done:', className: classes.met },
  unmet: { icon: 'cross', word: 'not yet:', className: classes.unmet },
  unknown: { icon: 'dot', word: '', className: undefined },
};

/** The field for a password somebody chooses, with the server's rules and how what is typed stands to each. */
export function NewPassword({ value, ...field }: PasswordInputProps & { value: string }) {
  const { data: config } = useQuery(configQuery);
  return (
    <PasswordInput
      autoComplete="new-password"
      value={value}
      description={config?.password_rules.map((rule) => {
        const { icon, word, className } = LOOKS[standing(rule, value)];
        return (
          // Inline elements: the description is a paragraph.
          <span key={rule.code} className={`${classes.rule} ${className ?? ''}`}>
            <Icon name={icon} size={12} strokeWidth={2.4} />
            <span>
              {word && <VisuallyHidden component="span">{word}</VisuallyHidden>} {rule.text}
            </span>
          </span>
        );
      })}
      {...field}
    />
  );
}

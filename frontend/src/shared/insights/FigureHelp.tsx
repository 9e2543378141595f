import { Popover } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { figureHelpQuery } from '@/shared/api/queries';
import { humanise } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';

import classes from './FigureHelp.module.css';

interface FigureHelpProps {
  /** The insight's kind, such as `stockout_risk`. */
  kind: string;
  /** The figure's name in the insight's data, such as `safety_stock`. */
  figure: string;
  /** What the page calls it, where that is not its name in words. */
  label?: string;
}

/** “What does this mean”, in the platform's own words. Nothing where it has none, so that no button leads nowhere. */
export function FigureHelp({ kind, figure, label }: FigureHelpProps) {
  const { data } = useQuery(figureHelpQuery);
  const meaning = data?.figures[kind]?.[figure];
  if (meaning === undefined) return null;
  const name = label ?? humanise(figure);
  return (
    <Popover width={300} position="bottom" withArrow shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <button type="button" className={classes.button} aria-label={`What does “${name}” mean?`}>
          <Icon name="help" size={15} />
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={name}>
        <p className={classes.text} tabIndex={-1} data-autofocus>
          <Marked text={meaning} />
        </p>
      </Popover.Dropdown>
    </Popover>
  );
}

/** Names of other figures stand in backticks. */
function Marked({ text }: { text: string }) {
  return text.split('`').map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part));
}

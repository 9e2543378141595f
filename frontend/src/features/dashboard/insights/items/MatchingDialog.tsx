import { Button, Group, Modal, Stack, Text } from '@mantine/core';

import { format, plural } from '@/shared/format/format';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { SnoozeForm } from './SnoozeForm';
import { MOST_AT_ONCE, type Act } from './useStatements';

export type Kind = 'acknowledge' | 'snooze' | 'wake';

interface MatchingDialogProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  kind: Kind;
  does: string;
  count: number;
  nouns: readonly [one: string, many: string];
  saving: boolean;
  problem: unknown;
  onAct: (how: Act) => void;
}

/** Says how many would be changed, and asks what is to be known of them. */
export function MatchingDialog(props: MatchingDialogProps) {
  const { opened, onClose, title, kind, does, count, nouns, saving, problem, onAct } = props;
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered>
      <Stack gap="sm">
        <Text size="sm">
          These are all that match the filters now, {plural(count, ...nouns)} on every page of the list. Your
          colleagues see it at once{kind === 'wake' ? '.' : ', and it can be undone.'}
        </Text>
        {Boolean(problem) && <ProblemNotice error={problem} />}
        {count > MOST_AT_ONCE ? (
          <Text size="sm" fw={600}>
            {format.integer(MOST_AT_ONCE)} can be changed at once: narrow the list by a filter first.
          </Text>
        ) : kind === 'snooze' ? (
          <SnoozeForm
            submit={`Snooze ${format.integer(count)}`}
            saving={saving}
            onSnooze={(until, note) => onAct({ until, note })}
          />
        ) : (
          <Group justify="flex-end">
            <Button
              size="sm"
              data-autofocus
              loading={saving}
              onClick={() =>
                onAct(kind === 'wake' ? { until: null, note: '' } : { verdict: 'acknowledged', note: '' })
              }
            >
              {does} {format.integer(count)}
            </Button>
          </Group>
        )}
      </Stack>
    </Modal>
  );
}

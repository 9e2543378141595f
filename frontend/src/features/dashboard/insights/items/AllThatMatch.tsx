import { Button, Group, Menu, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';

import type { State } from './states';
import { format, plural } from '@/shared/format/format';
import type { Standing } from '@/shared/insights/types';
import { Icon } from '@/shared/ui/icons';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { SnoozeForm } from './SnoozeForm';
import type { ItemFilters } from './useItems';
import { MOST_AT_ONCE, type Act, type Statements } from './useStatements';

type Kind = 'acknowledge' | 'snooze' | 'wake';

const WORDS: Record<Kind, { does: string; of: State; is: string }> = {
  acknowledge: { does: 'Acknowledge', of: 'open', is: 'open' },
  snooze: { does: 'Snooze', of: 'open', is: 'open' },
  wake: { does: 'Wake up', of: 'snoozed', is: 'snoozed' },
};

interface AllThatMatchProps<Item extends Standing & object> {
  kinds: readonly Kind[];
  filters: ItemFilters;
  counts: Readonly<Record<string, number>>;
  statements: Statements<Item>;
  nouns: readonly [one: string, many: string];
}

/** Acts on all that match, also on those that are not here; not before it has said how many they are. */
export function AllThatMatch<Item extends Standing & object>(props: AllThatMatchProps<Item>) {
  const { kinds, filters, counts, statements, nouns } = props;
  const { whole } = statements;
  const [kind, setKind] = useState<Kind | null>(null);
  const offered = kinds.filter((each) => (counts[WORDS[each].of] ?? 0) > 0);
  if (offered.length === 0 && kind === null) return null;
  const { does, of, is } = WORDS[kind ?? 'snooze'];
  const count = counts[of] ?? 0;
  const what = `${format.integer(count)} ${is} ${count === 1 ? nouns[0] : nouns[1]}`;
  const close = () => {
    setKind(null);
    whole.reset();
  };
  const act = (how: Act) =>
    whole.mutate(
      { matching: { filters: { ...filters, state: [of] }, count }, act: how },
      { onSuccess: close },
    );
  return (
    <>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <Button size="xs" variant="default" rightSection={<Icon name="down" size={13} />}>
            All that match
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {offered.map((each) => (
            <Menu.Item key={each} onClick={() => setKind(each)}>
              {WORDS[each].does} {format.integer(counts[WORDS[each].of] ?? 0)} {WORDS[each].is} …
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={kind !== null} onClose={close} title={`${does} ${what}?`} centered>
        <Stack gap="sm">
          <Text size="sm">
            These are all that match the filters now, {plural(count, ...nouns)} on every page of the list.
            Your colleagues see it at once{kind === 'wake' ? '.' : ', and it can be undone.'}
          </Text>
          {whole.error && <ProblemNotice error={whole.error} />}
          {count > MOST_AT_ONCE ? (
            <Text size="sm" fw={600}>
              {format.integer(MOST_AT_ONCE)} can be changed at once: narrow the list by a filter first.
            </Text>
          ) : kind === 'snooze' ? (
            <SnoozeForm
              submit={`Snooze ${format.integer(count)}`}
              saving={whole.isPending}
              onSnooze={(until, note) => act({ until, note })}
            />
          ) : (
            <Group justify="flex-end">
              <Button
                size="sm"
                data-autofocus
                loading={whole.isPending}
                onClick={() =>
                  act(kind === 'wake' ? { until: null, note: '' } : { verdict: 'acknowledged', note: '' })
                }
              >
                {does} {format.integer(count)}
              </Button>
            </Group>
          )}
        </Stack>
      </Modal>
    </>
  );
}

import { Button } from '@mantine/core';
import { useState } from 'react';

import { format } from '@/shared/format/format';
import type { Standing } from '@/shared/insights/types';
import { Icon } from '@/shared/ui/icons';
import { lazyPart } from '@/shared/ui/lazyPart';
import { Popout, PopoutEntry } from '@/shared/ui/Popout';
import { WhenWanted } from '@/shared/ui/WhenWanted';

import type { Kind } from './MatchingDialog';
import type { State } from './states';
import type { ItemFilters } from './useItems';
import type { Act, Statements } from './useStatements';

const MatchingDialog = lazyPart(() => import('./MatchingDialog'), 'MatchingDialog');

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
      <Popout
        name="All that match"
        width={220}
        button={(opens) => (
          <Button {...opens} size="xs" variant="default" rightSection={<Icon name="down" size={13} />}>
            All that match
          </Button>
        )}
      >
        {(hide) =>
          offered.map((each) => (
            <PopoutEntry
              key={each}
              onClick={() => {
                hide();
                setKind(each);
              }}
            >
              {WORDS[each].does} {format.integer(counts[WORDS[each].of] ?? 0)} {WORDS[each].is} …
            </PopoutEntry>
          ))
        }
      </Popout>
      <WhenWanted wanted={kind !== null}>
        <MatchingDialog
          opened={kind !== null}
          onClose={close}
          title={`${does} ${what}?`}
          kind={kind ?? 'snooze'}
          does={does}
          count={count}
          nouns={nouns}
          saving={whole.isPending}
          problem={whole.error}
          onAct={act}
        />
      </WhenWanted>
    </>
  );
}

import { Chip, Group, NativeSelect, SegmentedControl } from '@mantine/core';

import type { InsightOutput } from '@/shared/api/gen/model';
import { format, humanise } from '@/shared/format/format';
import type { TextState } from '@/shared/shapes/tableState';
import { SearchField } from '@/shared/ui/SearchField';

import { Facets } from '../items/Facets';
import { StateChips } from '../items/StateChips';
import { asText, STATES } from '../items/states';
import { FACETS, SEVERITIES, SORTS, type Wanted } from './queue';
import classes from './Queue.module.css';

interface QueueFiltersProps {
  insight: InsightOutput;
  counts: Readonly<Record<string, number>>;
  wanted: Wanted;
  state: TextState;
  onState: (change: TextState) => void;
}

export function QueueFilters({ insight, counts, wanted, state, onState }: QueueFiltersProps) {
  return (
    <div className={classes.filters}>
      <StateChips
        states={STATES}
        chosen={wanted.states}
        counts={counts}
        onChange={(next) => onState({ state: next })}
      />
      <Chip.Group
        multiple
        value={[...wanted.severities]}
        onChange={(severities) => onState({ severity: asText(severities) })}
      >
        <Group gap={6} role="group" aria-label="Severity">
          {SEVERITIES.map((name) => (
            <Chip key={name} value={name} size="sm" variant="light" color="violet">
              {humanise(name)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Group gap="sm" className={classes.fields}>
        <SegmentedControl
          size="sm"
          aria-label="Which payments"
          value={wanted.focus ? 'focus' : 'all'}
          onChange={(show) => onState({ show })}
          data={[
            { value: 'focus', label: 'Worth a review' },
            { value: 'all', label: `All listed (${format.integer(insight.items_total ?? 0)})` },
          ]}
        />
        <Facets
          insightId={insight.id}
          keys={FACETS}
          words={(facet, value) => (facet === 'reason' ? humanise(value) : value)}
          state={state}
          onState={onState}
          className={classes.select}
        />
        <NativeSelect
          aria-label="Order"
          size="sm"
          value={wanted.sort}
          onChange={(event) => onState({ sort: event.currentTarget.value })}
          data={Object.entries(SORTS).map(([value, label]) => ({ value, label }))}
          className={classes.select}
        />
        <SearchField
          label="Search payments"
          value={state.q}
          onSearch={(q) => onState({ q })}
          className={classes.search}
        />
      </Group>
    </div>
  );
}

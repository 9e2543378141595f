import { Chip, Group, SegmentedControl, Select, TextInput } from '@mantine/core';

import { format, humanise } from '@/shared/format/format';
import type { SpendItem } from '@/shared/insights/types';
import type { TextState } from '@/shared/shapes/tableState';
import { Icon } from '@/shared/ui/icons';

import {
  asText,
  countsByState,
  inFocus,
  reasonsIn,
  SEVERITIES,
  SORTS,
  STATE_WORDS,
  STATES,
  type Wanted,
} from './queue';
import classes from './Queue.module.css';

interface QueueFiltersProps {
  items: readonly SpendItem[];
  wanted: Wanted;
  state: TextState;
  onState: (change: TextState) => void;
}

export function QueueFilters({ items, wanted, state, onState }: QueueFiltersProps) {
  const counts = countsByState(items, wanted);
  const focus = items.filter(inFocus).length;
  const reasons = reasonsIn(items);
  return (
    <div className={classes.filters}>
      <Chip.Group
        multiple
        value={[...wanted.states]}
        onChange={(states) => onState({ state: asText(states, 'any') })}
      >
        <Group gap={6} role="group" aria-label="State">
          {STATES.map((name) => (
            <Chip key={name} value={name} size="sm" variant="light">
              {STATE_WORDS[name]} ({format.integer(counts[name])})
            </Chip>
          ))}
        </Group>
      </Chip.Group>
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
            { value: 'focus', label: `Worth a review (${format.integer(focus)})` },
            { value: 'all', label: `All listed (${format.integer(items.length)})` },
          ]}
        />
        <Select
          aria-label="Reason"
          size="sm"
          value={wanted.reason ?? ''}
          onChange={(reason) => onState({ reason: reason ?? undefined })}
          data={[{ value: '', label: 'Any reason' }, ...reasons]}
          className={classes.select}
        />
        <Select
          aria-label="Order"
          size="sm"
          value={wanted.sort}
          onChange={(sort) => onState({ sort: sort ?? undefined })}
          data={Object.entries(SORTS).map(([value, label]) => ({ value, label }))}
          className={classes.select}
        />
        <TextInput
          aria-label="Search payments"
          placeholder="Search"
          size="sm"
          leftSection={<Icon name="search" size={15} />}
          value={state.q ?? ''}
          onChange={(event) => onState({ q: event.currentTarget.value || undefined })}
          className={classes.search}
        />
      </Group>
    </div>
  );
}

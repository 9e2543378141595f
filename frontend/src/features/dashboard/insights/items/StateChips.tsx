import { Chip, Group } from '@mantine/core';

import { format } from '@/shared/format/format';

import { asText, STATE_WORDS, type State } from './states';

interface StateChipsProps {
  states: readonly State[];
  chosen: readonly State[];
  counts: Readonly<Record<string, number>>;
  onChange: (text: string | undefined) => void;
}

/** The states as they can be chosen, with how many of the items that match are in each. */
export function StateChips({ states, chosen, counts, onChange }: StateChipsProps) {
  const shown = states.filter(
    (name) => chosen.includes(name) || states.length < 5 || name !== 'reopened' || counts[name],
  );
  return (
    <Chip.Group multiple value={[...chosen]} onChange={(next) => onChange(asText(next, 'any'))}>
      <Group gap={6} role="group" aria-label="State">
        {shown.map((name) => (
          <Chip key={name} value={name} size="sm" variant="light">
            {STATE_WORDS[name]} ({format.integer(counts[name] ?? 0)})
          </Chip>
        ))}
      </Group>
    </Chip.Group>
  );
}

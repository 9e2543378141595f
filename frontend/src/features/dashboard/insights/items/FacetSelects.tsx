import { Select } from '@mantine/core';

import { format } from '@/shared/format/format';
import type { TextState } from '@/shared/shapes/tableState';

import { useFacets } from './useItems';

export interface FacetSelectsProps {
  insightId: string;
  /** The key in the address of each facet that is offered. */
  keys: Readonly<Record<string, string>>;
  words?: (facet: string, value: string) => string;
  state: TextState;
  onState: (change: TextState) => void;
  className?: string;
}

/** What the list can be narrowed by, with the values that the whole ranking has, the commonest first. */
export function FacetSelects({ insightId, keys, words, state, onState, className }: FacetSelectsProps) {
  return useFacets(insightId)
    .filter(({ name, values }) => {
      const key = keys[name];
      return key !== undefined && (values.length > 1 || state[key] !== undefined);
    })
    .map(({ name, label, values }) => {
      const key = keys[name] ?? name;
      const chosen = state[key] ?? null;
      const data = values.map(({ value, count }) => ({
        value,
        label: `${words?.(name, value) ?? value} (${format.integer(count)})`,
      }));
      return (
        <Select
          key={name}
          aria-label={label}
          placeholder={label}
          // What the address asks for stays visible even where no item has it.
          data={
            chosen !== null && !values.some(({ value }) => value === chosen)
              ? [{ value: chosen, label: chosen }, ...data]
              : data
          }
          value={chosen}
          onChange={(value) => onState({ [key]: value ?? undefined })}
          clearable
          searchable
          clearButtonProps={{ 'aria-label': `Clear: ${label}` }}
          limit={200}
          className={className}
        />
      );
    });
}

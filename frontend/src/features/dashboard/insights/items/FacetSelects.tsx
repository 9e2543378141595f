import { NativeSelect } from '@mantine/core';

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
      const chosen = state[key] ?? '';
      const data = values.map(({ value, count }) => ({
        value,
        label: `${words?.(name, value) ?? value} (${format.integer(count)})`,
      }));
      // What the address asks for stays visible even where no item has it.
      const isKnown = chosen === '' || values.some(({ value }) => value === chosen);
      return (
        <NativeSelect
          key={name}
          aria-label={label}
          data={[
            { value: '', label: `${label}: all` },
            ...(isKnown ? [] : [{ value: chosen, label: chosen }]),
            ...data,
          ]}
          value={chosen}
          onChange={(event) => onState({ [key]: event.currentTarget.value || undefined })}
          className={className}
        />
      );
    });
}

import { Select } from '@mantine/core';

import { Notice } from '@/shared/ui/Notice';

import { labelKey, type Column, type LabelMapping, type Match } from './columns';
import classes from './Preflight.module.css';

interface MappingEditorProps {
  match: Match;
  columns: readonly Column[];
  mapping: LabelMapping | null;
  /** Undefined: as the platform finds it. */
  onChoose: (label: string, column: string | null | undefined) => void;
  refused: string | undefined;
}

const FOUND = '';
const LEFT_OUT = '\0';

/** Label by label, what it means. */
export function MappingEditor({ match, columns, mapping, onChoose, refused }: MappingEditorProps) {
  const said = new Map(Object.entries(mapping ?? {}).map(([label, column]) => [labelKey(label), column]));
  const choices = [
    { value: FOUND, label: 'As it is found' },
    { value: LEFT_OUT, label: 'Leave it out' },
    ...columns.map(({ name }) => ({ value: name, label: name })),
  ];
  return (
    <div className={classes.mapping} role="group" aria-label="Which column is which">
      {refused !== undefined && <Notice tone="bad" title={refused} />}
      {match.labels
        .filter(({ label }) => label !== '')
        .map(({ label, column, found }, place) => {
          const chosen = said.get(labelKey(label));
          return (
            <Select
              key={`${place}/${label}`}
              size="xs"
              label={label}
              description={found === 'unknown' ? 'not read' : column ? `read as ${column}` : found}
              data={choices}
              value={chosen === null ? LEFT_OUT : (chosen ?? FOUND)}
              searchable
              onChange={(value) =>
                onChoose(
                  label,
                  value === LEFT_OUT ? null : value === FOUND ? undefined : (value ?? undefined),
                )
              }
            />
          );
        })}
    </div>
  );
}

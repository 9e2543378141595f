import { Button } from '@mantine/core';

import { format, plural } from '@/shared/format/format';
import type { Standing } from '@/shared/insights/types';
import { Notice } from '@/shared/ui/Notice';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import classes from './items.module.css';
import { STATE_WORDS } from './states';
import type { Act, Statements } from './useStatements';

interface OutcomeProps<Item extends Standing & object> {
  statements: Statements<Item>;
  nameOf: (item: Item) => string;
  nouns: readonly [one: string, many: string];
}

function said(act: Act): string {
  if ('until' in act) return act.until ? `snoozed until ${format.date(act.until)}` : 'woken';
  return act.verdict === 'open' ? 'open again' : STATE_WORDS[act.verdict].toLowerCase();
}

/** What was just done, with a way back; or why it was not done. */
export function Outcome<Item extends Standing & object>({ statements, nameOf, nouns }: OutcomeProps<Item>) {
  const { quick, undo, done } = statements;
  const error = undo.error ?? quick.error;
  if (error) {
    return (
      <div className={classes.outcome}>
        <ProblemNotice error={error} />
      </div>
    );
  }
  if (!done) return null;
  const [one] = done.items;
  const what = done.subjects.length === 1 && one ? nameOf(one) : plural(done.subjects.length, ...nouns);
  // What was taken back is in the item's hands again; what was said can be unsaid from here.
  const canUndo = 'until' in done.act ? done.act.until !== null : done.act.verdict !== 'open';
  return (
    <div className={classes.outcome}>
      <Notice
        tone="good"
        title={`${what}: ${said(done.act)}`}
        actions={
          canUndo && (
            <Button size="xs" variant="default" loading={undo.isPending} onClick={() => undo.mutate(done)}>
              Undo
            </Button>
          )
        }
      />
    </div>
  );
}

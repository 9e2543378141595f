import { Button, Group, Radio, Stack, Textarea } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';

import { Verdict } from '@/shared/api/gen/model';
import type { SpendItem } from '@/shared/insights/types';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { STATE_WORDS } from '../items/states';
import type { Draft } from './draft';

const MEANINGS: Record<Verdict, string> = {
  acknowledged: 'Seen, and being looked into.',
  expected: 'Nothing is wrong with it. Payments like it will be listed less.',
  confirmed: 'It is what it looked like. Payments like it will be listed sooner.',
  fixed: 'It was what it looked like, and is put right.',
};

interface ReviewFormProps {
  item: SpendItem;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  saving: boolean;
  problem: unknown;
  onSave: (verdict: Verdict, note: string) => void;
}

export function ReviewForm({ item, draft, onDraft, saving, problem, onSave }: ReviewFormProps) {
  const standing = item.review && item.review.reopened === '' ? item.review : undefined;
  const verdict = draft.verdict ?? standing?.verdict;
  const note = draft.note ?? standing?.note ?? '';
  const [missing, setMissing] = useState(false);
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    setMissing(!verdict);
    if (verdict) onSave(verdict, note.trim());
  };
  return (
    <form onSubmit={save} noValidate aria-label={`Review of ${item.txn_id}`}>
      <Stack gap="sm">
        <Radio.Group
          label="What is it?"
          value={verdict ?? ''}
          onChange={(value) => {
            setMissing(false);
            onDraft({ ...draft, verdict: Object.values(Verdict).find((known) => known === value) });
          }}
          error={missing && !verdict ? 'Choose one.' : undefined}
        >
          <Stack gap={8} mt={6}>
            {Object.values(Verdict).map((value) => (
              <Radio
                key={value}
                value={value}
                label={STATE_WORDS[value]}
                description={MEANINGS[value]}
                disabled={saving}
              />
            ))}
          </Stack>
        </Radio.Group>
        <Textarea
          label="Note"
          description="For your colleagues: what you found out, or who looks into it."
          autosize
          minRows={2}
          maxRows={8}
          maxLength={2000}
          value={note}
          disabled={saving}
          onChange={(event) => onDraft({ ...draft, note: event.currentTarget.value })}
        />
        {Boolean(problem) && <ProblemNotice error={problem} />}
        <Group justify="flex-end">
          <Button type="submit" size="sm" loading={saving}>
            {problem ? 'Save again' : 'Save review'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

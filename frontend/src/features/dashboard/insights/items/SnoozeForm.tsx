import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';

import { plural } from '@/shared/format/format';
import type { Standing } from '@/shared/insights/types';
import { Popout } from '@/shared/ui/Popout';

import { stateOf } from './states';

const DAYS = [3, 7, 14, 30];
const DAY = 86_400_000;

/** Days are those of the API, which are UTC's. */
const dayAfter = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

interface SnoozeFormProps {
  submit: string;
  saving?: boolean;
  onSnooze: (until: string, note: string) => void;
}

/** Until when, and why: colleagues see both. */
export function SnoozeForm({ submit, saving = false, onSnooze }: SnoozeFormProps) {
  const [until, setUntil] = useState(dayAfter(7));
  const [note, setNote] = useState('');
  const [least, most] = [dayAfter(1), dayAfter(365)];
  const isDay = until >= least && until <= most;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    if (isDay) onSnooze(until, note.trim());
  };
  return (
    <form onSubmit={save} noValidate aria-label={submit}>
      <Stack gap="xs">
        <Group gap={6}>
          {DAYS.map((days) => (
            <Button
              key={days}
              size="compact-xs"
              variant={until === dayAfter(days) ? 'light' : 'default'}
              aria-pressed={until === dayAfter(days)}
              onClick={() => setUntil(dayAfter(days))}
            >
              {plural(days, 'day', 'days')}
            </Button>
          ))}
        </Group>
        <TextInput
          type="date"
          size="sm"
          label="Not before"
          description="It is back by itself on this day, or when it gets worse."
          min={least}
          max={most}
          value={until}
          error={isDay ? undefined : 'Choose a day from tomorrow to a year from now.'}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
        <TextInput
          size="sm"
          label="Note"
          description="Your colleagues see it."
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button type="submit" size="xs" loading={saving}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface SnoozeButtonProps {
  /** Which item, for whoever hears the buttons one by one. */
  name: string;
  item: Standing;
  disabled?: boolean;
  onSnooze: (until: string | null, note: string) => void;
}

/** Lets an item wait, or wakes it, whoever let it wait. */
export function SnoozeButton({ name, item, disabled = false, onSnooze }: SnoozeButtonProps) {
  if (stateOf(item) === 'snoozed') {
    return (
      <Button
        size="compact-sm"
        variant="subtle"
        disabled={disabled}
        aria-label={`Wake up: ${name}`}
        onClick={() => onSnooze(null, '')}
      >
        Wake up
      </Button>
    );
  }
  return (
    <Popout
      name={`Snooze ${name}`}
      button={(opens) => (
        <Button
          {...opens}
          size="compact-sm"
          variant="subtle"
          color="gray"
          disabled={disabled}
          aria-label={`Snooze: ${name}`}
        >
          Snooze
        </Button>
      )}
    >
      {(close) => (
        <SnoozeForm
          submit="Snooze"
          onSnooze={(until, note) => {
            close();
            onSnooze(until, note);
          }}
        />
      )}
    </Popout>
  );
}

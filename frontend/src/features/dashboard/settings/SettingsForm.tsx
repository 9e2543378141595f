import { Button, Group, NumberInput, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type SyntheticEvent } from 'react';

import { dashboardsSettingsPut } from '@/shared/api/gen/client';
import type { SettingInputRequest, SettingOutput } from '@/shared/api/gen/model';
import { jobQuery, settingsQuery } from '@/shared/api/queries';
import { format } from '@/shared/format/format';
import { Notice } from '@/shared/ui/Notice';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { FollowedJob } from './FollowedJob';
import classes from './SettingsForm.module.css';
import { changed, faultsOf, keyOf, type Draft } from './draft';

interface SettingsFormProps {
  department: string;
  settings: readonly SettingOutput[];
}

/** All settings are saved at once: one job computes the insights anew, not one a setting. */
export function SettingsForm({ department, settings }: SettingsFormProps) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>({});
  const save = useMutation({
    mutationFn: (wanted: SettingInputRequest[]) => dashboardsSettingsPut(department, { settings: wanted }),
    onSuccess: async ({ settings: kept, job }) => {
      client.setQueryData(settingsQuery(department).queryKey, { department, settings: kept });
      if (job) client.setQueryData(jobQuery(job.id).queryKey, job);
      setDraft({});
      // The page below follows the job too, and shows the new numbers when it ends.
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const wanted = changed(settings, draft);
  const faults = faultsOf(save.error, save.variables ?? []);
  const put = (key: string, value: Draft[string]) => {
    save.reset();
    setDraft((before) => ({ ...before, [key]: value }));
  };
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (wanted.length > 0) save.mutate(wanted);
  };
  return (
    <form onSubmit={send} noValidate>
      <Stack gap="xl">
        {save.error && Object.keys(faults).length === 0 && <ProblemNotice error={save.error} />}
        {settings.map((setting) => {
          const key = keyOf(setting);
          const typed = draft[key];
          const value = typed === undefined ? setting.value : (typed ?? setting.default);
          return (
            <div key={key}>
              <NumberInput
                label={setting.label}
                description={setting.help}
                value={value}
                onChange={(next) => put(key, next)}
                error={faults[key]}
                // The API says what is wrong, in its words; silently another number would be none of the reader's choice.
                clampBehavior="none"
                step={setting.most <= 1 ? 0.01 : 1}
                min={setting.least}
                max={setting.most}
                inputWrapperOrder={['label', 'description', 'input', 'error']}
              />
              <div className={classes.under}>
                <span>
                  {format.number(setting.least, 3)} to {format.number(setting.most, 3)}, default{' '}
                  {format.number(setting.default, 3)}
                  <br />
                  {setting.set_at
                    ? `Set by ${setting.set_by ?? 'somebody who has left'}, ${format.dateTime(setting.set_at)}`
                    : 'Never changed'}
                </span>
                {value !== setting.default && (
                  <Button
                    variant="subtle"
                    size="compact-sm"
                    aria-label={`Back to the default: ${setting.label}`}
                    onClick={() => put(key, null)}
                  >
                    Back to the default
                  </Button>
                )}
              </div>
            </div>
          );
        })}
        {save.data &&
          (save.data.job ? (
            <FollowedJob id={save.data.job.id} />
          ) : (
            <Notice tone="good" title="Saved">
              Nothing has to be computed anew, or a job that is under way takes it up.
            </Notice>
          ))}
        <Group justify="flex-end">
          <Button type="submit" disabled={wanted.length === 0} loading={save.isPending}>
            Save and compute anew
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

import { Button, Group, Progress, Radio, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';

import type { OnErrorEnum } from '@/shared/api/gen/model';
import { refreshAfterChange } from '@/shared/api/queries';
import { format } from '@/shared/format/format';
import { DropZone } from '@/shared/ui/DropZone';
import { Panel } from '@/shared/ui/Panel';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { cancelUpload, startUpload, type UploadState } from './uploader';

interface UploadFormProps {
  state: UploadState;
  department: string;
  departments: { value: string; label: string }[];
  onDepartment: (slug: string) => void;
}

interface Values {
  file: File | null;
  name: string;
  description: string;
  onError: OnErrorEnum;
}

export function UploadForm({ state, department, departments, onDepartment }: UploadFormProps) {
  const client = useQueryClient();
  const form = useForm<Values>({
    initialValues: { file: null, name: '', description: '', onError: 'quarantine' },
    validate: {
      file: (file) =>
        !file ? 'Choose a file.' : file.size === 0 ? 'This file is empty. Choose another.' : null,
    },
  });
  const sending = state.status === 'sending';
  const send = form.onSubmit(async ({ file, name, description, onError }) => {
    if (!file) return;
    const taken = await startUpload({
      file,
      name: name.trim(),
      description: description.trim(),
      department,
      onError,
    });
    if (taken) await refreshAfterChange(client);
  });
  const locked = departments.length < 2;
  return (
    <Panel title="The file">
      <form onSubmit={send} noValidate>
        <Stack>
          {state.status === 'failed' && <ProblemNotice error={state.problem} />}
          {sending ? (
            <Sending state={state} />
          ) : (
            <DropZone
              file={form.values.file}
              onFile={(file) => form.setFieldValue('file', file)}
              accept=".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.parquet,.json,.jsonl,.ndjson,.gz,.zip,text/csv"
              label="The file to upload"
              error={form.errors.file as string | undefined}
            />
          )}
          <Select
            label="Department"
            description={
              locked ? 'Your files belong to your department.' : 'Which department the file is for.'
            }
            data={departments}
            value={department}
            onChange={(slug) => slug && onDepartment(slug)}
            readOnly={locked}
            disabled={sending}
          />
          <TextInput
            label="Name"
            description="Left empty, it is the name of the file."
            maxLength={200}
            disabled={sending}
            {...form.getInputProps('name')}
          />
          <Textarea
            label="Description"
            autosize
            minRows={2}
            maxRows={6}
            maxLength={4000}
            disabled={sending}
            {...form.getInputProps('description')}
          />
          <Radio.Group label="When lines cannot be used" {...form.getInputProps('onError')}>
            <Stack gap={10} mt={8}>
              <Radio
                value="quarantine"
                label="Load the good lines, keep the others aside"
                description="You get the others back with the reason of each."
                disabled={sending}
              />
              <Radio
                value="refuse"
                label="Refuse the whole file"
                description="Nothing is loaded until every line is right."
                disabled={sending}
              />
            </Stack>
          </Radio.Group>
          <Group justify="flex-end">
            {sending && (
              <Button variant="default" onClick={cancelUpload}>
                Cancel
              </Button>
            )}
            <Button type="submit" loading={sending} size="md">
              {state.status === 'failed' ? 'Upload again' : 'Upload'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

function Sending({ state }: { state: Extract<UploadState, { status: 'sending' }> }) {
  const share = state.total > 0 ? state.sent / state.total : 0;
  const allSent = state.sent >= state.total && state.total > 0;
  return (
    <Stack gap={8} py="lg">
      <Group justify="space-between" gap="xs">
        <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
          {state.file}
        </Text>
        <Text size="sm" c="dimmed" className="tabular">
          {allSent
            ? 'All sent; the platform is storing it'
            : `${format.bytes(state.sent)} of ${format.bytes(state.total)}`}
        </Text>
      </Group>
      <Progress value={share * 100} animated={allSent} radius="xl" aria-label="Bytes sent" />
    </Stack>
  );
}

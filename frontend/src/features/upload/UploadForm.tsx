import { Button, Group, Progress, Radio, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { configQuery, refreshAfterChange } from '@/shared/api/queries';
import { format } from '@/shared/format/format';
import type { ReadOptions } from '@/shared/api/upload';
import { DropZone } from '@/shared/ui/DropZone';
import { Panel } from '@/shared/ui/Panel';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { Preflight } from './preflight/Preflight';
import type { LabelMapping } from './preflight/columns';
import { ReadingFields } from './preflight/ReadingFields';
import { usePreflight } from './preflight/usePreflight';
import { cancelUpload, draftFor, keepDraft, startUpload, type Draft, type UploadState } from './uploader';

interface UploadFormProps {
  state: UploadState;
  department: string;
  departments: { value: string; label: string }[];
  onDepartment: (slug: string) => void;
  /** The dataset that the file completes with its mended lines. */
  corrects?: string;
}

const BLANK: Draft = {
  file: null,
  name: '',
  description: '',
  onError: 'quarantine',
  options: {},
  mapping: null,
};

/** What the form shows beside its own fields. */
const SHOWN = [
  'name',
  'description',
  'mapping',
  'delimiter',
  'encoding',
  'decimal',
  'date_order',
  'percentages',
  'sheet',
];

export function UploadForm({ state, department, departments, onDepartment, corrects }: UploadFormProps) {
  const client = useQueryClient();
  const { data: config } = useQuery(configQuery);
  const form = useForm<Draft>({
    initialValues: draftFor(corrects) ?? BLANK,
    validate: {
      file: (file) =>
        !file ? 'Choose a file.' : file.size === 0 ? 'This file is empty. Choose another.' : null,
    },
  });
  useEffect(() => () => keepDraft(form.getValues(), corrects), [form, corrects]);
  const sending = state.status === 'sending';
  const failed = state.status === 'failed' && state.corrects === corrects ? state.problem : null;
  const send = form.onSubmit(async ({ file, name, description, onError, options, mapping }) => {
    if (!file) return;
    const upload = {
      file,
      name: name.trim(),
      description: description.trim(),
      department,
      onError,
      options: mapping ? { ...options, mapping } : options,
      corrects,
    };
    const taken = await startUpload(upload, { direct: config?.direct_upload ?? false });
    if (taken) await refreshAfterChange(client);
  });
  const locked = departments.length < 2 || corrects !== undefined;
  const { file, options, mapping } = form.values;
  const refused: Partial<Record<string, string>> = failed?.fields ?? {};
  return (
    <Panel title="The file">
      <form onSubmit={send} noValidate>
        <Stack>
          {failed && <ProblemNotice error={failed} shownFields={SHOWN} />}
          {sending ? (
            <Sending state={state} />
          ) : (
            <DropZone
              file={file}
              onFile={(chosen) => {
                form.setFieldValue('file', chosen);
                // What was said of another file's columns is not said of this one's.
                form.setFieldValue('mapping', null);
              }}
              accept=".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.parquet,.json,.jsonl,.ndjson,.gz,.zip,text/csv"
              label="The file to upload"
              error={form.errors.file as string | undefined}
            />
          )}
          {file && !sending && (
            <ChosenFile
              file={file}
              department={department}
              options={options}
              mapping={mapping}
              onMapping={(next) => form.setFieldValue('mapping', next)}
              refused={refused.mapping}
              isCorrection={corrects !== undefined}
            />
          )}
          <ReadingFields
            options={options}
            onOptions={(next) => form.setFieldValue('options', next)}
            errors={refused}
            disabled={sending}
          />
          <Select
            label="Department"
            description={
              corrects !== undefined
                ? 'That of the upload it completes.'
                : locked
                  ? 'Your files belong to your department.'
                  : 'Which department the file is for.'
            }
            data={departments}
            value={department}
            onChange={(slug) => {
              if (!slug || slug === department) return;
              form.setFieldValue('mapping', null);
              onDepartment(slug);
            }}
            readOnly={locked}
            disabled={sending}
          />
          <TextInput
            label="Name"
            description="Left empty, it is the name of the file."
            maxLength={200}
            disabled={sending}
            {...form.getInputProps('name')}
            error={refused.name}
          />
          <Textarea
            label="Description"
            autosize
            minRows={2}
            maxRows={6}
            maxLength={4000}
            disabled={sending}
            {...form.getInputProps('description')}
            error={refused.description}
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
              {failed ? 'Upload again' : 'Upload'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

interface ChosenFileProps {
  file: File;
  department: string;
  options: ReadOptions;
  mapping: LabelMapping | null;
  onMapping: (mapping: LabelMapping | null) => void;
  refused: string | undefined;
  isCorrection: boolean;
}

function ChosenFile({ options, isCorrection, ...props }: ChosenFileProps) {
  const { file, department, mapping } = props;
  const { delimiter, encoding } = options;
  const seen = usePreflight({ file, department, delimiter, encoding, mapping, isCorrection });
  return <Preflight {...props} seen={seen} />;
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
      {state.resumable && !allSent && (
        <Text size="sm" c="dimmed">
          You may close this page: choose the same file again, and it goes on from here.
        </Text>
      )}
    </Stack>
  );
}

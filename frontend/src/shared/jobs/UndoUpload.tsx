import { Button, Group, List, Modal, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { datasetsUndo } from '@/shared/api/gen/client';
import type { DatasetDetailOutput } from '@/shared/api/gen/model';
import { dashboardQuery, datasetQuery, refreshAfterChange } from '@/shared/api/queries';
import { humanise, plural } from '@/shared/format/format';
import { Async } from '@/shared/ui/Async';
import { Icon } from '@/shared/ui/icons';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

interface UndoUploadProps {
  datasetId: string;
  onDone: () => void;
}

/** Takes an upload back, after saying what goes and what stays. */
export function UndoUpload({ datasetId, onDone }: UndoUploadProps) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<Icon name="undo" size={16} />} onClick={() => setAsking(true)}>
        Undo upload
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={<Text fw={600}>Undo this upload?</Text>}>
        <Question datasetId={datasetId} onDone={onDone} onClose={() => setAsking(false)} />
      </Modal>
    </>
  );
}

function Question({ datasetId, onDone, onClose }: UndoUploadProps & { onClose: () => void }) {
  const client = useQueryClient();
  const dataset = useQuery(datasetQuery(datasetId));
  const undo = useMutation({
    mutationFn: () => datasetsUndo(datasetId),
    onSuccess: async () => {
      onClose();
      onDone();
      notifications.show({ color: 'teal', message: 'The upload is undone; the insights are computed anew.' });
      client.removeQueries({ queryKey: ['dataset', datasetId] });
      await refreshAfterChange(client);
    },
  });
  return (
    <Async query={dataset}>
      {(data) => (
        <Stack>
          {undo.error && <ProblemNotice error={undo.error} />}
          <Consequences dataset={data} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} data-autofocus>
              Keep it
            </Button>
            <Button color="red.8" loading={undo.isPending} onClick={() => undo.mutate()}>
              Undo the upload
            </Button>
          </Group>
        </Stack>
      )}
    </Async>
  );
}

/** What goes, and what comes back. */
function Consequences({ dataset }: { dataset: DatasetDetailOutput }) {
  const { id, department, name, rows, corrections, changes } = dataset;
  const insights = useQuery(dashboardQuery(department, id)).data?.insights ?? [];
  return (
    <>
      <Text size="sm">
        <b>{name}</b> goes, with its {plural(rows.loaded, 'loaded row', 'loaded rows')}
        {rows.rejected > 0 && ` and ${plural(rows.rejected, 'rejected line', 'rejected lines')}`}
        {corrections.length > 0 && ' and:'}
        {corrections.length === 0 && '.'}
      </Text>
      {corrections.length > 0 && (
        <List size="sm" withPadding>
          {corrections.map((correction) => (
            <List.Item key={correction.id}>
              its correction “{correction.name}” with {plural(correction.rows.loaded, 'row', 'rows')}
            </List.Item>
          ))}
        </List>
      )}
      <Text size="sm">
        {insights.length > 0
          ? `The ${plural(insights.length, 'insight', 'insights')} its run computed (${insights.map(({ kind }) => humanise(kind)).join(', ')}) ${insights.length === 1 ? 'goes' : 'go'} as well; `
          : ''}
        {insights.length > 0 ? 'the' : 'The'} department’s insights are computed anew without it.
      </Text>
      <Text size="sm" c="dimmed">
        {comesBack(changes)}
      </Text>
    </>
  );
}

function comesBack(changes: DatasetDetailOutput['changes']): string {
  if (!changes) return 'Rows of earlier uploads that it replaced count again.';
  const { superseded } = changes;
  if (superseded === 0) return 'It replaced no rows of earlier uploads.';
  return `${plural(superseded, 'row', 'rows')} of earlier uploads, which it replaced, ${superseded === 1 ? 'counts' : 'count'} again.`;
}

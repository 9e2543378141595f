import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { datasetsUndo } from '@/shared/api/gen/client';
import { datasetQuery, refreshAfterChange } from '@/shared/api/queries';
import { plural } from '@/shared/format/format';
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
      {({ name, rows }) => (
        <Stack>
          {undo.error && <ProblemNotice error={undo.error} />}
          <Text size="sm">
            <b>{name}</b> goes, with its {plural(rows.loaded, 'loaded row', 'loaded rows')}
            {rows.rejected > 0 && ` and ${plural(rows.rejected, 'rejected line', 'rejected lines')}`}.
          </Text>
          <Text size="sm" c="dimmed">
            Rows of earlier uploads that it replaced count again, and the insights are computed anew without
            it.
          </Text>
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

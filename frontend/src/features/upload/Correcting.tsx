import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { getDatasetsRejectsCsvUrl } from '@/shared/api/gen/client';
import { datasetQuery } from '@/shared/api/queries';
import { format, plural } from '@/shared/format/format';
import { Async, Lines } from '@/shared/ui/Async';
import { DownloadButton } from '@/shared/ui/DownloadButton';
import { Notice } from '@/shared/ui/Notice';
import { TextLink } from '@/shared/ui/links';

interface CorrectingProps {
  dataset: string;
  onNone: () => void;
}

/** Says that the file completes another one, and with what. */
export function Correcting({ dataset, onNone }: CorrectingProps) {
  const query = useQuery(datasetQuery(dataset));
  const none = (
    <Button size="xs" variant="default" onClick={onNone}>
      Upload a file of its own instead
    </Button>
  );
  return (
    <div style={{ marginBottom: 20 }}>
      <Async query={query} skeleton={<Lines count={2} />}>
        {({ id, name, department, rows, rejects }) => (
          <Notice
            tone="info"
            title={`This file completes “${name}”`}
            actions={
              <>
                <DownloadButton
                  size="xs"
                  url={getDatasetsRejectsCsvUrl(id)}
                  filename={`${department}-${id}-rejects.csv`}
                >
                  The rejected lines
                </DownloadButton>
                {none}
              </>
            }
          >
            Of{' '}
            <TextLink to="/data/$dataset" params={{ dataset: id }} size="sm">
              this upload
            </TextLink>{' '}
            {plural(rejects.rows, 'line was', 'lines were')} set aside and {format.integer(rows.loaded)}{' '}
            loaded. Upload the rejected lines, mended: those that are right now are loaded beside the others,
            and what is still wrong comes back.
          </Notice>
        )}
      </Async>
      {query.error && <div style={{ marginTop: 8 }}>{none}</div>}
    </div>
  );
}

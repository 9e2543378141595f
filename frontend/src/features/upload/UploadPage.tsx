import { Grid } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { datasetQuery } from '@/shared/api/queries';
import { useDepartmentLabel } from '@/shared/departments';
import { useUser } from '@/shared/session/useSession';
import { PageHeader } from '@/shared/ui/PageHeader';

import { Correcting } from './Correcting';
import { Dictionary } from './Dictionary';
import { resetUpload, useUploadState } from './uploader';
import { Taken } from './Taken';
import { UploadForm } from './UploadForm';

const route = getRouteApi('/inside/upload');

export function UploadPage() {
  const user = useUser();
  const label = useDepartmentLabel();
  const { department: asked, corrects } = route.useSearch();
  const navigate = route.useNavigate();
  const state = useUploadState();
  const known = user.departments.find((slug) => slug === asked);
  const completed = useQuery({ ...datasetQuery(corrects ?? ''), enabled: corrects !== undefined }).data;
  const department = completed?.department ?? known ?? user.department ?? user.departments[0] ?? '';
  // A new form for the next file; the same one while a failed upload is tried again.
  const [round, setRound] = useState(0);
  // Who comes to mend another upload's lines wants the form, not the news of the last one.
  const taken = state.status === 'done' && (!corrects || state.corrects === corrects) ? state : null;
  const leave = () => void navigate({ search: { department: asked }, replace: true });
  return (
    <>
      <PageHeader title="Upload" lead="Your file is kept as it is, checked line by line, and loaded." />
      {corrects && !taken && <Correcting dataset={corrects} onNone={leave} />}
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          {taken ? (
            <Taken
              submission={taken.submission}
              onAnother={() => {
                resetUpload();
                setRound(round + 1);
                leave();
              }}
            />
          ) : (
            <UploadForm
              key={`${round}/${corrects ?? ''}`}
              state={state}
              corrects={corrects}
              department={department}
              departments={user.departments.map((slug) => ({ value: slug, label: label(slug) }))}
              onDepartment={(slug) => void navigate({ search: { department: slug }, replace: true })}
            />
          )}
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          {department && <Dictionary key={department} department={department} />}
        </Grid.Col>
      </Grid>
    </>
  );
}

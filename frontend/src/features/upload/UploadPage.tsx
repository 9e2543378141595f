import { Grid } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { useDepartmentLabel } from '@/shared/departments';
import { useUser } from '@/shared/session/useSession';
import { PageHeader } from '@/shared/ui/PageHeader';

import { Dictionary } from './Dictionary';
import { resetUpload, useUploadState } from './uploader';
import { Taken } from './Taken';
import { UploadForm } from './UploadForm';

const route = getRouteApi('/inside/upload');

export function UploadPage() {
  const user = useUser();
  const label = useDepartmentLabel();
  const { department: asked } = route.useSearch();
  const navigate = route.useNavigate();
  const state = useUploadState();
  const known = user.departments.find((slug) => slug === asked);
  const department = known ?? user.department ?? user.departments[0] ?? '';
  // A new form for the next file; the same one while a failed upload is tried again.
  const [round, setRound] = useState(0);
  return (
    <>
      <PageHeader title="Upload" lead="Your file is kept as it is, checked line by line, and loaded." />
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          {state.status === 'done' ? (
            <Taken
              submission={state.submission}
              onAnother={() => {
                resetUpload();
                setRound(round + 1);
              }}
            />
          ) : (
            <UploadForm
              key={round}
              state={state}
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

import { Stack } from '@mantine/core';

import { PageHeader } from '@/shared/ui/PageHeader';

import { PasswordForm } from './PasswordForm';
import { Sessions } from './Sessions';
import { WhoIAm } from './WhoIAm';

export function AccountPage() {
  return (
    <>
      <PageHeader title="Your account" lead="Who you are here, where you are logged in, and your password." />
      <Stack gap="lg">
        <WhoIAm />
        <Sessions />
        <PasswordForm />
      </Stack>
    </>
  );
}

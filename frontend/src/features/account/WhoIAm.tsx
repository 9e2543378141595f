import { List, Text } from '@mantine/core';

import { useDepartmentLabel } from '@/shared/departments';
import { format } from '@/shared/format/format';
import { useUser } from '@/shared/session/useSession';
import { Facts } from '@/shared/ui/Facts';
import { Panel } from '@/shared/ui/Panel';

/** Who is logged in, and in words what that lets them see and do. */
export function WhoIAm() {
  const user = useUser();
  const label = useDepartmentLabel();
  const isAdmin = user.role === 'admin';
  const names = user.departments.map(label);
  return (
    <Panel title="Who you are">
      <Facts
        facts={[
          ['Name', user.full_name],
          ['E-mail', <Address key="address" email={user.email} />],
          ['Role', isAdmin ? 'Admin' : 'Member'],
          [
            names.length > 1 ? 'Departments' : 'Department',
            isAdmin ? `All: ${names.join(', ')}` : names.join(', '),
          ],
          ['Account since', format.date(user.created_at)],
        ]}
      />
      <Text fw={600} mb={6}>
        What you can see and do
      </Text>
      {isAdmin ? (
        <List size="sm" spacing={6}>
          <List.Item>You see the files, rows, jobs and insights of every department.</List.Item>
          <List.Item>
            You upload, retry and undo for any of them; an upload says which one it is for.
          </List.Item>
          <List.Item>
            You see how the system does, and you approve accounts in the operators’ console.
          </List.Item>
        </List>
      ) : (
        <List size="sm" spacing={6}>
          <List.Item>
            You see the files, rows, jobs and insights of {names.join(', ')}, all colleagues’ too.
          </List.Item>
          <List.Item>You upload for {names.join(', ')}, run failed jobs again, and undo uploads.</List.Item>
          <List.Item>
            Other departments are closed to you, and yours to them. An admin can move your account.
          </List.Item>
        </List>
      )}
    </Panel>
  );
}

/** Where it does not fit on a line, it is broken at the @. */
function Address({ email }: { email: string }) {
  const at = email.lastIndexOf('@') + 1;
  return (
    <>
      {email.slice(0, at)}
      <wbr />
      {email.slice(at)}
    </>
  );
}

import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import type { ConfigOutput } from '@/shared/api/gen/model';
import * as fixtures from '@/test/fixtures';
import { open } from '@/test/open';
import { answers, server } from '@/test/server';
import { user } from '@/test/user';

function under(policy: ConfigOutput['registration_policy']) {
  const sent: unknown[] = [];
  server.use(
    answers('/auth/config', { ...fixtures.config, registration_policy: policy }),
    http.post('*/api/v1/auth/register', async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ ...fixtures.ada, approval: 'pending' }, { status: 201 });
    }),
  );
  open('/register', { as: null });
  return sent;
}

async function fillIn(): Promise<void> {
  await user.type(await screen.findByLabelText('Name'), 'Ada Novak');
  await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
  await user.type(screen.getByLabelText('Password'), 'nine-green-bottles');
}

test('where an admin approves, it is said before, and after without telling who has an account', async () => {
  under('approval');
  expect(await screen.findByText('An admin looks at new accounts before they can log in.')).toBeVisible();
  await fillIn();
  await user.click(screen.getByRole('combobox', { name: 'Department' }));
  await user.click(await screen.findByRole('option', { name: 'Sales' }));
  await user.click(screen.getByRole('button', { name: 'Make the account' }));
  const said = (await screen.findByText('Your account waits for approval')).closest('[role="status"]');
  expect(said).toHaveTextContent('No message is sent');
  expect(said).toHaveTextContent('Where that address had an account before, nothing has changed');
});

test('where one joins by invitation, nothing is sent without one', async () => {
  const sent = under('invite');
  expect(await screen.findByText('One joins this platform by invitation.')).toBeVisible();
  await fillIn();
  expect(screen.queryByRole('combobox', { name: 'Department' })).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Make the account' }));
  expect(await screen.findByText('Paste the token of your invitation.')).toBeVisible();
  expect(sent).toEqual([]);
  await user.type(screen.getByLabelText('Invitation'), 'token-1');
  await user.click(screen.getByRole('button', { name: 'Make the account' }));
  expect(await screen.findByText('Your account waits for approval')).toBeVisible();
  expect(sent).toMatchObject([{ invitation: 'token-1', department: '' }]);
});

test('the server’s rules stand at the password, and how it stands to them while it is typed', async () => {
  under('open');
  const field = await screen.findByLabelText('Password');
  expect(field).toHaveAccessibleDescription(/at least 10 characters.*commonly used/);
  await user.type(field, '12345678901');
  expect(field).toHaveAccessibleDescription(/done: Your password must contain at least 10 characters/);
  expect(field).toHaveAccessibleDescription(/not yet: Your password can’t be entirely numeric/);
});

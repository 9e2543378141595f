import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { authLogin, authPassword } from '@/shared/api/gen/client';
import type { PasswordInputRequest } from '@/shared/api/gen/model';
import { asProblem } from '@/shared/api/problem';
import { NewPassword } from '@/shared/password/NewPassword';
import { enter, exclusively, forget } from '@/shared/session/session';
import { useUser } from '@/shared/session/useSession';
import { Panel } from '@/shared/ui/Panel';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

import { sessionsQuery } from './sessions';

const FIELDS = ['current_password', 'new_password'] as const;

/** The change ends every session of the account; this page comes back at once with a new one. */
export function PasswordForm() {
  const { email } = useUser();
  const client = useQueryClient();
  const form = useForm({
    initialValues: { current_password: '', new_password: '' },
    validate: {
      current_password: (value) => (value ? null : 'Type your present password.'),
      new_password: (value) => (value ? null : 'Choose a new password.'),
    },
  });
  const change = useMutation({
    mutationFn: async (values: PasswordInputRequest) => {
      await authPassword(values);
      try {
        // In its turn: a refresh of the old cookie, refused meanwhile, would take the new one away with it.
        enter(await exclusively(() => authLogin({ email, password: values.new_password })));
        return { stays: true };
      } catch {
        return { stays: false };
      }
    },
    onSuccess: ({ stays }) => {
      notifications.show({
        color: 'teal',
        title: 'Your password is changed',
        message: stays
          ? 'All other sessions have ended. You stay logged in here.'
          : 'All sessions have ended. Log in with the new one.',
      });
      if (!stays) {
        forget();
        return;
      }
      form.reset();
      void client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    },
    onError: (error) => form.setErrors(asProblem(error).fields),
  });
  return (
    <Panel
      id="password"
      title="Password"
      lead="A new password ends all your other sessions: whoever knew the old one is out."
    >
      <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
        <Stack maw={460}>
          {change.error && <ProblemNotice error={change.error} shownFields={FIELDS} />}
          {/* For the browser's memory of passwords: it must know whose this is. */}
          <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
          <PasswordInput
            label="Present password"
            autoComplete="current-password"
            {...form.getInputProps('current_password')}
          />
          <NewPassword
            label="New password"
            {...form.getInputProps('new_password')}
            value={form.values.new_password}
          />
          <Group>
            <Button type="submit" loading={change.isPending}>
              Change the password
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';

import { authPassword } from '@/shared/api/gen/client';
import type { PasswordInputRequest } from '@/shared/api/gen/model';
import { asProblem } from '@/shared/api/problem';
import { forget } from '@/shared/session/session';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

interface PasswordChangeProps {
  opened: boolean;
  onClose: () => void;
}

export function PasswordChange({ opened, onClose }: PasswordChangeProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>Change your password</Text>}>
      <PasswordForm onClose={onClose} />
    </Modal>
  );
}

function PasswordForm({ onClose }: { onClose: () => void }) {
  const form = useForm({
    initialValues: { current_password: '', new_password: '' },
    validate: {
      current_password: (value) => (value ? null : 'Type your present password.'),
      new_password: (value) => (value ? null : 'Choose a new password.'),
    },
  });
  const change = useMutation({
    mutationFn: (values: PasswordInputRequest) => authPassword(values),
    onSuccess: () => {
      notifications.show({
        color: 'teal',
        title: 'Your password is changed',
        message: 'All sessions have ended. Log in with the new one.',
      });
      forget();
    },
    onError: (error) => form.setErrors(asProblem(error).fields),
  });
  return (
    <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          All your sessions end with the change, this one too.
        </Text>
        {change.error && (
          <ProblemNotice error={change.error} shownFields={['current_password', 'new_password']} />
        )}
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          {...form.getInputProps('current_password')}
        />
        <PasswordInput
          label="New password"
          description="A longer sentence of your own is easy to keep and hard to guess."
          autoComplete="new-password"
          {...form.getInputProps('new_password')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Change it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

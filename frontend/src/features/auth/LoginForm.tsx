import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';

import { authLogin } from '@/shared/api/gen/client';
import type { LoginInputRequest } from '@/shared/api/gen/model';
import { enter } from '@/shared/session/session';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

interface LoginFormProps {
  email?: string;
}

/** Whoever is logged in by it goes on from where the session is watched: another tab may log in as well. */
export function LoginForm({ email = '' }: LoginFormProps) {
  const form = useForm({
    initialValues: { email, password: '' },
    validate: {
      email: (value) => (value.trim() ? null : 'Type your e-mail address.'),
      password: (value) => (value ? null : 'Type your password.'),
    },
  });
  const login = useMutation({
    mutationFn: (values: LoginInputRequest) => authLogin(values),
    onSuccess: enter,
  });
  return (
    <form onSubmit={form.onSubmit((values) => login.mutate(values))} noValidate>
      <Stack>
        {login.error && <ProblemNotice error={login.error} />}
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          data-autofocus={email === '' || undefined}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          data-autofocus={email !== '' || undefined}
          {...form.getInputProps('password')}
        />
        <Button type="submit" size="md" loading={login.isPending}>
          Log in
        </Button>
      </Stack>
    </form>
  );
}

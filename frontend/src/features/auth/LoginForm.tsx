import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';

import { authLogin } from '@/shared/api/gen/client';
import type { LoginInputRequest } from '@/shared/api/gen/model';
import { enter } from '@/shared/session/session';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

interface LoginFormProps {
  email?: string;
}

/** Whoever is logged in by it goes on from where the session is watched: another tab may log in as well. */
export function LoginForm({ email = '' }: LoginFormProps) {
  // Two fields by hand: the form library would double what the log-in adds to the first load.
  const [values, setValues] = useState<LoginInputRequest>({ email, password: '' });
  const [sent, setSent] = useState(false);
  const isComplete = values.email.trim() !== '' && values.password !== '';
  const login = useMutation({
    mutationFn: (values: LoginInputRequest) => authLogin(values),
    onSuccess: enter,
  });
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    setSent(true);
    if (isComplete) login.mutate(values);
  };
  const put = (change: Partial<LoginInputRequest>) => setValues((before) => ({ ...before, ...change }));
  return (
    <form onSubmit={send} noValidate>
      <Stack>
        {login.error && <ProblemNotice error={login.error} />}
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          data-autofocus={email === '' || undefined}
          value={values.email}
          onChange={(event) => put({ email: event.currentTarget.value })}
          error={sent && values.email.trim() === '' && 'Type your e-mail address.'}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          data-autofocus={email !== '' || undefined}
          value={values.password}
          onChange={(event) => put({ password: event.currentTarget.value })}
          error={sent && values.password === '' && 'Type your password.'}
        />
        <Button type="submit" size="md" loading={login.isPending}>
          Log in
        </Button>
      </Stack>
    </form>
  );
}

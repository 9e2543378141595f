import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';

import { authLogin } from '@/shared/api/gen/client';
import type { LoginInputRequest } from '@/shared/api/gen/model';
import { asProblem } from '@/shared/api/problem';
import { enter } from '@/shared/session/session';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';

const isForCode = (error: unknown): boolean => asProblem(error).code === 'second-factor-needed';

/** A field that comes when it is asked for is typed into at once. */
const focused = (field: HTMLInputElement | null) => field?.focus();

interface LoginFormProps {
  email?: string;
}

/** Whoever is logged in by it goes on from where the session is watched: another tab may log in as well. */
export function LoginForm({ email = '' }: LoginFormProps) {
  // Two fields by hand: the form library would double what the log-in adds to the first load.
  const [values, setValues] = useState<LoginInputRequest>({ email, password: '' });
  const [sent, setSent] = useState(false);
  // Of few accounts, and the server says of which, once it has seen the password.
  const [asksCode, setAsksCode] = useState(false);
  const code = values.code?.trim() ?? '';
  const isComplete = values.email.trim() !== '' && values.password !== '' && (!asksCode || code !== '');
  const login = useMutation({
    mutationFn: (values: LoginInputRequest) => authLogin(values),
    onSuccess: enter,
    onError: (error) => {
      if (!isForCode(error)) return;
      setAsksCode(true);
      setSent(false);
    },
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
        {login.error && !isForCode(login.error) && <ProblemNotice error={login.error} />}
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          data-autofocus={email === '' || undefined}
          value={values.email}
          onChange={(event) => {
            put({ email: event.currentTarget.value, code: undefined });
            setAsksCode(false);
          }}
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
        {asksCode && (
          <TextInput
            ref={focused}
            label="Code"
            description="The six digits that your app shows, or one of your recovery codes."
            autoComplete="one-time-code"
            autoCapitalize="none"
            spellCheck={false}
            value={values.code ?? ''}
            onChange={(event) => put({ code: event.currentTarget.value })}
            error={sent && code === '' && 'Type the code.'}
          />
        )}
        <Button type="submit" size="md" loading={login.isPending}>
          Log in
        </Button>
      </Stack>
    </form>
  );
}

import { Button, Select, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';

import { authLogin, authRegister } from '@/shared/api/gen/client';
import type { ConfigOutput } from '@/shared/api/gen/model';
import { asProblem } from '@/shared/api/problem';
import { configQuery } from '@/shared/api/queries';
import { NewPassword } from '@/shared/password/NewPassword';
import { safeNext } from '@/shared/router/next';
import { enter } from '@/shared/session/session';
import { Async } from '@/shared/ui/Async';
import { Notice } from '@/shared/ui/Notice';
import { ProblemNotice } from '@/shared/ui/ProblemNotice';
import { TextLink } from '@/shared/ui/links';

import { AuthFrame } from './AuthFrame';

const route = getRouteApi('/register');

const LEADS: Record<ConfigOutput['registration_policy'], string> = {
  open: 'A minute, and you are in.',
  approval: 'An admin looks at new accounts before they can log in.',
  invite: 'One joins this platform by invitation.',
};

export function RegisterPage() {
  const config = useQuery(configQuery);
  const policy = config.data?.registration_policy;
  return (
    <AuthFrame title="Make an account" lead={policy ? LEADS[policy] : ' '}>
      <Async query={config}>{(data) => <RegisterForm config={data} />}</Async>
    </AuthFrame>
  );
}

const FIELDS = ['full_name', 'email', 'password', 'department', 'invitation'] as const;

function RegisterForm({ config }: { config: ConfigOutput }) {
  const { next, invitation } = route.useSearch();
  const router = useRouter();
  const invited = config.registration_policy === 'invite' || invitation !== undefined;
  const form = useForm({
    initialValues: { full_name: '', email: '', password: '', department: '', invitation: invitation ?? '' },
    validate: {
      full_name: (value) => (value.trim() ? null : 'Type your name.'),
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'It looks like name@company.com.'),
      password: (value) => (value ? null : 'Choose a password.'),
      department: (value) => (value || invited ? null : 'Choose your department.'),
      invitation: (value) => (value.trim() || !invited ? null : 'Paste the token of your invitation.'),
    },
  });
  const register = useMutation({
    mutationFn: async (values: typeof form.values) => {
      const user = await authRegister(values);
      if (user.approval === 'pending') return { entered: false, email: user.email };
      enter(await authLogin({ email: values.email, password: values.password }));
      return { entered: true, email: user.email };
    },
    onSuccess: ({ entered }) => {
      if (entered) router.history.push(safeNext(next));
    },
    onError: (error) => form.setErrors(asProblem(error).fields),
  });

  if (register.data && !register.data.entered) {
    return (
      <Stack>
        <Notice tone="good" title="Your account waits for approval">
          An admin of the platform looks at it; you can log in as {register.data.email} as soon as it is
          approved. No message is sent: try it later, or ask an admin. Where that address had an account
          before, nothing has changed, and its password is what it was.
        </Notice>
        <TextLink to="/login" search={{ next }} size="sm">
          Back to log-in
        </TextLink>
      </Stack>
    );
  }
  return (
    <form onSubmit={form.onSubmit((values) => register.mutate(values))} noValidate>
      <Stack>
        {register.error && <ProblemNotice error={register.error} shownFields={FIELDS} />}
        {invited && (
          <TextInput
            label="Invitation"
            description="The token an admin gave you."
            autoComplete="off"
            {...form.getInputProps('invitation')}
          />
        )}
        <TextInput label="Name" autoComplete="name" {...form.getInputProps('full_name')} />
        <TextInput label="E-mail" type="email" autoComplete="username" {...form.getInputProps('email')} />
        <NewPassword label="Password" {...form.getInputProps('password')} value={form.values.password} />
        {!invited && (
          <Select
            label="Department"
            placeholder="Choose"
            data={config.departments.map(({ slug, label }) => ({ value: slug, label }))}
            {...form.getInputProps('department')}
          />
        )}
        <Button type="submit" size="md" loading={register.isPending}>
          Make the account
        </Button>
        <Text size="sm" c="dimmed">
          You have one?{' '}
          <TextLink to="/login" search={{ next }} size="sm">
            Log in
          </TextLink>
        </Text>
      </Stack>
    </form>
  );
}

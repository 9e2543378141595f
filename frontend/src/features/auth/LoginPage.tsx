import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';

import { configQuery } from '@/shared/api/queries';
import { safeNext } from '@/shared/router/next';
import { useSession } from '@/shared/session/useSession';
import { TextLink } from '@/shared/ui/links';

import { AuthFrame } from './AuthFrame';
import { LoginForm } from './LoginForm';

const route = getRouteApi('/login');

export function LoginPage() {
  const { next, invitation } = route.useSearch();
  const router = useRouter();
  const isIn = useSession().status === 'active';
  useEffect(() => {
    if (isIn) router.history.push(safeNext(next));
  }, [isIn, router, next]);
  const { data: config } = useQuery(configQuery);
  return (
    <AuthFrame title="Log in" lead={next ? 'You will come back to where you were.' : 'Good to see you.'}>
      <LoginForm />
      <Text size="sm" c="dimmed" mt="lg">
        {config?.registration_policy === 'invite' ? 'Have you been invited?' : 'New here?'}{' '}
        <TextLink to="/register" search={{ next, invitation }} size="sm">
          Make an account
        </TextLink>
      </Text>
    </AuthFrame>
  );
}

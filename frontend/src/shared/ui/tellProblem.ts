import { notifications } from '@mantine/notifications';

import { asProblem } from '@/shared/api/problem';

/**
 * Where there is no place in the page for it. It stays until it is read: who reads slowly must not miss it. `broken`
 * is what to say where the fault is the page's own.
 */
export function tellProblem(error: unknown, broken?: { message: string; hint: string }): void {
  const problem = asProblem(error);
  const { message, hint } = broken && problem.code === 'page-error' ? broken : problem;
  notifications.show({
    // One at a time of a kind, however often one presses.
    id: `problem/${message}`,
    color: 'red',
    title: message,
    message: [hint, problem.requestId !== null && `(request ${problem.requestId})`].filter(Boolean).join(' '),
    autoClose: false,
    closeButtonProps: { 'aria-label': 'Close the message' },
  });
}

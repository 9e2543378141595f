import { MantineProvider } from '@mantine/core';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';

import { ApiProblem, problemFrom } from '@/shared/api/problem';
import { problem } from '@/test/fixtures';

import { ProblemNotice } from './ProblemNotice';

const answer = (status: number, text: string, retryAfter: string | null = null) => ({
  status,
  text,
  requestId: null,
  retryAfter,
});

const show = (error: unknown, props: object = {}) =>
  render(
    <MantineProvider>
      <ProblemNotice error={error} {...props} />
    </MantineProvider>,
  );

test('says what happened, what to do, and under which id operators find it', () => {
  const body = problem(413, 'file-too-large', 'The file is larger than the limit of 100 MB.', {
    hint: 'Split the file.',
  });
  show(problemFrom(answer(413, JSON.stringify(body))));
  const alert = screen.getByRole('alert');
  expect(alert).toHaveTextContent('The file is larger than the limit of 100 MB.');
  expect(alert).toHaveTextContent('Split the file.');
  expect(alert).toHaveTextContent('file-too-large · request req-42');
});

test('a refusal by a server in front of the API has words too', () => {
  show(problemFrom(answer(413, '<html>413 Request Entity Too Large</html>')));
  expect(screen.getByRole('alert')).toHaveTextContent('The file is larger than the platform takes.');
});

test('one wrong field is the sentence itself; fields the form shows are not said twice', () => {
  const error = new ApiProblem({
    code: 'invalid-request',
    message: 'The request has errors; see `errors`.',
    entries: [
      { pointer: '/email', code: 'email-taken', detail: 'There is an account of this address already.' },
    ],
  });
  const { unmount } = show(error);
  expect(screen.getByRole('alert')).toHaveTextContent('There is an account of this address already.');
  unmount();
  show(error, { shownFields: ['email'] });
  expect(screen.getByRole('alert')).toHaveTextContent('Please look at the marked fields.');
});

test('an error of the page itself does not show its innards', () => {
  show(new TypeError("Cannot read properties of undefined (reading 'x')"));
  expect(screen.getByRole('alert')).not.toHaveTextContent('undefined');
});

test('a refusal that would be the same again is not tried again', () => {
  show(new ApiProblem({ code: 'foreign-department', status: 403, message: 'Not yours.' }), {
    onRetry: vi.fn(),
  });
  expect(screen.queryByRole('button')).not.toBeInTheDocument();
});

test('can be tried again where that makes sense', async () => {
  const retry = vi.fn();
  show(new ApiProblem({ code: 'network', message: 'Away.' }), { onRetry: retry });
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(retry).toHaveBeenCalledOnce();
});

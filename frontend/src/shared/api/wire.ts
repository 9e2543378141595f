/** `fetch`, with every way it can fail told as a problem. */
import { networkProblem, timeoutProblem, type Answer } from './problem';

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'AbortError') throw error;
    throw name === 'TimeoutError' ? timeoutProblem() : networkProblem();
  }
}

export const fetched = (url: string, options: RequestInit): Promise<Response> => told(fetch(url, options));

/** The answer to its last byte: a connection that breaks on the way is a failure of the network, not of the page. */
export const read = async (response: Response): Promise<Answer> => ({
  status: response.status,
  text: await told(response.text()),
  requestId: response.headers.get('X-Request-ID'),
  retryAfter: response.headers.get('Retry-After'),
});

export const readFile = (response: Response): Promise<Blob> => told(response.blob());

import { datasetsUploadsParts } from '../gen/client';
import type { SignedPartOutput } from '../gen/model';
import { ApiProblem } from '../problem';

const TRIES = 6;
const FIRST_PAUSE = 500;
/** A connection over which a part takes longer has died, whatever the browser thinks. */
const PATIENCE = 10 * 60_000;

export interface Part {
  number: number;
  sha256: string;
  bytes: Blob;
}

export interface PartOptions {
  signal: AbortSignal;
  onSent: (bytes: number) => void;
}

const storeProblem = (status: number): ApiProblem =>
  new ApiProblem({
    code: 'store-unreachable',
    message: status
      ? `The store has refused a part of the file (${status}).`
      : 'The store of the files could not be reached.',
    hint: 'Try again: what has arrived is kept. If it stays, tell the operators.',
  });

const aborted = (): DOMException => new DOMException('The upload was cancelled.', 'AbortError');

/** The status the store answered with; 0 where it did not. */
function put(
  { url, headers }: SignedPartOutput,
  bytes: Blob,
  { signal, onSent }: PartOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(aborted());
      return;
    }
    const xhr = new XMLHttpRequest();
    const abort = (): void => {
      xhr.abort();
      reject(aborted());
    };
    xhr.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => onSent(event.loaded);
    xhr.onload = () => resolve(xhr.status);
    xhr.onerror = () => resolve(0);
    xhr.timeout = PATIENCE;
    xhr.ontimeout = () => resolve(0);
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort);
    // Without a type of its own: the store would be told one that nobody has signed.
    xhr.send(bytes);
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(aborted());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Whether another try may be answered otherwise: nobody was reached, or who was is in trouble. */
const mayPass = (error: unknown): boolean =>
  error instanceof ApiProblem && (error.status === 0 || error.status === 429 || error.status >= 500);

/** Sends one part, again and again for half a minute where the line is bad. Each try has a new address: they run out. */
export async function sendPart(upload: string, part: Part, options: PartOptions): Promise<void> {
  const { number, sha256, bytes } = part;
  for (let tries = 1; ; tries += 1) {
    let problem: unknown;
    try {
      const asked = { parts: [{ number, sha256 }] };
      const [address] = (await datasetsUploadsParts(upload, asked, { signal: options.signal })).parts;
      const status = address ? await put(address, bytes, options) : 0;
      if (status >= 200 && status < 300) {
        options.onSent(bytes.size);
        return;
      }
      problem = storeProblem(status);
    } catch (error) {
      if (options.signal.aborted || !mayPass(error)) throw error;
      problem = error;
    }
    if (options.signal.aborted) throw aborted();
    options.onSent(0);
    if (tries === TRIES) throw problem;
    await pause(FIRST_PAUSE * 2 ** (tries - 1), options.signal);
  }
}

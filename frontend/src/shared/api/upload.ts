import { accessToken, currentSession, freshFor } from '@/shared/session/session';

import { getDatasetsUploadUrl } from './gen/client';
import type { DateOrderEnum, DecimalEnum, OnErrorEnum, PercentagesEnum, SubmissionOutput } from './gen/model';
import { networkProblem, parsed, problemFrom, sessionEndedProblem, type Answer } from './problem';
import { renew } from './request';

/** How the file is written, where the platform's own finding is to be overruled; what is left out is found. */
export interface ReadOptions {
  delimiter?: string;
  encoding?: string;
  decimal?: DecimalEnum;
  date_order?: DateOrderEnum;
  percentages?: PercentagesEnum;
  sheet?: string;
  /** From labels to columns; null leaves a label's column out. */
  mapping?: Readonly<Record<string, string | null>>;
}

export interface Upload {
  file: File;
  name: string;
  description: string;
  department: string;
  onError: OnErrorEnum;
  options: ReadOptions;
  /** The dataset that these lines complete. */
  corrects?: string;
}

export interface UploadOptions {
  /** The same for every try of the same upload, so that a lost answer does not become a second dataset. */
  idempotencyKey: string;
  onProgress: (sent: number, total: number) => void;
  signal: AbortSignal;
}

/** `fetch` does not tell how many bytes have gone; XMLHttpRequest does. */
function transfer(body: FormData, { idempotencyKey, onProgress, signal }: UploadOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', getDatasetsUploadUrl());
    xhr.setRequestHeader('Authorization', `Bearer ${accessToken() ?? ''}`);
    xhr.setRequestHeader('Accept', 'application/json');
    xhr.setRequestHeader('Idempotency-Key', idempotencyKey);
    xhr.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    xhr.onload = () =>
      resolve({
        status: xhr.status,
        text: xhr.responseText,
        requestId: xhr.getResponseHeader('X-Request-ID'),
        retryAfter: xhr.getResponseHeader('Retry-After'),
      });
    xhr.onerror = () => reject(networkProblem());
    xhr.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    if (signal.aborted) {
      xhr.onabort(new ProgressEvent('abort'));
      return;
    }
    signal.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(body);
  });
}

/** Sends the file; the answer is the job to watch. Throws ApiProblem, or an AbortError where it was cancelled. */
export async function uploadDataset(upload: Upload, options: UploadOptions): Promise<SubmissionOutput> {
  const body = new FormData();
  body.append('name', upload.name);
  body.append('description', upload.description);
  body.append('department', upload.department);
  body.append('on_error', upload.onError);
  const { mapping, ...words } = upload.options;
  for (const [name, word] of Object.entries(words)) if (word) body.append(name, word);
  if (mapping) body.append('mapping', JSON.stringify(mapping));
  if (upload.corrects) body.append('corrects', upload.corrects);
  body.append('file', upload.file);
  // Sending the bytes twice because the token ran out is the dear way to learn it.
  await freshFor(60_000);
  if (currentSession().status === 'ended') throw sessionEndedProblem();
  const used = accessToken();
  let answer = await transfer(body, options);
  if (answer.status === 401) {
    await renew(used);
    answer = await transfer(body, options);
  }
  if (answer.status >= 400) throw problemFrom(answer);
  return parsed(answer) as SubmissionOutput;
}

/** `crypto.randomUUID` is missing on pages served without TLS under a name that is not localhost. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

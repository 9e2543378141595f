/** The upload under way. It outlives the page: one may look at something else and come back. */
import { useSyncExternalStore } from 'react';

import type { SubmissionOutput } from '@/shared/api/gen/model';
import { asProblem, type ApiProblem } from '@/shared/api/problem';
import { newKey, uploadDataset, type ReadOptions, type Upload } from '@/shared/api/upload';

export type UploadState =
  | { status: 'idle' }
  | { status: 'sending'; file: string; sent: number; total: number; resumable: boolean }
  | { status: 'failed'; problem: ApiProblem; corrects?: string }
  | { status: 'done'; submission: SubmissionOutput; corrects?: string };

/** What was chosen and typed, and not yet taken: who looks something up on another page finds it again. */
export interface Draft extends Pick<Upload, 'name' | 'description' | 'onError'> {
  file: File | null;
  options: Omit<ReadOptions, 'mapping'>;
  mapping: NonNullable<ReadOptions['mapping']> | null;
}

let state: UploadState = { status: 'idle' };
let abort: AbortController | null = null;
let last: { upload: Upload; key: string } | null = null;
let draft: { kept: Draft; corrects: string | undefined } | null = null;
const listeners = new Set<() => void>();

function become(next: UploadState): void {
  state = next;
  listeners.forEach((listener) => listener());
}

const same = (a: Upload, b: Upload): boolean =>
  a.file === b.file &&
  a.name === b.name &&
  a.description === b.description &&
  a.department === b.department &&
  a.onError === b.onError &&
  a.corrects === b.corrects &&
  JSON.stringify(a.options) === JSON.stringify(b.options);

const warn = (event: BeforeUnloadEvent): void => event.preventDefault();

/** From this size on a file goes straight to the store, where the platform offers it. */
const DIRECT_FROM = 32 * 1024 * 1024;

export async function startUpload(
  upload: Upload,
  offer: { direct: boolean },
): Promise<SubmissionOutput | null> {
  // The same again after a lost answer goes under the same key, so that it cannot become a second dataset.
  const key = last && same(last.upload, upload) ? last.key : newKey();
  last = { upload, key };
  const mine = new AbortController();
  abort = mine;
  const resumable = offer.direct && upload.file.size >= DIRECT_FROM;
  const sending = { status: 'sending' as const, file: upload.file.name, resumable };
  become({ ...sending, sent: 0, total: upload.file.size });
  // What can go on where it was may be left.
  if (!resumable) window.addEventListener('beforeunload', warn);
  try {
    const send = resumable ? (await import('@/shared/api/direct/direct')).uploadDirect : uploadDataset;
    const submission = await send(upload, {
      idempotencyKey: key,
      signal: mine.signal,
      onProgress: (sent, total) => {
        if (abort === mine) become({ ...sending, sent, total });
      },
    });
    last = null;
    draft = null;
    become({ status: 'done', submission, corrects: upload.corrects });
    return submission;
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    become(
      cancelled
        ? { status: 'idle' }
        : { status: 'failed', problem: asProblem(error), corrects: upload.corrects },
    );
    return null;
  } finally {
    window.removeEventListener('beforeunload', warn);
    if (abort === mine) abort = null;
  }
}

export const cancelUpload = (): void => abort?.abort();

/** For the next file, and for the next user. */
export function resetUpload(): void {
  abort?.abort();
  last = null;
  draft = null;
  become({ status: 'idle' });
}

export function keepDraft(kept: Draft, corrects: string | undefined): void {
  if (state.status !== 'done') draft = { kept, corrects };
}

/** For the form of a file of its own, or of one that corrects that dataset. */
export const draftFor = (corrects: string | undefined): Draft | null =>
  draft?.corrects === corrects ? (draft?.kept ?? null) : null;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useUploadState = (): UploadState => useSyncExternalStore(subscribe, () => state);

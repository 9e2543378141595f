/** A large file straight to the store, in parts: several at once, again where the line breaks, and on from where it was. */
import { userId } from '@/shared/session/session';
import { draftKey } from '@/shared/session/drafts';

import {
  datasetsUploadsAbort,
  datasetsUploadsBegin,
  datasetsUploadsComplete,
  datasetsUploadsGet,
} from '../gen/client';
import type { DirectUploadOutput, SubmissionOutput } from '../gen/model';
import { ApiProblem, asProblem } from '../problem';
import type { Upload, UploadOptions } from '../upload';

import type { Found } from './hashing';
import { inWorker } from './inWorker';
import { sendPart } from './parts';

const AT_ONCE = 3;

type Hashing = (file: Blob, partSize: number) => AsyncGenerator<Found>;

/** The same file, said the same of, has the same: so a page that was left finds the upload again. */
function keyOf({ file, ...said }: Upload): string {
  const whatItIs = [file.name, file.size, file.lastModified, said];
  return draftKey(userId() ?? '', `upload.${JSON.stringify(whatItIs)}`);
}

/** The upload that this file was under way in; null where there is none that can go on. */
async function unfinished(key: string, signal: AbortSignal): Promise<DirectUploadOutput | null> {
  const id = localStorage.getItem(key);
  if (id === null) return null;
  try {
    const found = await datasetsUploadsGet(id, { signal });
    const over =
      found.state === 'open' ? Date.parse(found.expires_at) <= Date.now() : found.state !== 'completed';
    return over ? null : found;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return null;
    throw error;
  }
}

const begin = (
  { file, name, description, department, onError, options, corrects }: Upload,
  init: RequestInit,
) =>
  datasetsUploadsBegin(
    {
      filename: file.name,
      size_bytes: file.size,
      name,
      description,
      department,
      on_error: onError,
      ...options,
      ...(corrects ? { corrects } : {}),
    },
    init,
  );

/** Throws ApiProblem, or an AbortError where it was cancelled, and then what has arrived is thrown away. */
export async function uploadDirect(
  upload: Upload,
  { idempotencyKey, onProgress, signal }: UploadOptions,
  hashing: Hashing = inWorker,
): Promise<SubmissionOutput> {
  const key = keyOf(upload);
  const begun =
    (await unfinished(key, signal)) ??
    (await begin(upload, { signal, headers: { 'Idempotency-Key': idempotencyKey } }));
  localStorage.setItem(key, begun.id);
  try {
    const { parts, whole } = await sendAll(upload.file, begun, { onProgress, signal, hashing });
    const submission = await datasetsUploadsComplete(begun.id, { sha256: whole, parts }, { signal });
    localStorage.removeItem(key);
    return submission;
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    const over = error instanceof ApiProblem && (error.status === 422 || error.code === 'upload-ended');
    if (cancelled) void datasetsUploadsAbort(begun.id).catch(() => undefined);
    if (cancelled || over) localStorage.removeItem(key);
    throw error;
  }
}

interface SendOptions extends Pick<UploadOptions, 'onProgress' | 'signal'> {
  hashing: Hashing;
}

async function sendAll(file: File, begun: DirectUploadOutput, { onProgress, signal, hashing }: SendOptions) {
  const there = new Map(begun.arrived.map((part) => [part.number, part.sha256]));
  const sent = new Map<number, number>();
  const parts: { number: number; sha256: string }[] = [];
  const all: Promise<void>[] = [];
  const underWay = new Set<Promise<void>>();
  // The first that fails ends the others.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const tell = (number: number, bytes: number): void => {
    sent.set(number, bytes);
    onProgress(
      [...sent.values()].reduce((sum, each) => sum + each, 0),
      file.size,
    );
  };
  const send = (number: number, sha256: string, bytes: Blob): void => {
    const sending = sendPart(
      begun.id,
      { number, sha256, bytes },
      {
        signal: either,
        onSent: (count) => tell(number, count),
      },
    ).finally(() => underWay.delete(sending));
    sending.catch(() => failed.abort());
    underWay.add(sending);
    all.push(sending);
  };
  let whole = '';
  for await (const found of hashing(file, begun.part_size)) {
    if (signal.aborted || failed.signal.aborted) break;
    if ('whole' in found) {
      whole = found.whole;
      break;
    }
    const { number, sha256 } = found;
    parts.push({ number, sha256 });
    const bytes = file.slice((number - 1) * begun.part_size, number * begun.part_size);
    const kept = there.get(number);
    // A store that keeps no sums is compared with when all is joined.
    if (begun.state === 'completed' || kept === sha256 || kept === '') {
      tell(number, bytes.size);
      continue;
    }
    while (underWay.size >= AT_ONCE) await Promise.race(underWay).catch(() => undefined);
    send(number, sha256, bytes);
  }
  const outcomes = await Promise.allSettled(all);
  if (signal.aborted) throw new DOMException('The upload was cancelled.', 'AbortError');
  // What ended the others is the reason, and not that they were ended.
  const reasons = outcomes.filter((each) => each.status === 'rejected').map((each): unknown => each.reason);
  const reason = reasons.find((each) => !(each instanceof DOMException)) ?? reasons[0];
  if (reason !== undefined) throw asProblem(reason);
  return { parts, whole };
}

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { http, HttpResponse } from 'msw';
import { afterEach, expect, test } from 'vitest';

import * as fixtures from '@/test/fixtures';
import { server } from '@/test/server';

import type { Upload } from '../upload';

import { uploadDirect } from './direct';
import { hashed } from './hashing';

const SIZE = 10;
const TEXT = 'a'.repeat(SIZE) + 'b'.repeat(SIZE) + 'c'.repeat(SIZE) + 'd'.repeat(SIZE) + 'e';
const sum = (text: string) => bytesToHex(sha256(new TextEncoder().encode(text)));
const PARTS = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(SIZE)).concat('e');
const NAMED = PARTS.map((text, index) => ({ number: index + 1, sha256: sum(text) }));

const upload: Upload = {
  file: new File([TEXT], 'large.csv', { lastModified: 1 }),
  name: '',
  description: '',
  department: 'sales',
  onError: 'quarantine',
  options: { mapping: { Qty: 'quantity' } },
};

/** The platform and its store: what it was sent, and how many parts at once. */
function platform({ refusals = {} }: { refusals?: Record<number, number> } = {}) {
  const said = {
    begun: [] as unknown[],
    puts: [] as number[],
    most: 0,
    completed: [] as unknown[],
    aborted: 0,
    state: 'open',
    arrived: [] as object[],
  };
  let now = 0;
  const shown = () => ({
    id: 'u1',
    state: said.state,
    part_size: SIZE,
    parts: PARTS.length,
    arrived: said.arrived,
    expires_at: '2099-01-01T00:00:00Z',
  });
  server.use(
    http.post('*/api/v1/datasets/uploads', async ({ request }) => {
      said.begun.push([await request.json(), request.headers.get('Idempotency-Key')]);
      return HttpResponse.json(shown(), { status: 201 });
    }),
    http.get('*/api/v1/datasets/uploads/u1', () => HttpResponse.json(shown())),
    http.delete('*/api/v1/datasets/uploads/u1', () => {
      said.aborted += 1;
      return new HttpResponse(null, { status: 204 });
    }),
    http.post('*/api/v1/datasets/uploads/u1/parts', async ({ request }) => {
      const { parts } = (await request.json()) as { parts: typeof NAMED };
      const signed = parts.map(({ number, sha256: of }) => ({
        number,
        url: `http://store.example/part/${number}`,
        headers: { 'x-sum': of },
      }));
      return HttpResponse.json({ parts: signed });
    }),
    http.put('http://store.example/part/:number', async ({ request, params }) => {
      const number = Number(params.number);
      now += 1;
      said.most = Math.max(said.most, now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
      if ((refusals[number] ?? 0) > 0) {
        refusals[number] = (refusals[number] ?? 0) - 1;
        return new HttpResponse(null, { status: 503 });
      }
      // Of jsdom's blobs the interceptor reads no bytes: those are the browser's test.
      expect(request.headers.get('x-sum')).toBe(NAMED[number - 1]?.sha256);
      said.puts.push(number);
      said.arrived.push(NAMED[number - 1] ?? {});
      return new HttpResponse(null, { status: 200 });
    }),
    http.post('*/api/v1/datasets/uploads/u1/complete', async ({ request }) => {
      said.completed.push(await request.json());
      const submission = { dataset: fixtures.dataset(), job: fixtures.job(), duplicate_of: null };
      return HttpResponse.json(submission, { status: 202 });
    }),
  );
  return said;
}

const send = (signal = new AbortController().signal, onProgress: (sent: number) => void = () => undefined) =>
  uploadDirect(upload, { idempotencyKey: 'k', onProgress, signal }, hashed);

afterEach(() => localStorage.clear());

test('a file goes in parts, three at once, and again where the store stumbles', async () => {
  const said = platform({ refusals: { 2: 1 } });
  let sent = 0;
  const submission = await send(undefined, (bytes) => (sent = bytes));
  expect(submission.job.id).toBe(fixtures.job().id);
  expect(said.begun).toEqual([
    [
      expect.objectContaining({
        filename: 'large.csv',
        size_bytes: TEXT.length,
        mapping: { Qty: 'quantity' },
      }),
      'k',
    ],
  ]);
  expect(said.puts.toSorted()).toEqual([1, 2, 3, 4, 5]);
  expect(said.most).toBe(3);
  expect(said.completed).toEqual([{ sha256: sum(TEXT), parts: NAMED }]);
  expect(sent).toBe(TEXT.length);
  expect(localStorage).toHaveLength(0);
});

test('a page that was left goes on with what has not arrived', async () => {
  const said = platform();
  server.use(
    http.post(
      '*/api/v1/datasets/uploads/u1/complete',
      () => HttpResponse.json(fixtures.problem(503, 'storage-unavailable', 'Away.'), { status: 503 }),
      { once: true },
    ),
  );
  await expect(send()).rejects.toMatchObject({ code: 'storage-unavailable' });
  said.arrived = said.arrived.slice(0, 3);
  const kept = (said.arrived as typeof NAMED).map((part) => part.number);
  said.puts.length = 0;
  await send();
  expect(said.begun).toHaveLength(1);
  expect(said.puts.toSorted()).toEqual([1, 2, 3, 4, 5].filter((number) => !kept.includes(number)));
  expect(said.completed).toEqual([{ sha256: sum(TEXT), parts: NAMED }]);
});

test('one whose answer was lost is asked for again, and nothing is sent twice', async () => {
  const said = platform();
  server.use(http.post('*/api/v1/datasets/uploads/u1/complete', () => HttpResponse.error(), { once: true }));
  await expect(send()).rejects.toMatchObject({ code: 'network' });
  said.state = 'completed';
  said.arrived = [];
  said.puts.length = 0;
  await send();
  expect([said.begun.length, said.puts, said.completed.length]).toEqual([1, [], 1]);
});

test('what is cancelled is thrown away, and begun anew the next time', async () => {
  const said = platform();
  const cancel = new AbortController();
  const cancelled = send(cancel.signal, () => cancel.abort());
  await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
  await expect.poll(() => said.aborted).toBe(1);
  said.arrived = [];
  await send();
  expect(said.begun).toHaveLength(2);
});

test('what was refused for good is begun anew', async () => {
  const said = platform();
  server.use(
    http.post(
      '*/api/v1/datasets/uploads/u1/complete',
      () => HttpResponse.json(fixtures.problem(422, 'not-text', 'A PDF document.'), { status: 422 }),
      { once: true },
    ),
  );
  await expect(send()).rejects.toMatchObject({ code: 'not-text' });
  await send();
  expect(said.begun).toHaveLength(2);
});

import { expect, test } from 'vitest';

import { beginningOf } from './bytes';

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (...values: number[]) => new Uint8Array(values);
const utf16 = (text: string, mark: number[] = []) =>
  new Uint8Array([...mark, ...Array.from(utf8(text), (byte) => [byte, 0]).flat()]);

test.each([
  ['a workbook', bytes(0x50, 0x4b, 3, 4, 20), 'workbook or archive'],
  ['an old workbook', bytes(0xd0, 0xcf, 0x11, 0xe0), 'old workbook'],
  ['Parquet', utf8('PAR1xx'), 'Parquet'],
  ['gzip', bytes(0x1f, 0x8b, 8), 'gzip'],
  ['a PDF', utf8('%PDF-1.7'), 'binary'],
  ['an image', bytes(0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 0, 0, 1, 0), 'binary'],
  ['an array of objects', utf8(' [\n {"a": 1}]'), 'JSON'],
  ['JSON lines', utf8('{"a": 1}\n'), 'JSON'],
])('%s is told by its content', (_name, content, what) => {
  expect(beginningOf(content)).toEqual({ kind: 'other', what });
});

test.each([
  ['no bytes', bytes()],
  ['blank lines', utf8('\n \r\n;;;\n')],
])('%s are nothing', (_name, content) => {
  expect(beginningOf(content)).toEqual({ kind: 'empty' });
});

test.each([
  ['UTF-8', utf8('Größe,1'), undefined, 'utf-8', 'Größe,1'],
  ['UTF-8 with a mark', new Uint8Array([0xef, 0xbb, 0xbf, ...utf8('a,b')]), 'cp1252', 'utf-8', 'a,b'],
  ['UTF-16 without a mark', utf16('date,sku\n'), undefined, 'utf-16le', 'date,sku\n'],
  ['UTF-16 with a mark', utf16('date,sku\n', [0xff, 0xfe]), undefined, 'utf-16le', 'date,sku\n'],
  ['what is no UTF-8', bytes(0x47, 0x72, 0xf6, 0xdf, 0x65), undefined, 'cp1252', 'Größe'],
  ['what somebody said', bytes(0xb3, 0xf3, 0x64, 0xbc), 'cp1250', 'cp1250', 'łódĽ'],
  ['an encoding no browser knows', utf8('a,b'), 'utf-7', 'utf-8', 'a,b'],
])('%s is read as such', (_name, content, told, encoding, text) => {
  expect(beginningOf(content, told)).toMatchObject({ kind: 'text', encoding, text });
});

test('a character that is cut in two at the end is no fault', () => {
  const cut = utf8('name,Zoë').slice(0, -1);
  expect(beginningOf(cut)).toMatchObject({ encoding: 'utf-8', text: 'name,Zo' });
});

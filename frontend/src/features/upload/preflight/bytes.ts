/** What the beginning of a file is: which kind, and as which text it reads. */

/** So many bytes are looked at; the platform looks at all of them. */
export const LOOKED_AT = 65_536;

export type OtherKind = 'workbook or archive' | 'old workbook' | 'Parquet' | 'gzip' | 'JSON' | 'binary';

export type Beginning =
  | { kind: 'text'; text: string; encoding: string; told: boolean }
  | { kind: 'other'; what: OtherKind }
  | { kind: 'empty' };

const SIGNATURES: [OtherKind, number[]][] = [
  ['workbook or archive', [0x50, 0x4b, 0x03, 0x04]],
  ['old workbook', [0xd0, 0xcf, 0x11, 0xe0]],
  ['Parquet', [0x50, 0x41, 0x52, 0x31]],
  ['gzip', [0x1f, 0x8b]],
  ['binary', [0x25, 0x50, 0x44, 0x46]],
];

const MARKS: [string, number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

const beginsWith = (bytes: Uint8Array, start: readonly number[]): boolean =>
  start.every((byte, place) => bytes[place] === byte);

function decode(bytes: Uint8Array, encoding: string, fatal: boolean): string | null {
  try {
    // As a stream, so that a character cut in two at the end is left out and no fault.
    return new TextDecoder(encoding, { fatal }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

/** UTF-16 without a mark: in text of Latin letters every other byte is zero. */
function zeroHalf(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const pairs = Math.floor(Math.min(bytes.length, 4_096) / 2);
  if (pairs < 2) return null;
  let [even, odd] = [0, 0];
  for (let place = 0; place < pairs * 2; place += 2) {
    if (bytes[place] === 0) even += 1;
    if (bytes[place + 1] === 0) odd += 1;
  }
  if (odd > pairs * 0.7 && even < pairs * 0.1) return 'utf-16le';
  return even > pairs * 0.7 && odd < pairs * 0.1 ? 'utf-16be' : null;
}

const CONTROL_SHARE = 0.1;

function looksBinary(text: string): boolean {
  let controls = 0;
  for (const character of text) {
    const code = character.charCodeAt(0);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 12 && code !== 13) || code === 0xfffd)
      controls += 1;
  }
  return controls > text.length * CONTROL_SHARE;
}

/** `told` is the encoding somebody chose; a byte order mark wins over it, as it does on the platform. */
export function beginningOf(bytes: Uint8Array, told?: string): Beginning {
  if (bytes.length === 0) return { kind: 'empty' };
  const other = SIGNATURES.find(([, signature]) => beginsWith(bytes, signature));
  if (other) return { kind: 'other', what: other[0] };
  const marked = MARKS.find(([, mark]) => beginsWith(bytes, mark))?.[0];
  const chosen = marked ?? told;
  const given = chosen === undefined ? null : decode(bytes, chosen, false);
  if (chosen !== undefined && given !== null) return asText(given, chosen, marked === undefined);
  const halves = zeroHalf(bytes);
  if (halves) return asText(decode(bytes, halves, false) ?? '', halves, false);
  const utf8 = decode(bytes, 'utf-8', true);
  if (utf8 !== null) return asText(utf8, 'utf-8', false);
  return asText(decode(bytes, 'cp1252', false) ?? '', 'cp1252', false);
}

function asText(text: string, encoding: string, told: boolean): Beginning {
  const start = text.trimStart();
  if (start === '' || /^[,;|\s]*$/.test(start)) return { kind: 'empty' };
  if (looksBinary(text)) return { kind: 'other', what: 'binary' };
  if (/^[[{]\s*["{\]}]/.test(start)) return { kind: 'other', what: 'JSON' };
  return { kind: 'text', text, encoding, told };
}

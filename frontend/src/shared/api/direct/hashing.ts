import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** SHA-256 in hexadecimal: of each part in turn, and of the whole at the end. */
export type Found = { number: number; sha256: string } | { whole: string };

/** Not `crypto.subtle`: it takes the whole in one piece, and pages without TLS have none. */
export async function* hashed(file: Blob, partSize: number): AsyncGenerator<Found> {
  const whole = sha256.create();
  for (let number = 1, from = 0; from < file.size; number += 1, from += partSize) {
    const bytes = new Uint8Array(await file.slice(from, from + partSize).arrayBuffer());
    whole.update(bytes);
    yield { number, sha256: bytesToHex(sha256(bytes)) };
  }
  yield { whole: bytesToHex(whole.digest()) };
}

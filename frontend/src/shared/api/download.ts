import { authorised } from './request';
import { readFile } from './wire';

/** The name a Content-Disposition header gives, also in its RFC 5987 form. */
export function filenameFrom(header: string | null, otherwise: string): string {
  const extended = /filename\*\s*=\s*utf-8''([^;]+)/i.exec(header ?? '')?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      return otherwise;
    }
  }
  return /filename\s*=\s*"?([^";]+)"?/i.exec(header ?? '')?.[1] ?? otherwise;
}

/** Fetches a file with the session's token, which a plain link could not send, and hands it to the browser. */
export async function download(url: string, otherwise: string): Promise<void> {
  const response = await authorised(url, { headers: { Accept: '*/*' } });
  const name = filenameFrom(response.headers.get('Content-Disposition'), otherwise);
  save(await readFile(response), name);
}

export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // Not at once: some browsers read the address only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

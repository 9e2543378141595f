import { hashed } from './hashing';

/** Beside the page, which would stand still for a tenth of a second a part. */
self.onmessage = async ({ data }: MessageEvent<{ file: Blob; partSize: number }>) => {
  try {
    for await (const found of hashed(data.file, data.partSize)) self.postMessage(found);
  } catch {
    // It was moved, or changed since it was chosen.
    self.postMessage({ unreadable: true });
  }
};

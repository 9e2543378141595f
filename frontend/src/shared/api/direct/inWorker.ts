import { ApiProblem } from '../problem';

import type { Found } from './hashing';
import HashingWorker from './hashing.worker?worker&inline';

const unreadable = (): ApiProblem =>
  new ApiProblem({
    code: 'file-unreadable',
    message: 'The file can no longer be read.',
    hint: 'It was moved or changed since you chose it. Choose it again.',
  });

/** `hashed`, in a thread of its own. */
export async function* inWorker(file: Blob, partSize: number): AsyncGenerator<Found> {
  const worker = new HashingWorker();
  const waiting: (Found | ApiProblem)[] = [];
  let wake = (): void => undefined;
  const say = (found: Found | ApiProblem): void => {
    waiting.push(found);
    wake();
  };
  worker.onmessage = ({ data }: MessageEvent<Found | { unreadable: true }>) =>
    say('unreadable' in data ? unreadable() : data);
  worker.onerror = () => say(unreadable());
  try {
    worker.postMessage({ file, partSize });
    for (;;) {
      const found = waiting.shift();
      if (found === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (found instanceof ApiProblem) {
        throw found;
      } else {
        yield found;
        if ('whole' in found) return;
      }
    }
  } finally {
    worker.terminate();
  }
}

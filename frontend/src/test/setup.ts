import '@testing-library/jest-dom/vitest';

import { notifications } from '@mantine/notifications';
import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';

import { resetUpload } from '@/features/upload/uploader';
import { forget } from '@/shared/session/session';

import { standInForPopovers } from './popovers';
import { server } from './server';

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 6_000 });

// What jsdom lacks and the components ask for.
window.matchMedia = (query: string): MediaQueryList =>
  ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    dispatchEvent: () => false,
  }) as Partial<MediaQueryList> as MediaQueryList;
window.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
window.IntersectionObserver = class {
  constructor(private readonly tell: IntersectionObserverCallback) {}
  observe() {
    this.tell(
      [{ isIntersecting: true } as IntersectionObserverEntry],
      this as unknown as IntersectionObserver,
    );
  }
  disconnect() {}
} as unknown as typeof IntersectionObserver;
window.HTMLElement.prototype.scrollIntoView = () => undefined;
window.scrollTo = () => undefined;
Object.defineProperty(document, 'fonts', { value: new EventTarget() });

standInForPopovers();

// A canvas cannot be drawn in jsdom; the chart's numbers are tested where they are made.
vi.mock('@/shared/charts/EChart', () => ({
  default: ({ label }: { label: string }) => label,
}));

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => {
  cleanup();
  notifications.clean();
  server.resetHandlers();
  resetUpload();
  forget();
  sessionStorage.clear();
});
afterAll(() => server.close());

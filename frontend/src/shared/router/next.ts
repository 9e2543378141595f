/** Where to go after a log-in: an address of this page, never one that a crafted link put there. */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || !next.startsWith('/')) return '/';
  try {
    const address = new URL(next, 'http://page.invalid');
    const inside = address.host === 'page.invalid' && !/^\/(login|register)\b/.test(address.pathname);
    return inside ? `${address.pathname}${address.search}${address.hash}` : '/';
  } catch {
    return '/';
  }
}

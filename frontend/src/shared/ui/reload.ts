/** A new document: what a release has replaced comes new, and nothing of the page before stays in memory. */
export const loadAnew = (address?: string): void => {
  if (address === undefined) window.location.reload();
  else window.location.assign(address);
};

/** As above, once the platform answers: without it the browser would put its own error page in place of this one. */
export async function loadAnewIfReachable(): Promise<boolean> {
  try {
    const answer = await fetch('/api/v1/health', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return false;
  } catch {
    return false;
  }
  loadAnew();
  return true;
}

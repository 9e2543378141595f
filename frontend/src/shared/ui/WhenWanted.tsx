import { Suspense, useState, type ReactNode } from 'react';

interface WhenWantedProps {
  wanted: boolean;
  children: ReactNode;
}

/** A lazy part whose code comes when it is first wanted. From then on it stays, so that it can close as it opened. */
export function WhenWanted({ wanted, children }: WhenWantedProps) {
  const [asked, setAsked] = useState(wanted);
  if (wanted && !asked) setAsked(true);
  return asked ? <Suspense fallback={null}>{children}</Suspense> : null;
}

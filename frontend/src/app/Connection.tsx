import { VisuallyHidden } from '@mantine/core';
import { useRouterState } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';

import { Notice } from '@/shared/ui/Notice';

import classes from './Connection.module.css';

function subscribe(listener: () => void): () => void {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

/** Without a network the page stays as it is; whoever goes on typing should know before they press a button. */
export function Connection() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  if (online) return null;
  return (
    <div className={classes.offline}>
      <Notice tone="warning" title="This device is offline">
        What you see is as it was, and what you type stays. It goes on by itself when you are connected again.
      </Notice>
    </div>
  );
}

/** Quicker ways need no word. */
const UNNOTICED = 400;

/** A page whose code takes its time: the old one stays meanwhile, and a line says that the click has been heard. */
export function OnTheWay() {
  const pending = useRouterState({ select: ({ status }) => status === 'pending' });
  return pending ? <Line /> : null;
}

function Line() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), UNNOTICED);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <div className={classes.line}>
      <VisuallyHidden role="status">The page is on its way</VisuallyHidden>
    </div>
  );
}

import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import { Logo, LOOP } from '@/shared/ui/Logo';
import { useArrival } from '@/shared/ui/useArrival';

import classes from './AuthFrame.module.css';

interface AuthFrameProps {
  title: string;
  lead: string;
  children: ReactNode;
}

/** The pages in front of the door. */
export function AuthFrame({ title, lead, children }: AuthFrameProps) {
  const heading = useArrival(title);
  return (
    <div className={classes.frame}>
      <aside className={classes.side} aria-label="About AetherFlow">
        <svg
          className={classes.mark}
          width="560"
          height="560"
          viewBox="0 0 64 64"
          fill="none"
          aria-hidden="true"
        >
          <path d={LOOP} stroke="#fff" strokeWidth="5" strokeLinecap="round" strokeLinejoin="round" />
        </svg>
        <Title order={2}>Your files in, clear answers out.</Title>
        <p>
          Upload what your department has. It is checked line by line, cleaned and kept, and what it means for
          next week is on your dashboard minutes later.
        </p>
      </aside>
      <main className={classes.main}>
        <div className={classes.card}>
          <Logo />
          <Title order={1} mt={36} ref={heading} tabIndex={-1}>
            {title}
          </Title>
          <Text c="dimmed" mt={4} mb="xl">
            {lead}
          </Text>
          {children}
        </div>
      </main>
    </div>
  );
}

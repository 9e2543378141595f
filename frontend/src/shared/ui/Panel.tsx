import { Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

import classes from './Panel.module.css';

interface PanelProps {
  /** Where a link of this page may lead. */
  id?: string;
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a page with its own heading: a landmark that a screen reader can jump to. */
export function Panel({ id, title, lead, actions, children }: PanelProps) {
  const heading = useId();
  return (
    <section id={id} className={classes.panel} aria-labelledby={heading}>
      <div className={classes.head}>
        <div className={classes.words}>
          <Title order={2} id={heading}>
            {title}
          </Title>
          {lead !== undefined && <p className={classes.lead}>{lead}</p>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </div>
      {children}
    </section>
  );
}

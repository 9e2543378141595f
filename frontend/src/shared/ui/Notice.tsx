import type { ReactNode } from 'react';

import { Icon, type IconName } from './icons';
import classes from './Notice.module.css';

export type Tone = 'info' | 'good' | 'warning' | 'bad';

const ICONS: Record<Tone, IconName> = { info: 'info', good: 'check', warning: 'alert', bad: 'alert' };

interface NoticeProps {
  tone: Tone;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

/** A message in the page. Bad news is read out at once, the rest when the reader comes to a pause. */
export function Notice({ tone, title, children, actions }: NoticeProps) {
  return (
    <div className={`${classes.notice} ${classes[tone]}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={ICONS[tone]} className={classes.icon} />
      <div className={classes.body}>
        {title !== undefined && <div className={classes.title}>{title}</div>}
        {children}
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </div>
    </div>
  );
}

import type { ReactNode } from 'react';

import { Icon, type IconName } from '@/shared/ui/icons';

import classes from './NumberCards.module.css';

export interface NumberCard {
  label: string;
  value: string;
  note?: string;
  tone?: 'good' | 'warning' | 'bad';
  icon?: IconName;
  /** What the number means, such as a `FigureHelp`. */
  help?: ReactNode;
}

/** The few numbers that answer "how are we" before anything is read. */
export function NumberCards({ cards }: { cards: NumberCard[] }) {
  return (
    <dl className={classes.grid}>
      {cards.map((card) => (
        <div key={card.label} className={`${classes.card} ${card.tone ? classes[card.tone] : ''}`}>
          <dt className={classes.label}>
            {card.icon && <Icon name={card.icon} size={15} />}
            {card.label}
            {card.help}
          </dt>
          <dd className={classes.value}>{card.value}</dd>
          {card.note !== undefined && <dd className={classes.note}>{card.note}</dd>}
        </div>
      ))}
    </dl>
  );
}

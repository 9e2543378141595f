import { Title } from '@mantine/core';

import { format } from '@/shared/format/format';
import { FigureHelp } from '@/shared/insights/FigureHelp';
import type { Elasticities, Elasticity } from '@/shared/insights/types';

import classes from './RevenueForecastView.module.css';

/** How units answer to the price, in words, with how sure that is; or why it cannot be said. */
export function PriceAnswer({ kind, elasticity }: { kind: string; elasticity: Elasticities }) {
  return (
    <section aria-label="How sales answer to the price">
      <div className={classes.head}>
        <Title order={3} className={classes.title}>
          How sales answer to the price{' '}
          <FigureHelp kind={kind} figure="elasticity" label="How sales answer to the price" />
        </Title>
      </div>
      <dl className={classes.answers}>
        <Answer name="The price" given={elasticity.price} />
        <Answer name="A discount" given={elasticity.discount} />
      </dl>
    </section>
  );
}

function Answer({ name, given }: { name: string; given: Elasticity }) {
  const known = given.value !== null;
  // An interval on both sides of zero: sales may as well not answer at all.
  const unsure = known && given.lower !== null && given.upper !== null && given.lower < 0 && given.upper > 0;
  return (
    <div>
      <dt>{name}</dt>
      <dd className={known ? classes.answer : undefined}>{given.note}</dd>
      {known && (
        <dd className={classes.small}>
          {unsure && 'It may as well have no effect. '}
          Elasticity {format.number(given.value)} (95 %: {format.number(given.lower)} to{' '}
          {format.number(given.upper)}), from {format.integer(given.products)} products over{' '}
          {format.integer(given.observations)} product weeks.
        </dd>
      )}
    </div>
  );
}

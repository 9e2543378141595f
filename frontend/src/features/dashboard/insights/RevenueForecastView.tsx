import { Grid, NativeSelect, SegmentedControl, Title } from '@mantine/core';

import { format } from '@/shared/format/format';
import { FigureHelp } from '@/shared/insights/FigureHelp';
import type { CategoryForecast, ForecastError, RevenueForecast, TopCategory } from '@/shared/insights/types';
import { NumberCards, type NumberCard } from '@/shared/shapes/NumberCards';
import { Ranking } from '@/shared/shapes/Ranking';
import { stretch } from '@/shared/shapes/series';
import { SeriesBand } from '@/shared/shapes/SeriesBand';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Notice } from '@/shared/ui/Notice';

import { listIn, type InsightViewProps } from '../view';
import { isQuality, linesOf, qualityInWords, seriesOf, type Line } from './forecast';
import { Moved } from './Moved';
import { PriceAnswer } from './PriceAnswer';
import classes from './RevenueForecastView.module.css';

const WHOLE = 'All categories';
/** Weeks of the past beside the forecast: with two years of it the next weeks are too narrow to read. */
const PASTS = [
  { value: '13', label: '13 weeks' },
  { value: '26', label: '26 weeks' },
  { value: '52', label: '1 year' },
  { value: '104', label: '2 years' },
];

export function RevenueForecastView({ insight, department, state, onState }: InsightViewProps) {
  const categories = listIn<CategoryForecast>(insight.data, 'categories');
  const top = listIn<TopCategory>(insight.data, 'top_categories');
  const data = insight.data as Partial<RevenueForecast>;
  const { currency } = data;
  const money = (value: number) => (currency ? format.money(value, currency, 0) : format.integer(value));

  const lines = linesOf(data, categories);
  const line = lines.find(({ category }) => category === (state.category ?? null)) ?? lines[0];
  if (!line || categories.length === 0) {
    return (
      <EmptyState icon="chart" title="Not enough history yet">
        Upload sales of more weeks, and the forecast appears here.
      </EmptyState>
    );
  }
  const name = line.category ?? WHOLE;
  const steps = line.forecast.length;
  const ahead = Math.min(Math.max(1, Number(state.weeks) || steps), Math.max(1, steps));
  const past = PASTS.some(({ value }) => value === state.past) ? String(state.past) : '26';
  const as = state.as === 'table' ? 'table' : 'chart';
  const folds = isQuality(insight.quality) ? insight.quality.folds : 0;
  const error = line.quality ?? (isQuality(insight.quality) ? insight.quality : null);
  return (
    <>
      {/* Those of the whole department stand at the head of the page. */}
      {line.category !== null && (
        <NumberCards cards={cardsOf({ kind: insight.kind, line, ahead, error, money })} />
      )}
      <div className={classes.tools}>
        <NativeSelect
          label="Category"
          data={lines.map(({ category, forecast }) => ({
            value: category ?? '',
            label: `${category ?? WHOLE}${forecast.length > 0 ? '' : ' (no forecast)'}`,
          }))}
          value={line.category ?? ''}
          onChange={(event) => onState({ category: event.currentTarget.value || undefined })}
          style={{ flex: '1 1 200px', maxWidth: 300 }}
        />
        {steps > 1 && (
          <Choice
            legend="Weeks ahead"
            value={String(ahead)}
            data={Array.from({ length: steps }, (_, place) => String(place + 1))}
            onChange={(weeks) => onState({ weeks: weeks === String(steps) ? undefined : weeks })}
          />
        )}
        <NativeSelect
          label="Past"
          data={PASTS}
          value={past}
          onChange={({ currentTarget: { value } }) => onState({ past: value === '26' ? undefined : value })}
          style={{ width: 124 }}
        />
        <div className={classes.end}>
          <SegmentedControl
            aria-label="Show the series as"
            value={as}
            onChange={(value) => onState({ as: value === 'table' ? 'table' : undefined })}
            data={[
              { value: 'chart', label: 'Chart' },
              { value: 'table', label: 'Table' },
            ]}
          />
        </div>
      </div>
      <Grid gap="xl">
        <Grid.Col span={{ base: 12, lg: top.length > 0 ? 8 : 12 }}>
          {steps === 0 && as === 'chart' ? (
            <EmptyState icon="clock" title={`No forecast of ${name}`}>
              {line.note ?? 'No category has enough history for one.'}
            </EmptyState>
          ) : (
            <>
              {line.note !== undefined && (
                <div style={{ marginBottom: 12 }}>
                  <Notice tone="info">{line.note}</Notice>
                </div>
              )}
              <SeriesBand
                series={stretch(seriesOf(line), Number(past), ahead)}
                measure="Revenue"
                caption={`Weekly revenue of ${name}`}
                as={as}
                write={money}
                picture={{
                  name: [department, insight.kind, line.category, insight.computed_at.slice(0, 10)]
                    .filter(Boolean)
                    .join('-')
                    .replace(/[^\w.-]+/g, '_'),
                  source: `Computed ${format.dateTime(insight.computed_at)}.`,
                }}
              />
              {steps > 0 && <p className={classes.quality}>{qualityInWords(error, folds, format)}</p>}
            </>
          )}
        </Grid.Col>
        {top.length > 0 && (
          <Grid.Col span={{ base: 12, lg: 4 }}>
            <Title order={3} mb="md" className={classes.title}>
              Largest next week{' '}
              <FigureHelp kind={insight.kind} figure="top_categories.share" label="Largest next week" />
            </Title>
            <Ranking
              items={top.map((item) => ({
                name: item.category,
                value: money(item.next_week_revenue),
                share: item.share,
                shareText: format.percent(item.share),
              }))}
              onChoose={(category) => onState({ category })}
            />
          </Grid.Col>
        )}
      </Grid>
      {(line.drivers ?? line.elasticity) && (
        <Grid gap="xl" className={classes.more}>
          {line.drivers && (
            <Grid.Col span={{ base: 12, lg: 7 }}>
              <Moved
                kind={insight.kind}
                of={name}
                drivers={line.drivers}
                against={state.against}
                onAgainst={(against) => onState({ against })}
                money={money}
              />
            </Grid.Col>
          )}
          {line.elasticity && (
            <Grid.Col span={{ base: 12, lg: 5 }}>
              <PriceAnswer kind={insight.kind} elasticity={line.elasticity} />
            </Grid.Col>
          )}
        </Grid>
      )}
    </>
  );
}

interface ChoiceProps {
  legend: string;
  value: string;
  data: string[];
  onChange: (value: string) => void;
}

function Choice({ legend, value, data, onChange }: ChoiceProps) {
  return (
    <fieldset className={classes.choice}>
      <legend>{legend}</legend>
      <SegmentedControl aria-label={legend} value={value} data={data} onChange={onChange} />
    </fieldset>
  );
}

interface CardsGiven {
  kind: string;
  line: Line;
  ahead: number;
  error: ForecastError | null;
  money: (value: number) => string;
}

function cardsOf({ kind, line, ahead, error, money }: CardsGiven): NumberCard[] {
  const [next] = line.forecast;
  const latest = line.history.at(-1);
  const cards: NumberCard[] = [];
  if (next) {
    cards.push({
      label: 'Next week',
      value: money(next.revenue),
      note: `Week from ${format.date(next.week_start)}; 8 in 10: ${money(next.lower80)} – ${money(next.upper80)}`,
      icon: 'chart',
      help: <FigureHelp kind={kind} figure="lower80" label="Next week" />,
    });
  }
  if (next && ahead > 1) {
    const weeks = line.forecast.slice(0, ahead);
    cards.push({
      label: `Next ${format.integer(ahead)} weeks`,
      value: money(weeks.reduce((sum, { revenue }) => sum + revenue, 0)),
      note: `To the week from ${format.date(weeks.at(-1)?.week_start)}`,
      icon: 'chart',
      help: <FigureHelp kind={kind} figure="forecast" label={`Next ${format.integer(ahead)} weeks`} />,
    });
  }
  if (latest) {
    const change = next && latest.revenue > 0 ? next.revenue / latest.revenue - 1 : null;
    cards.push({
      label: 'Newest whole week',
      value: money(latest.revenue),
      note:
        change === null
          ? `Week from ${format.date(latest.week_start)}`
          : `Next week is ${format.percent(Math.abs(change), 1)} ${change < 0 ? 'lower' : 'higher'}`,
      icon: change !== null && change < 0 ? 'down' : 'up',
      help: <FigureHelp kind={kind} figure="history" label="Newest whole week" />,
    });
  }
  if (next && error && error.model !== null) {
    const better = error.baseline === null || error.model < error.baseline;
    cards.push({
      label: 'Usual error',
      value: format.percent(error.model),
      note: error.baseline === null ? undefined : `Naive forecast: ${format.percent(error.baseline)}`,
      tone: better ? 'good' : 'warning',
      icon: better ? 'check' : 'alert',
      help: <FigureHelp kind={kind} figure="quality" label="Usual error" />,
    });
  }
  return cards;
}

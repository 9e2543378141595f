import { Grid, SegmentedControl, Select, Title } from '@mantine/core';

import { format } from '@/shared/format/format';
import type { CategoryForecast, TopCategory } from '@/shared/insights/types';
import { NumberCards, type NumberCard } from '@/shared/shapes/NumberCards';
import { Ranking } from '@/shared/shapes/Ranking';
import { SeriesBand } from '@/shared/shapes/SeriesBand';
import { EmptyState } from '@/shared/ui/EmptyState';
import { Notice } from '@/shared/ui/Notice';

import { listIn, type InsightViewProps } from '../view';
import { isQuality, nextWeek, qualityInWords, seriesOf } from './forecast';
import classes from './RevenueForecastView.module.css';

export function RevenueForecastView({ insight, state, onState }: InsightViewProps) {
  const categories = listIn<CategoryForecast>(insight.data, 'categories');
  const top = listIn<TopCategory>(insight.data, 'top_categories');
  const currency = typeof insight.data.currency === 'string' ? insight.data.currency : undefined;
  const money = (value: number) => (currency ? format.money(value, currency, 0) : format.integer(value));

  const chosen = categories.find(({ category }) => category === state.category) ?? categories[0];
  if (!chosen) {
    return (
      <EmptyState icon="chart" title="Not enough history yet">
        Upload sales of more weeks, and the forecast appears here.
      </EmptyState>
    );
  }
  const as = state.as === 'table' ? 'table' : 'chart';
  return (
    <>
      <NumberCards cards={cardsOf(categories, top, insight.quality, money)} />
      <div className={classes.tools}>
        <Select
          label="Category"
          data={categories.map(({ category }) => category)}
          value={chosen.category}
          onChange={(category) => onState({ category: category ?? undefined })}
          searchable={categories.length > 8}
          style={{ flex: '1 1 200px', maxWidth: 300 }}
        />
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
      <Grid gap="xl">
        <Grid.Col span={{ base: 12, lg: top.length > 0 ? 8 : 12 }}>
          {chosen.note !== undefined && (
            <div style={{ marginBottom: 12 }}>
              <Notice tone="info">{chosen.note}</Notice>
            </div>
          )}
          <SeriesBand
            series={seriesOf(chosen)}
            measure="Revenue"
            caption={`Weekly revenue of ${chosen.category}`}
            as={as}
            write={money}
          />
        </Grid.Col>
        {top.length > 0 && (
          <Grid.Col span={{ base: 12, lg: 4 }}>
            <Title order={3} mb="md">
              Largest next week
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
            <p className={classes.quality}>{qualityInWords(insight.quality, format)}</p>
          </Grid.Col>
        )}
      </Grid>
    </>
  );
}

function cardsOf(
  categories: CategoryForecast[],
  top: TopCategory[],
  quality: unknown,
  money: (value: number) => string,
): NumberCard[] {
  const { weekStart, expected, latest } = nextWeek(categories);
  if (expected === null) return [];
  const change = latest ? expected / latest - 1 : null;
  const cards: NumberCard[] = [
    {
      label: 'Expected next week',
      value: money(expected),
      note: `Week from ${format.date(weekStart)}`,
      icon: 'chart',
    },
  ];
  if (latest !== null && change !== null) {
    cards.push({
      label: 'Newest whole week',
      value: money(latest),
      note: `Next week is ${format.percent(Math.abs(change), 1)} ${change < 0 ? 'lower' : 'higher'}`,
      icon: change < 0 ? 'down' : 'up',
    });
  }
  const [first] = top;
  if (first) {
    cards.push({
      label: 'Largest category',
      value: first.category,
      note: `${format.percent(first.share)} of next week`,
      icon: 'box',
    });
  }
  if (isQuality(quality) && quality.model !== null) {
    const better = quality.baseline === null || quality.model < quality.baseline;
    cards.push({
      label: 'Usual error',
      value: format.percent(quality.model),
      note: quality.baseline === null ? undefined : `Simplest forecast: ${format.percent(quality.baseline)}`,
      tone: better ? 'good' : 'warning',
      icon: better ? 'check' : 'alert',
    });
  }
  return cards;
}

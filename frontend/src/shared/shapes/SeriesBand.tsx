import { Skeleton } from '@mantine/core';
import type { EChartsCoreOption } from 'echarts/core';
import { lazy, Suspense, useMemo } from 'react';

import { usePalette, type Palette } from '@/shared/charts/palette';
import { format } from '@/shared/format/format';

import { DataTable, type Column } from './DataTable';
import { chartColumns, type BandedPoint, type BandedSeries, type SeriesPoint } from './series';
import classes from './SeriesBand.module.css';

const EChart = lazy(() => import('@/shared/charts/EChart'));
const HEIGHT = 320;

interface SeriesBandProps {
  series: BandedSeries;
  /** What the line measures: for the screen reader and the table. */
  measure: string;
  caption: string;
  as: 'chart' | 'table';
  write: (value: number) => string;
}

/** The past as a solid line, the expected future dashed with its 80 % and 95 % bands; or the same as a table. */
export function SeriesBand({ series, measure, caption, as, write }: SeriesBandProps) {
  const palette = usePalette();
  const option = useMemo(() => optionOf(series, palette, write), [series, palette, write]);
  if (as === 'table')
    return <SeriesTable series={series} measure={measure} caption={caption} write={write} />;
  return (
    <>
      <ul className={classes.legend}>
        <li>
          <span className={classes.line} style={{ color: palette.past }} /> Sold
        </li>
        {series.future.length > 0 && (
          <>
            <li>
              <span className={`${classes.line} ${classes.dashed}`} style={{ color: palette.future }} />{' '}
              Expected
            </li>
            <li>
              <span className={classes.swatch} style={{ background: palette.band80 }} /> 8 in 10 weeks
            </li>
            <li>
              <span className={classes.swatch} style={{ background: palette.band95 }} /> 19 in 20 weeks
            </li>
          </>
        )}
      </ul>
      <Suspense fallback={<Skeleton height={HEIGHT} />}>
        <EChart
          option={option}
          height={HEIGHT}
          label={`${caption}. Switch to the table to read the numbers.`}
        />
      </Suspense>
    </>
  );
}

type TableRow = SeriesPoint & Partial<BandedPoint>;

function SeriesTable({ series, measure, caption, write }: Omit<SeriesBandProps, 'as'>) {
  const rows: TableRow[] = [...series.future, ...series.past.toReversed()];
  const range = (low: number | undefined, high: number | undefined) =>
    low === undefined || high === undefined ? '' : `${write(low)} – ${write(high)}`;
  const columns: Column<TableRow>[] = [
    { key: 'at', header: 'Week from', names: true, render: (row) => format.date(row.at) },
    { key: 'kind', header: 'Kind', render: (row) => (row.lower80 === undefined ? 'Sold' : 'Expected') },
    { key: 'value', header: measure, align: 'right', render: (row) => write(row.value) },
    { key: 'b80', header: '80 % range', align: 'right', render: (row) => range(row.lower80, row.upper80) },
    { key: 'b95', header: '95 % range', align: 'right', render: (row) => range(row.lower95, row.upper95) },
  ];
  return (
    <div style={{ maxHeight: HEIGHT + 60, overflowY: 'auto' }}>
      <DataTable caption={caption} columns={columns} rows={rows} rowKey={(row) => row.at} />
    </div>
  );
}

interface TooltipParam {
  dataIndex: number;
}

function optionOf(
  series: BandedSeries,
  palette: Palette,
  write: (value: number) => string,
): EChartsCoreOption {
  const columns = chartColumns(series);
  const pastCount = series.past.length;
  const band = (name: string, floor: (number | null)[], height: (number | null)[], color: string) => [
    { ...HIDDEN, name: `${name} floor`, stack: name, data: floor },
    { ...HIDDEN, name, stack: name, data: height, areaStyle: { color, opacity: 1 } },
  ];
  const tooltip = (params: TooltipParam[]): HTMLElement => {
    const place = params[0]?.dataIndex ?? 0;
    const ahead = series.future[place - pastCount];
    const past = series.past[place];
    const lines = ahead
      ? [
          `Expected ${write(ahead.value)}`,
          `80 %: ${write(ahead.lower80)} – ${write(ahead.upper80)}`,
          `95 %: ${write(ahead.lower95)} – ${write(ahead.upper95)}`,
        ]
      : [past ? write(past.value) : ''];
    // An element, not HTML text: nothing that came out of a file is ever parsed as markup.
    const box = document.createElement('div');
    for (const text of [`Week from ${format.date(columns.at[place])}`, ...lines]) {
      box.append(Object.assign(document.createElement('div'), { textContent: text }));
    }
    return box;
  };
  return {
    animationDuration: 400,
    textStyle: { fontFamily: "'Inter Variable', system-ui, sans-serif", color: palette.ink },
    grid: { left: 8, right: 18, top: 16, bottom: 4, containLabel: true },
    tooltip: {
      trigger: 'axis',
      formatter: tooltip,
      backgroundColor: palette.surface,
      borderColor: palette.grid,
      textStyle: { color: palette.ink, fontSize: 13 },
      axisPointer: { lineStyle: { color: palette.muted, type: 'dotted' } },
    },
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: columns.at,
      axisLine: { lineStyle: { color: palette.grid } },
      axisTick: { show: false },
      axisLabel: { color: palette.muted, hideOverlap: true, formatter: (at: string) => shortDay(at) },
    },
    yAxis: {
      type: 'value',
      scale: false,
      splitNumber: 4,
      axisLabel: { color: palette.muted, formatter: (value: number) => format.compact(value) },
      splitLine: { lineStyle: { color: palette.grid } },
    },
    series: [
      ...band('95', columns.floor95, columns.height95, palette.band95),
      ...band('80', columns.floor80, columns.height80, palette.band80),
      {
        name: 'past',
        type: 'line',
        data: columns.past,
        showSymbol: false,
        lineStyle: { width: 2.4, color: palette.past },
        itemStyle: { color: palette.past },
        emphasis: { disabled: true },
      },
      {
        name: 'future',
        type: 'line',
        data: columns.future,
        symbol: 'circle',
        symbolSize: 6,
        showAllSymbol: true,
        lineStyle: { width: 2.4, type: [6, 5], color: palette.future },
        itemStyle: { color: palette.future },
        emphasis: { disabled: true },
      },
    ],
  };
}

const HIDDEN = {
  type: 'line',
  stackStrategy: 'all',
  lineStyle: { opacity: 0 },
  symbol: 'none',
  silent: true,
  emphasis: { disabled: true },
} as const;

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const shortDay = (iso: string): string => DAY.format(new Date(`${iso}T00:00:00Z`));

import type { EChartsCoreOption } from 'echarts/core';

import type { Palette } from '@/shared/charts/palette';
import { format } from '@/shared/format/format';

import { chartColumns, type BandedSeries } from './series';

interface TooltipParam {
  dataIndex: number;
}

/** What ECharts draws of it. */
export function seriesOption(
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
      axisLabel: {
        color: palette.muted,
        hideOverlap: true,
        formatter: columns.at.length > YEAR ? shortMonth : shortDay,
      },
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

/** Weeks from which on a day without its year could be one of two. */
const YEAR = 52;

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const MONTH = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric', timeZone: 'UTC' });
const shortDay = (iso: string): string => DAY.format(new Date(`${iso}T00:00:00Z`));
const shortMonth = (iso: string): string => MONTH.format(new Date(`${iso}T00:00:00Z`));

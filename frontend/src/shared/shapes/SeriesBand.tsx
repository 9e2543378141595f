import { Skeleton } from '@mantine/core';
import { Suspense, useMemo } from 'react';

import { PictureButton } from '@/shared/charts/PictureButton';
import { LIGHT, usePalette } from '@/shared/charts/palette';
import { format } from '@/shared/format/format';
import { lazyPart } from '@/shared/ui/lazyPart';
import { WhenNear } from '@/shared/ui/WhenNear';

import { DataTable, type Column } from './DataTable';
import type { BandedPoint, BandedSeries, SeriesPoint } from './series';
import { seriesOption } from './seriesOption';
import classes from './SeriesBand.module.css';

const EChart = lazyPart(() => import('@/shared/charts/EChart'), 'default');
const HEIGHT = 320;

interface SeriesBandProps {
  series: BandedSeries;
  /** What the line measures: for the screen reader and the table. */
  measure: string;
  caption: string;
  as: 'chart' | 'table';
  write: (value: number) => string;
  /** Of the chart as a picture: its file's name, without the ending, and where its numbers come from. */
  picture?: { name: string; source: string };
}

/** The past as a solid line, the expected future dashed with its 80 % and 95 % bands; or the same as a table. */
export function SeriesBand({ series, measure, caption, as, write, picture }: SeriesBandProps) {
  const palette = usePalette();
  const option = useMemo(() => seriesOption(series, palette, write), [series, palette, write]);
  const table = <SeriesTable series={series} measure={measure} caption={caption} write={write} />;
  if (as === 'table') return <div className={classes.table}>{table}</div>;
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
      <WhenNear height={HEIGHT} printed={() => table}>
        <Suspense fallback={<Skeleton height={HEIGHT} />}>
          <EChart
            option={option}
            height={HEIGHT}
            label={`${caption}. Switch to the table to read the numbers.`}
          />
        </Suspense>
      </WhenNear>
      {picture && (
        <PictureButton
          name={picture.name}
          title={caption}
          notes={[
            series.future.length > 0
              ? 'Solid: sold. Dashed: expected, inside the darker band in 8 of 10 weeks and inside the lighter one in 19 of 20.'
              : 'Sold.',
            picture.source,
          ]}
          option={() => seriesOption(series, LIGHT, write)}
        />
      )}
    </>
  );
}

type TableRow = SeriesPoint & Partial<BandedPoint>;

function SeriesTable({ series, measure, caption, write }: Omit<SeriesBandProps, 'as' | 'picture'>) {
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
  return <DataTable caption={caption} columns={columns} rows={rows} rowKey={(row) => row.at} />;
}

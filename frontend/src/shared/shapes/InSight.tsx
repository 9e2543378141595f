import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect } from 'react';

import { USUAL_HEIGHT, type RowsInSight } from './ManyRows';

interface InSightProps<Row> {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  frame: HTMLDivElement;
  /** A row that is to stay. */
  held: number | null;
  onChange: (inSight: RowsInSight) => void;
}

function Watched<Row>({ rows, rowKey, frame, held, onChange }: InSightProps<Row>) {
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoises this component
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame,
    // It comes to a table that has its size and may be scrolled already; rows in use must not be gone for a moment.
    initialOffset: () => frame.scrollTop,
    initialRect: { width: frame.clientWidth, height: frame.clientHeight },
    getItemKey: (place) => {
      const row = rows[place];
      return row === undefined ? place : rowKey(row);
    },
    estimateSize: () => USUAL_HEIGHT,
    overscan: 10,
    rangeExtractor: (range) => {
      const places = defaultRangeExtractor(range);
      return held === null || held >= range.count || places.includes(held)
        ? places
        : [...places, held].toSorted((a, b) => a - b);
    },
  });
  const inSight = virtual.getVirtualItems();
  const height = virtual.getTotalSize();
  useLayoutEffect(() => {
    onChange({ rows: inSight, height, measure: virtual.measureElement });
  }, [inSight, height, virtual, onChange]);
  return null;
}

/**
 * Tells which rows of a long table are in sight, as it is scrolled; draws nothing. Rows that are in the page already stay
 * what they are when it begins to: what has been typed into one of them must not be lost.
 */
export const InSight = memo(Watched) as typeof Watched;

import {
  defaultRangeExtractor,
  elementScroll,
  useVirtualizer,
  type VirtualItem,
  type Virtualizer,
} from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useState } from 'react';

import { USUAL_HEIGHT, type RowsInSight } from './ManyRows';

export interface InSightProps<Row> {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  frame: HTMLDivElement;
  /** A row that is to stay. */
  held: number | null;
  onChange: (inSight: RowsInSight) => void;
}

/** The rows that are in the page already, as tall as they are. */
function measured<Row>({
  rows,
  rowKey,
  frame,
}: Pick<InSightProps<Row>, 'rows' | 'rowKey' | 'frame'>): VirtualItem[] {
  let start = 0;
  return [...frame.querySelectorAll<HTMLElement>('tr[data-index]')].flatMap((drawn, index) => {
    const row = rows[index];
    if (row === undefined) return [];
    const item = {
      index,
      key: rowKey(row),
      start,
      size: drawn.offsetHeight,
      end: start + drawn.offsetHeight,
      lane: 0,
    };
    start = item.end;
    return [item];
  });
}

/**
 * Whether the reader is moved along with what turns out to be taller above them. Not on their way down: to be put anywhere
 * ends a movement that the browser makes by itself, and the End key would lead to the middle of the table.
 */
function mayMoveTheReader(
  item: VirtualItem,
  _delta: number,
  { isScrolling, scrollDirection, scrollOffset }: Virtualizer<HTMLDivElement, Element>,
): boolean {
  if (isScrolling && scrollDirection === 'forward') return false;
  return (isScrolling ? item.start : item.end) < (scrollOffset ?? 0);
}

function Watched<Row>({ rows, rowKey, frame, held, onChange }: InSightProps<Row>) {
  const [initialMeasurementsCache] = useState(() => measured({ rows, rowKey, frame }));
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoises this component
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame,
    // It comes to a table that has its size and may be scrolled already; rows in use must not be gone for a moment.
    initialOffset: () => frame.scrollTop,
    initialRect: { width: frame.clientWidth, height: frame.clientHeight },
    initialMeasurementsCache,
    // The reader scrolls; all that is put right are heights above them that turn out to be others.
    scrollToFn: (offset, options, instance) => {
      if (options.adjustments) elementScroll(offset, options, instance);
    },
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
  virtual.shouldAdjustScrollPositionOnItemSizeChange = mayMoveTheReader;
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

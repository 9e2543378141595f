import { useLocalStorage } from '@mantine/hooks';
import { useCallback, useMemo } from 'react';

import type { StockItem } from '@/shared/insights/types';

export const itemKey = (item: Pick<StockItem, 'warehouse_id' | 'sku'>): string =>
  JSON.stringify([item.warehouse_id, item.sku]);

interface Edited {
  /** Of another insight the suggestions were others: what was typed beside them no longer holds. */
  insight: string;
  quantities: Record<string, number>;
}

export interface Desk {
  quantities: Readonly<Record<string, number>>;
  /** The last day of each item's snooze. */
  snoozed: Readonly<Record<string, string>>;
  order: (key: string, quantity: number | null) => void;
  snooze: (key: string, until: string | null) => void;
}

/** The reader's own calendar day, as ISO writes it. */
export const today = (after = 0): string => {
  const at = new Date();
  at.setDate(at.getDate() + after);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The storage of a browser can hold anything: what is not understood is left out. */
function read<T>(text: string | undefined, has: (value: unknown) => value is T): Record<string, T> {
  try {
    const found: unknown = JSON.parse(text ?? '{}');
    return isRecord(found)
      ? Object.fromEntries(Object.entries(found).filter((entry): entry is [string, T] => has(entry[1])))
      : {};
  } catch {
    return {};
  }
}

const isDay = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value);
const isQuantity = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

const readEdited = (text: string | undefined): Edited => {
  try {
    const found: unknown = JSON.parse(text ?? '{}');
    if (!isRecord(found) || typeof found.insight !== 'string') return { insight: '', quantities: {} };
    return { insight: found.insight, quantities: read(JSON.stringify(found.quantities), isQuantity) };
  } catch {
    return { insight: '', quantities: {} };
  }
};

const running = (snoozed: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(snoozed).filter(([, until]) => until >= today()));

const without = <T>(record: Record<string, T>, key: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));

/** What a planner does with the list, kept in this browser per department: quantities until the next computation,
 * snoozes until their day. */
export function useDesk(department: string, insight: string): Desk {
  const [snoozes, setSnoozes] = useLocalStorage<Record<string, string>>({
    key: `aetherflow.snoozed.${department}`,
    defaultValue: {},
    getInitialValueInEffect: false,
    deserialize: (text) => read(text, isDay),
  });
  const [edited, setEdited] = useLocalStorage<Edited>({
    key: `aetherflow.orders.${department}`,
    defaultValue: { insight, quantities: {} },
    getInitialValueInEffect: false,
    deserialize: readEdited,
  });
  const order = useCallback(
    (key: string, quantity: number | null) =>
      setEdited((before) => {
        const others = without(before.insight === insight ? before.quantities : {}, key);
        return { insight, quantities: quantity === null ? others : { ...others, [key]: quantity } };
      }),
    [insight, setEdited],
  );
  const snooze = useCallback(
    (key: string, until: string | null) =>
      setSnoozes((before) => {
        const others = without(running(before), key);
        return until === null ? others : { ...others, [key]: until };
      }),
    [setSnoozes],
  );
  return useMemo(
    () => ({
      quantities: edited.insight === insight ? edited.quantities : {},
      snoozed: running(snoozes),
      order,
      snooze,
    }),
    [edited, snoozes, insight, order, snooze],
  );
}

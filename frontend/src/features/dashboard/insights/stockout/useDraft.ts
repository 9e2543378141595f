import { useLocalStorage } from '@mantine/hooks';
import { useCallback, useMemo } from 'react';

import type { StockItem } from '@/shared/insights/types';
import { draftKey } from '@/shared/session/drafts';
import { useUser } from '@/shared/session/useSession';

export const itemKey = (item: Pick<StockItem, 'warehouse_id' | 'sku'>): string =>
  JSON.stringify([item.warehouse_id, item.sku]);

type Quantities = Readonly<Record<string, number>>;

interface Edited {
  /** Of another insight the suggestions were others: what was typed beside them no longer holds. */
  insight: string;
  quantities: Quantities;
}

export interface Draft {
  quantities: Quantities;
  order: (key: string, quantity: number | null) => void;
  reset: () => void;
}

const NONE: Edited = { insight: '', quantities: {} };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isQuantity = (entry: [string, unknown]): entry is [string, number] =>
  typeof entry[1] === 'number' && Number.isInteger(entry[1]) && entry[1] >= 0;

/** The storage of a browser can hold anything: what is not understood is left out. */
function read(text: string | undefined): Edited {
  try {
    const found: unknown = JSON.parse(text ?? 'null');
    if (!isRecord(found) || typeof found.insight !== 'string' || !isRecord(found.quantities)) return NONE;
    const quantities = Object.fromEntries(Object.entries(found.quantities).filter(isQuantity));
    return { insight: found.insight, quantities };
  } catch {
    return NONE;
  }
}

/** The quantities a planner typed, theirs alone: on this device, until the next computation or their log-out. */
export function useDraft(department: string, insight: string): Draft {
  const user = useUser();
  const [edited, setEdited] = useLocalStorage<Edited>({
    key: draftKey(user.id, `order.${department}`),
    defaultValue: NONE,
    getInitialValueInEffect: false,
    deserialize: read,
  });
  const order = useCallback(
    (key: string, quantity: number | null) =>
      setEdited((before) => {
        const own = before.insight === insight ? before.quantities : {};
        const others = Object.fromEntries(Object.entries(own).filter(([other]) => other !== key));
        return { insight, quantities: quantity === null ? others : { ...others, [key]: quantity } };
      }),
    [insight, setEdited],
  );
  const reset = useCallback(() => setEdited(NONE), [setEdited]);
  return useMemo(
    () => ({ quantities: edited.insight === insight ? edited.quantities : NONE.quantities, order, reset }),
    [edited, insight, order, reset],
  );
}

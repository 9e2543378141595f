import type { SpendItem } from '@/shared/insights/types';

/** Sums by currency, largest first: amounts of two currencies never make one number. */
export function sumsByCurrency(items: readonly SpendItem[]): { currency: string | null; sum: number }[] {
  const sums = new Map<string | null, number>();
  for (const { currency, amount } of items) sums.set(currency, (sums.get(currency) ?? 0) + Math.abs(amount));
  return [...sums].map(([currency, sum]) => ({ currency, sum })).sort((a, b) => b.sum - a.sum);
}

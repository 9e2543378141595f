/** Filters live in the address, and an address can hold anything: what is not understood is left out. */

type Raw = Record<string, unknown>;

export function text(raw: Raw, key: string): string | undefined {
  const value = raw[key];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function oneOf<T extends string>(raw: Raw, key: string, choices: readonly T[]): T | undefined {
  const value = raw[key];
  return choices.find((choice) => choice === value);
}

export function someOf<T extends string>(raw: Raw, key: string, choices: readonly T[]): T[] | undefined {
  const value = raw[key];
  const given = Array.isArray(value) ? value : [value];
  const known = choices.filter((choice) => given.includes(choice));
  return known.length > 0 ? known : undefined;
}

/** A page number from 2 on; the first page needs no word. */
export function page(raw: Raw): number | undefined {
  const value = Number(raw.page);
  return Number.isInteger(value) && value > 1 ? value : undefined;
}

/** Numbers, dates and money as the reader's own locale writes them. What is not known is a dash, never a zero. */

export const UNKNOWN = '–';

type Value = number | null | undefined;

export interface Formats {
  integer: (value: Value) => string;
  /** At most `digits` decimals; none where there is nothing behind the point. */
  number: (value: Value, digits?: number) => string;
  /** 1,234,567 → 1.2M: for axes and large cards. */
  compact: (value: Value) => string;
  /** A share of 1 as a percentage. */
  percent: (share: Value, digits?: number) => string;
  /** A chance, 0 to 1: certainty is never claimed. */
  chance: (probability: Value) => string;
  /** With its cents, or to whole units where a glance is enough. */
  money: (value: Value, currency?: string | null, digits?: number) => string;
  date: (iso: string | null | undefined) => string;
  dateTime: (iso: string | null | undefined) => string;
  time: (at: number) => string;
  /** "5 minutes ago". */
  ago: (iso: string | null | undefined, now?: number) => string;
  bytes: (value: Value) => string;
  /** 950 ms, 4.2 s, 3 min 10 s. */
  duration: (milliseconds: Value) => string;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const isMissing = (value: Value): value is null | undefined =>
  value === null || value === undefined || Number.isNaN(value);

/** A calendar day has no time zone: "2026-03-31" must not become the 30th west of Greenwich. */
function dayOrMoment(iso: string): { at: Date; zone: 'UTC' | undefined } {
  return /^\d{4}-\d{2}-\d{2}$/.test(iso)
    ? { at: new Date(`${iso}T00:00:00Z`), zone: 'UTC' }
    : { at: new Date(iso), zone: undefined };
}

/** Made when first asked for and kept: to make one takes a hundred times as long as to use it. */
function kept<Options, Made>(make: (options: Options) => Made): (options: Options) => Made {
  const made = new Map<string, Made>();
  return (options) => {
    const key = JSON.stringify(options);
    const found = made.get(key) ?? make(options);
    made.set(key, found);
    return found;
  };
}

export function formatsFor(locale: string | undefined): Formats {
  const numbers = kept((options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options));
  const moments = kept((options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options));
  // Words, not figures: they stand inside English sentences.
  const relatives = kept(
    (options: Intl.RelativeTimeFormatOptions) => new Intl.RelativeTimeFormat('en', options),
  );

  const number = (value: Value, digits = 2): string =>
    isMissing(value) ? UNKNOWN : numbers({ maximumFractionDigits: digits }).format(value);

  const integer = (value: Value): string => number(value, 0);

  const percent = (share: Value, digits = 0): string =>
    isMissing(share) ? UNKNOWN : numbers({ style: 'percent', maximumFractionDigits: digits }).format(share);

  const money = (value: Value, currency?: string | null, digits = 2): string => {
    if (isMissing(value)) return UNKNOWN;
    const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    try {
      if (currency) return numbers({ style: 'currency', currency, ...exact }).format(value);
    } catch {
      // A file may hold any three letters as its currency; the letters are then shown as they are.
      return `${numbers(exact).format(value)} ${currency ?? ''}`.trim();
    }
    return numbers(exact).format(value);
  };

  const date = (iso: string | null | undefined): string => {
    if (!iso) return UNKNOWN;
    const { at, zone } = dayOrMoment(iso);
    if (Number.isNaN(at.getTime())) return iso;
    return moments({ dateStyle: 'medium', timeZone: zone }).format(at);
  };

  return {
    integer,
    number,
    compact: (value) =>
      isMissing(value) ? UNKNOWN : numbers({ notation: 'compact', maximumFractionDigits: 1 }).format(value),
    percent,
    chance: (probability) => {
      if (isMissing(probability)) return UNKNOWN;
      if (probability < 0.01) return `<${percent(0.01)}`;
      return probability > 0.99 ? `>${percent(0.99)}` : percent(probability);
    },
    money,
    date,
    dateTime: (iso) => {
      if (!iso) return UNKNOWN;
      const at = new Date(iso);
      if (Number.isNaN(at.getTime())) return iso;
      return moments({ dateStyle: 'medium', timeStyle: 'short' }).format(at);
    },
    time: (at) => moments({ timeStyle: 'short' }).format(at),
    ago: (iso, now = Date.now()) => {
      if (!iso) return UNKNOWN;
      const seconds = (new Date(iso).getTime() - now) / 1000;
      if (Number.isNaN(seconds)) return iso;
      const relative = relatives({ numeric: 'auto' });
      const step = STEPS.find(([, length]) => Math.abs(seconds) >= length);
      return step
        ? relative.format(Math.trunc(seconds / step[1]), step[0])
        : relative.format(Math.trunc(seconds), 'second');
    },
    bytes: (value) => {
      if (isMissing(value)) return UNKNOWN;
      const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
      const power = Math.min(units.length - 1, value > 0 ? Math.floor(Math.log(value) / Math.log(1000)) : 0);
      return numbers({
        style: 'unit',
        unit: units[power],
        unitDisplay: 'short',
        maximumFractionDigits: power === 0 ? 0 : 1,
      }).format(value / 1000 ** power);
    },
    duration: (milliseconds) => {
      if (isMissing(milliseconds)) return UNKNOWN;
      if (milliseconds < 1_000) return `${integer(milliseconds)} ms`;
      if (milliseconds < 60_000) return `${number(milliseconds / 1_000, 1)} s`;
      const minutes = Math.floor(milliseconds / 60_000);
      const seconds = Math.round((milliseconds % 60_000) / 1_000);
      return seconds ? `${integer(minutes)} min ${seconds} s` : `${integer(minutes)} min`;
    },
  };
}

/** Undefined lets Intl take the browser's locale. */
export const format = formatsFor(undefined);

/** "supply_chain" → "Supply chain": for a name that came without a label. */
export function humanise(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const plural = (count: number, one: string, many: string): string =>
  `${format.integer(count)} ${count === 1 ? one : many}`;

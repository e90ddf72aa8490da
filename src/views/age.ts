import type { Translate } from './words.ts';

const UNITS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/**
 * How long ago, coarsely: `now` below a minute, then whole minutes, hours, days (`3 min`), in the words of `locale` (BCP 47).
 * A time in the future (a clock that was set back) counts as now.
 */
export function age(at: number, now: number, locale: string, t: Translate): string {
  const passed = now - at;
  const found = UNITS.find(({ ms }) => passed >= ms);
  return found === undefined ? t('now') : amount(Math.floor(passed / found.ms), found.unit, locale);
}

/** How long, with seconds: for sentences such as `3 sec ago`. */
export function duration(ms: number, locale: string): string {
  const found = UNITS.find((each) => ms >= each.ms);
  return found === undefined
    ? amount(Math.max(0, Math.floor(ms / 1000)), 'second', locale)
    : amount(Math.floor(ms / found.ms), found.unit, locale);
}

function amount(value: number, unit: string, locale: string): string {
  return formatter(locale, unit, 0).format(value);
}

/** Making a formatter costs far more than using it, and a tree of a thousand sessions uses it a thousand times. */
const formatters = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, unit: string, maximumFractionDigits: number): Intl.NumberFormat {
  const key = `${locale} ${unit} ${maximumFractionDigits}`;
  const known = formatters.get(key);
  if (known !== undefined) {
    return known;
  }
  const made = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits });
  formatters.set(key, made);
  return made;
}

/** A number of bytes for people: `12 kB`, `4.2 MB`. */
export function byteSize(bytes: number, locale: string): string {
  const steps = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  const power = bytes < 1 ? 0 : Math.min(steps.length - 1, Math.floor(Math.log10(bytes) / 3));
  return formatter(locale, steps[power] ?? 'byte', power === 0 ? 0 : 1).format(bytes / 1000 ** power);
}

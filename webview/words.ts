import { STRINGS } from '../src/protocol/strings.ts';
import { line } from './text.ts';
import type { StringKey } from '../src/protocol/strings.ts';

/** Speaks the reader's language: sentences from the host, numbers and times by the locale. */
export class Words {
  readonly #strings: Readonly<Record<string, string>>;
  readonly #clock: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;
  readonly #number: Intl.NumberFormat;
  readonly #compact: Intl.NumberFormat;
  readonly #plural: Intl.PluralRules;
  readonly #locale: string;

  constructor(strings: Readonly<Record<string, string>>, locale: string) {
    this.#strings = strings;
    this.#locale = Intl.DateTimeFormat.supportedLocalesOf(safeLocale(locale))[0] ?? 'en';
    const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
    this.#clock = new Intl.DateTimeFormat(this.#locale, clock);
    this.#moment = new Intl.DateTimeFormat(this.#locale, {
      ...clock,
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      fractionalSecondDigits: 3,
    });
    this.#number = new Intl.NumberFormat(this.#locale);
    this.#compact = new Intl.NumberFormat(this.#locale, { notation: 'compact', maximumFractionDigits: 1 });
    this.#plural = new Intl.PluralRules(this.#locale);
  }

  /** The sentence with its places filled in. */
  say(key: StringKey, ...values: readonly (string | number)[]): string {
    const sentence = Object.hasOwn(this.#strings, key) ? this.#strings[key] : STRINGS[key];
    return (sentence ?? STRINGS[key]).replace(/\{(\d)\}/g, (place, index) => String(values[Number(index)] ?? place));
  }

  /** The word for a value of the host; a value that this page does not know is shown as it is. */
  word(kind: 'tool' | 'outcome' | 'change' | 'todo' | 'request' | 'answer' | 'choice', value: string): string {
    const key = `${kind}.${value}`;
    return Object.hasOwn(STRINGS, key) ? this.say(key as StringKey) : line(value, 40);
  }

  /** The sentence for so many. */
  count(key: 'live.new', amount: number): string {
    const one = this.#plural.select(amount) === 'one';
    return this.say(one ? `${key}.one` : `${key}.other`, this.number(amount));
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  /** 12.3K */
  compact(value: number): string {
    return this.#compact.format(value);
  }

  /** HH:MM:SS */
  time(at: number): string {
    return this.#clock.format(at);
  }

  /** Date and time with milliseconds. */
  moment(at: number): string {
    return this.#moment.format(at);
  }

  /** US dollars; more digits below ten cents. */
  money(dollars: number): string {
    return new Intl.NumberFormat(this.#locale, {
      style: 'currency',
      currency: 'USD',
      maximumFractionDigits: dollars < 0.1 ? 4 : 2,
    }).format(dollars);
  }

  /** A tool call's or turn's length: 40ms, 1.2s, 3m 20s, 2h 5m. */
  duration(ms: number): string {
    if (ms < 1000) {
      return this.#unit(Math.max(0, Math.round(ms)), 'millisecond');
    }
    if (ms < 60_000) {
      return this.#unit(ms / 1000, 'second', ms < 10_000 ? 1 : 0);
    }
    const minutes = Math.floor(ms / 60_000);
    return minutes < 60
      ? `${this.#unit(minutes, 'minute')} ${this.#unit(Math.floor((ms % 60_000) / 1000), 'second')}`
      : `${this.#unit(Math.floor(minutes / 60), 'hour')} ${this.#unit(minutes % 60, 'minute')}`;
  }

  /** A running clock: 0:07, 12:40, 1:02:03. */
  elapsed(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const two = (value: number): string => String(value).padStart(2, '0');
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
  }

  bytes(size: number): string {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
    const power = size < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
    return new Intl.NumberFormat(this.#locale, {
      style: 'unit',
      unit: units[power] ?? 'byte',
      unitDisplay: 'short',
      maximumFractionDigits: power === 0 ? 0 : 1,
    }).format(size / 1000 ** power);
  }

  #unit(value: number, unit: string, digits = 0): string {
    const options = { style: 'unit', unit, unitDisplay: 'narrow', maximumFractionDigits: digits } as const;
    return new Intl.NumberFormat(this.#locale, options).format(value);
  }
}

function safeLocale(locale: string): string {
  try {
    return new Intl.Locale(locale).toString();
  } catch {
    return 'en';
  }
}

import { SAYINGS } from './table.ts';

/**
 * What a person reads, as it is stored: a code, and what its sentence names. Each window says it in its own language, and
 * another build may know more codes.
 */
export interface Saying {
  readonly code: string;
  readonly [parameter: string]: unknown;
}

export type Code = keyof typeof SAYINGS;

/** A text that stands in a saying as it is, such as a path or what git printed, or a saying of its own. */
export type Said = string | Saying;

/** What is between the braces of a template. */
type PlaceOf<T extends string> = T extends `${string}{${infer P}}${infer Rest}` ? P | PlaceOf<Rest> : never;
type NameOf<P extends string> = P extends `${infer N}:${string}` ? N : P;
type ValueOf<P extends string> = P extends `${string}:duration`
  ? number
  : P extends `${string}:list` | `${string}:sentences`
    ? readonly Said[]
    : Said | number;

/** The parameters of a code, as its template names them. */
export type ParametersOf<C extends Code> = {
  readonly [P in PlaceOf<(typeof SAYINGS)[C]> as NameOf<P>]: ValueOf<P>;
};
type Arguments<C extends Code> = [PlaceOf<(typeof SAYINGS)[C]>] extends [never] ? [] : [ParametersOf<C>];

/** Makes a saying; the compiler asks for the parameters that the code's template names. */
export function say<C extends Code>(code: C, ...[parameters]: Arguments<C>): Saying {
  return { code, ...parameters };
}

/** What somebody else said, as a saying. */
export function quoted(text: string): Saying {
  return say('quoted', { text });
}

/** Several sentences as one saying. */
export function sentences(all: readonly Saying[]): Saying {
  const [first] = all;
  return first !== undefined && all.length === 1 ? first : say('sentences', { all });
}

/** The first few of a list, and how many more there are. */
export function some(all: readonly Said[], most: number): readonly Said[] {
  return all.length <= most ? all : [...all.slice(0, most), say('more', { count: all.length - most })];
}

/** Gives the template of an English one in the language of whoever reads. */
export type Translation = (template: string) => string;

const PLACE = /\{(\w+)(?::(\w+))?\}/g;

/** The words of a saying, and of what somebody else said. One that this build does not know, or not with these parameters, is told as far as it can be. */
export function textOf(said: Said, translate: Translation = (template) => template): string {
  if (typeof said === 'string') return said;
  const { code } = said;
  const template = Object.hasOwn(SAYINGS, code) ? SAYINGS[code as Code] : undefined;
  const text = template === undefined ? undefined : fill(translate(template), said, translate);
  return text ?? untold(said, translate);
}

/** undefined where a parameter is missing. */
function fill(template: string, saying: Saying, translate: Translation): string | undefined {
  const missing: string[] = [];
  const text = template.replace(PLACE, (_place, name: string, kind: string | undefined) => {
    const value = Object.hasOwn(saying, name) ? partOf(saying[name], kind, translate) : undefined;
    if (value === undefined) missing.push(name);
    return value ?? '';
  });
  return missing.length === 0 ? text.trimEnd() : undefined;
}

function partOf(value: unknown, kind: string | undefined, translate: Translation): string | undefined {
  if (Array.isArray(value)) {
    const parts = value.map((one) => partOf(one, undefined, translate));
    return parts.filter((one) => one !== undefined).join(kind === 'sentences' ? ' ' : ', ');
  }
  if (typeof value === 'number') return kind === 'duration' ? durationText(value, translate) : String(value);
  if (typeof value === 'string') return value;
  return isSaying(value) ? textOf(value, translate) : undefined;
}

function untold(saying: Saying, translate: Translation): string {
  const told = ['reason', 'text'].map((name) => partOf(saying[name], undefined, translate));
  const known = told.find((one) => one !== undefined && one !== '');
  return known ?? textOf(say('unknown-saying', { name: saying.code }), translate);
}

function durationText(ms: number, translate: Translation): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return textOf(say('seconds', { seconds: seconds.toFixed(1) }), translate);
  if (seconds < 120) return textOf(say('seconds', { seconds: Math.round(seconds) }), translate);
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return textOf(say('minutes', { minutes }), translate);
  return textOf(say('hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 }), translate);
}

/** Whether a value from outside has the form of a saying. */
export function isSaying(value: unknown): value is Saying {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const code: unknown = (value as Readonly<Record<string, unknown>>)['code'];
  return typeof code === 'string' && code !== '';
}

/** All English templates, for whoever translates them. */
export const TEMPLATES: readonly string[] = Object.values(SAYINGS);

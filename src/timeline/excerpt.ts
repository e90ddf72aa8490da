import { cut, withoutEscapes } from '../agents/text.ts';
import type { Excerpt } from '../protocol/rows.ts';

/** Characters (UTF-16 code units) of an excerpt, by what it is of. */
export const EXCERPT_CHARS = { text: 4000, input: 2000, output: 2000, diff: 4000 } as const;

export const EMPTY_EXCERPT: Excerpt = { text: '', bytes: 0, cut: false };

/** A control sequence that a cut has torn. */
const TORN_ESCAPE = /(?:\x1b(?:\[[0-?]*[ -/]*)?|\x9b[0-?]*[ -/]*)$/;
const LINE_ENDS = /\r+\n?/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const ANY_CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** The text without terminal escapes and control characters; tabs and line ends stay. */
export function plain(text: string): string {
  if (!ANY_CONTROL.test(text)) return text;
  return withoutEscapes(text.replace(TORN_ESCAPE, '')).replace(LINE_ENDS, '\n').replace(CONTROLS, '');
}

/**
 * The start of a text for display: at most `max` characters, cut between code points.
 * @param bytes the size of the whole in UTF-8, when `text` is only the start of it.
 */
export function excerpt(text: string, max: number, bytes?: number): Excerpt {
  // Escapes take room in the source, and none in the display.
  const source = cut(text, max * 4);
  const clean = plain(source);
  const shown = cut(clean, max);
  const whole = bytes === undefined && source.length === text.length && shown.length === clean.length;
  return { text: shown, bytes: bytes ?? Buffer.byteLength(text), cut: !whole };
}

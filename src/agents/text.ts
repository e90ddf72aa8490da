/** Characters of a one-line text: the argument of a tool call, a summary. */
const LINE_LENGTH = 300;
/** Characters of `Seen.lastText` and of a judgement's summary. */
export const SUMMARY_LENGTH = 500;

/** Terminal escapes: CSI sequences, whose introducer may be one character (U+009B), OSC ones, and those of two characters (ECMA-48). */
const ESCAPES = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;
const ANY_ESCAPE = /[\u001b\u009b]/;
/** Line breaks and tabs, with the indentation behind them. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+[\s\u0085]*/g;
/** Control characters, and those that turn the direction of the text around them. */
const CONTROLS = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export function withoutEscapes(text: string): string {
  return ANY_ESCAPE.test(text) ? text.replace(ESCAPES, '') : text;
}

/** At most `length` characters (UTF-16 units) of `text`; a surrogate pair is never cut in two. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** `text` as one line that is safe to show anywhere: without terminal escapes and control characters, at most `length` long. */
export function oneLine(text: string, length = LINE_LENGTH): string {
  // What comes far behind the cut cannot show; a hostile text may be many megabytes long.
  const line = withoutEscapes(cut(text, 8 * length))
    .replace(BREAKS, ' ')
    .replace(CONTROLS, '')
    .trim();
  return line.length <= length ? line : `${cut(line, length - 1)}…`;
}

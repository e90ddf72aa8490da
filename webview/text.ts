/**
 * Text of agents, made harmless to read. What a terminal would act on is taken away (colours) or shown as a sign
 * (control characters), and so is what reorders a line (bidirectional overrides): nothing may look other than it is.
 */

// CSI sequences, whose introducer may be one character; OSC, DCS, PM and APC strings up to their end; other two-character escapes.
const ESCAPES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
const REORDERING = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

export function readable(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(/\r\n?/g, '\n')
    .replace(CONTROLS, (sign) => String.fromCharCode(sign === '\u007f' ? 0x2421 : 0x2400 + sign.charCodeAt(0)))
    .replace(REORDERING, (sign) => `‹U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}›`);
}

/** The first `length` UTF-16 units, or one less where the last would be half of a character. */
export function start(text: string, length: number): string {
  if (text.length <= length) {
    return text;
  }
  const halves = /[\ud800-\udbff]/.test(text.charAt(length - 1)) && /[\udc00-\udfff]/.test(text.charAt(length));
  return text.slice(0, halves ? length - 1 : length);
}

/** The same on one line, at most `length` characters. */
export function line(text: string, length: number): string {
  const flat = readable(start(text, 4 * length))
    .replace(/\s+/g, ' ')
    .trim();
  return flat.length > length ? `${start(flat, length - 1)}…` : flat;
}

/** A beginning of at most `lines` lines and `length` characters, and whether it is not all. */
export function beginning(
  text: string,
  lines: number,
  length: number,
): { readonly text: string; readonly cut: boolean } {
  let end = 0;
  for (let count = 0; count < lines && end !== -1; count += 1) {
    end = text.indexOf('\n', end === 0 ? 0 : end + 1);
  }
  const limit = Math.min(end === -1 ? text.length : end, length);
  // Two lines more than the limit are not worth a button.
  if (limit >= text.length || (text.length < length && text.slice(limit + 1).split('\n', 4).length <= 2)) {
    return { text, cut: false };
  }
  return { text: start(text, limit), cut: true };
}

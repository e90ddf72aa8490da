const LENGTH = 80;

/** Marks that begin a Markdown line: headings, quotes, bullets, numbers, task boxes. */
const MARKS = /^(?:#{1,6}\s+|>\s?|[-*+•]\s+|\d{1,3}[.)]\s+|\[[ xX]\]\s+)+/;

/** Control characters, and the invisible ones that reorder or hide text (bidi controls, zero-width spaces, byte order mark). */
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Cs}/gu;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * A session's name from its prompt: the first line that says something, without Markdown's marks and unseen characters, at most
 * 80 graphemes (what a person counts as characters), the last one `…` when it was cut. `Untitled` when the prompt says nothing.
 */
export function displayName(prompt: string): string {
  for (const line of prompt.split(/\r\n|[\n\r\u2028\u2029]/)) {
    if (/^\s*(```|~~~)/.test(line)) continue;
    const text = line.replace(/\t/g, ' ').replace(UNSEEN, '').trim().replace(MARKS, '').replace(/\s+/g, ' ').trim();
    if (/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(text)) return cut(text);
  }
  return 'Untitled';
}

function cut(text: string): string {
  // A bounded piece first: the prompt may be one line of a megabyte. No grapheme that is read normally needs so many units.
  const pieces = [...graphemes.segment(text.slice(0, LENGTH * 50))].map(({ segment }) => segment);
  if (pieces.length <= LENGTH && text.length <= LENGTH * 50) return text;
  return `${pieces
    .slice(0, LENGTH - 1)
    .join('')
    .trimEnd()}…`;
}

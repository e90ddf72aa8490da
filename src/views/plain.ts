/**
 * Text of agents and of repositories, made harmless for the places of the editor that give some characters a meaning.
 * What is shown stays readable as what it was.
 */

/** Control characters, which would break or reorder a line: C0, C1, and the bidirectional overrides. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g;

/** One line without control characters. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, ' ').trim();
}

/** For labels that turn `$(name)` into an icon: quick picks and the status bar. */
export function iconless(text: string): string {
  return oneLine(text).replaceAll('$(', '$\u200b(');
}

/** For notifications, which turn `[text](target)` into a link that may even run a command. */
export function linkless(text: string): string {
  return oneLine(text).replaceAll('](', '] (');
}

/** For Markdown: every character that could mean something there stands for itself (CommonMark, backslash escapes). */
export function markdownText(text: string): string {
  return oneLine(text).replace(/[!-/:-@[-`{-~]/g, '\\$&');
}

/** At most `length` characters, cut between graphemes, with an ellipsis for what is missing. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) {
    return text;
  }
  let kept = '';
  // A grapheme is seldom longer than a few code units: the slice bounds the work on a long text.
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, length + 32))) {
    if (kept.length + segment.length > length - 1) {
      break;
    }
    kept += segment;
  }
  return `${kept}…`;
}

/** Every line of `text` with `sign` before it; nothing for an empty text. A last line end makes no line of its own. */
function signed(text: string, sign: string): string {
  if (text === '') return '';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return `${sign}${body.replaceAll('\n', `\n${sign}`)}`;
}

/** The diff of a text that takes the place of another. */
export function replacement(before: string, after: string): string {
  return [signed(before, '-'), signed(after, '+')].filter((part) => part !== '').join('\n');
}

/** Hunks one after the other, with a line `@@` between them. */
export function hunks(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n@@\n');
}

const BEGIN = '*** Begin Patch';
const END = '*** End Patch';
const PATCH_FILE = /^\*\*\* (?:Add|Update|Delete) File: (.+)$/m;

/** The patch inside a text in the format of `apply_patch` (Begin Patch … End Patch), and the first file that it names. */
export function applyPatch(text: string): { readonly diff: string; readonly file?: string } | undefined {
  const begin = text.indexOf(BEGIN);
  if (begin < 0) return undefined;
  const end = text.indexOf(END, begin);
  const diff = text.slice(begin + BEGIN.length, end < 0 ? undefined : end).trim();
  const file = PATCH_FILE.exec(diff)?.[1]?.trim();
  return diff === '' ? undefined : { diff, ...(file && { file }) };
}

import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { hasCode } from '../platform/errors.ts';
import { PRIVATE_FILE } from '../platform/paths.ts';
import type { Damaged } from './journal-reader.ts';

/** Beyond this size of the file nothing more is copied; the journal itself still has it all. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Copies damaged pieces of a journal to a file for people to look at: one JSON object a line. A piece that is there
 * already (another window found it, or the journal was read anew) is not copied again.
 */
export function quarantine(file: string, damaged: readonly Damaged[], at: number): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LIMIT_BYTES) return;
  const known = readText(file);
  const lines = damaged
    .map((piece) => ({ key: keyOf(piece), at, ...piece }))
    .filter(({ key }) => !known.includes(key))
    .map((piece) => JSON.stringify(piece) + '\n');
  if (lines.length > 0) appendFileSync(file, lines.join(''), { mode: PRIVATE_FILE });
}

function keyOf({ offset, length, text }: Damaged): string {
  return `${offset}-${length}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * A log up to this size is shown whole, and of a larger one this much at once. With every change the editor takes over the
 * whole text anew: 4 MB took a remote window on two slow cores 4 seconds, 1 MB follows comfortably.
 */
export const WHOLE_LIMIT = 2 * 1024 * 1024;
export const WINDOW_SIZE = 1024 * 1024;

/** Which bytes of a log are shown. */
export interface LogWindow {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Where a reader wants to be: at the end, which moves with the file, or at a fixed byte. */
export type Place = 'end' | number;

/**
 * The window to show. One that stands at the end keeps its start while the file grows, until it would exceed the limit of
 * a whole document: a start that moved with every line would replace the whole text each time.
 * @param before the window shown so far, if any.
 */
export function windowAt(place: Place, size: number, before?: LogWindow): LogWindow {
  if (size <= WHOLE_LIMIT) {
    return { from: 0, to: size };
  }
  if (place === 'end') {
    const keeps = before !== undefined && before.to <= size && size - before.from <= WHOLE_LIMIT;
    return { from: keeps ? before.from : size - WINDOW_SIZE, to: size };
  }
  const from = Math.max(0, Math.min(place, size - WINDOW_SIZE));
  return { from, to: Math.min(size, from + WINDOW_SIZE) };
}

/** The place that shows the window before `window`, with a little of it kept for the reader's eye. */
export function earlier(window: LogWindow): Place {
  return Math.max(0, window.from - WINDOW_SIZE + OVERLAP);
}

/** The place that shows the window after `window`; `end` when that reaches the end of the file. */
export function later(window: LogWindow, size: number): Place {
  const from = window.to - OVERLAP;
  return from + WINDOW_SIZE >= size ? 'end' : from;
}

const OVERLAP = 64 * 1024;

/** A piece of a log as text. */
export interface LogText {
  /** The file's lines, with bytes that are not UTF-8 replaced, and NULs, which would make the editor take it for a binary file. */
  readonly text: string;
  readonly window: LogWindow;
  /** Size of the whole file when it was read. */
  readonly size: number;
}

/** Reads one window of a file, its cut start moved to the next line's start. A file that does not exist (yet) is empty. */
export async function readWindow(file: string, place: Place, before?: LogWindow): Promise<LogText> {
  const handle = await openIfThere(file);
  if (handle === undefined) {
    return { text: '', window: { from: 0, to: 0 }, size: 0 };
  }
  try {
    const { size } = await handle.stat();
    const wanted = windowAt(place, size, before);
    const bytes = await readBytes(handle, wanted);
    const skipped = wanted.from === 0 || wanted.from === before?.from ? 0 : lineStart(bytes);
    return {
      text: decode(bytes.subarray(skipped)),
      window: { from: wanted.from + skipped, to: wanted.from + bytes.length },
      size,
    };
  } finally {
    await handle.close();
  }
}

/** Size of a file in bytes and its time of modification in ms; zeros for one that does not exist (yet). */
export async function sizeOf(file: string): Promise<{ readonly size: number; readonly mtime: number }> {
  const handle = await openIfThere(file);
  if (handle === undefined) {
    return { size: 0, mtime: 0 };
  }
  try {
    const { size, mtimeMs } = await handle.stat();
    return { size, mtime: Math.round(mtimeMs) };
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

async function readBytes(handle: FileHandle, window: LogWindow): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(window.to - window.from);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, window.from + filled);
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Index of the first line that starts in `bytes`; a single line longer than the window is cut between characters instead. */
function lineStart(bytes: Buffer): number {
  const end = bytes.indexOf(0x0a);
  if (end >= 0) {
    return end + 1;
  }
  let start = 0;
  // 10xxxxxx: the rest of a character that began before the window; at most three of them (UTF-8).
  while (start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) {
    start += 1;
  }
  return start;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes).replaceAll('\0', '\u2400');
}

/**
 * The line and character (from 0) at which the editor shows byte `at`, in a text that starts at byte `from`. The editor
 * ends lines at LF, CR LF and a lone CR.
 */
export async function positionOf(file: string, from: number, at: number): Promise<{ line: number; character: number }> {
  const handle = await openIfThere(file);
  if (handle === undefined || at <= from) {
    await handle?.close();
    return { line: 0, character: 0 };
  }
  try {
    const text = decode(await readBytes(handle, { from, to: at }));
    let line = 0;
    let start = 0;
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      line += 1;
      start = end.index + end[0].length;
    }
    return { line, character: text.length - start };
  } finally {
    await handle.close();
  }
}

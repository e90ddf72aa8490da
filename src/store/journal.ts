import { closeSync, fdatasync, fstatSync, readSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { syncFolder } from '../platform/atomic-file.ts';
import { hasCode, reasonOf, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { factId } from '../platform/ids.ts';
import { PRIVATE_FILE, privateFolder } from '../platform/paths.ts';
import { openRegular } from '../platform/regular-file.ts';
import { FACTS, readFact, type Fact, type FactEntry, type Writer } from './facts.ts';

/** The longest line that is written. What is longer belongs into a file of its own. */
export const MAX_LINE_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

const sync = promisify(fdatasync);

/** A file as the file system knows it. */
export interface FileLook {
  readonly ino: number;
  readonly dev: number;
  /** Bytes. */
  readonly size: number;
}

export interface JournalOptions {
  readonly now?: () => number;
  /** Called with the file before each write; true when it wrote to it, or had it replaced. */
  readonly beforeWrite?: (file: FileLook) => boolean;
}

/**
 * Appends facts to a repository's journal, which any number of processes do at the same time. What `append` returned
 * survives the death of every process; what `flush` has answered for survives the loss of power.
 */
export class Journal {
  readonly #path: string;
  readonly #by: Writer;
  readonly #now: () => number;
  readonly #beforeWrite: JournalOptions['beforeWrite'];
  #file: { readonly fd: number; readonly ino: number; readonly dev: number } | undefined;
  /** The file's size after our own last append: while it still is that, the file is known to end with a newline. */
  #end = -1;
  #isNew = false;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  constructor(journal: string, by: Writer, options: JournalOptions = {}) {
    this.#path = journal;
    this.#by = by;
    this.#now = options.now ?? Date.now;
    this.#beforeWrite = options.beforeWrite;
  }

  /**
   * Writes the facts with one write call, so that no other writer comes between them. Throws TreelineError
   * `journal-write` when they could not all be written (a full disk, say): some of them may then be in the file, whole,
   * and a torn one never touches what comes after it.
   */
  append(...entries: readonly FactEntry[]): Fact[] {
    const at = this.#now();
    const facts = entries.map((entry): Fact => {
      return { v: FACTS[entry.type].v, id: factId(), at, by: this.#by, ...entry };
    });
    let text = '';
    for (const fact of facts) {
      // A fact that no reader would take must not be acknowledged.
      readFact(fact);
      const line = JSON.stringify(fact);
      if (line.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(line) >= MAX_LINE_BYTES) {
        throw new TreelineError(say('fact-too-large'));
      }
      text += line + '\n';
    }
    if (text !== '') this.#write(text);
    return facts;
  }

  /** Resolves when all that was appended before is on the disk. Calls that come together share one fsync. */
  flush(): Promise<void> {
    // Behind a sync that runs: it may have begun before our facts were written.
    this.#nextSync ??= (this.#syncing ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#nextSync = undefined;
        this.#syncing = this.#sync().finally(() => (this.#syncing = undefined));
        return this.#syncing;
      });
    return this.#nextSync;
  }

  dispose(): void {
    this.#close();
  }

  #write(text: string): void {
    try {
      const file = this.#open();
      const { fd, size } = this.#beforeWrite?.(file) === true ? this.#open() : file;
      const glued = size > 0 && size !== this.#end && !endsWithNewline(fd, size);
      const bytes = Buffer.from(glued ? '\n' + text : text);
      const written = writeSync(fd, bytes);
      if (written < bytes.length) {
        throw new Error(`only ${written} of ${bytes.length} bytes were taken, the disk may be full`);
      }
      this.#end = size + written;
    } catch (cause) {
      if (cause instanceof TreelineError) throw cause;
      throw new TreelineError(say('journal-write', { file: this.#path, reason: reasonOf(cause) }), { cause });
    }
  }

  /** The file that is at the path now, with its size: it may have been deleted or replaced since the last time. */
  #open(): FileLook & { readonly fd: number } {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (this.#file !== undefined && now?.ino === this.#file.ino && now.dev === this.#file.dev) {
      return { ...this.#file, size: now.size };
    }
    this.#close();
    const fd = openAppend(this.#path);
    const stat = fstatSync(fd);
    this.#file = { fd, ino: stat.ino, dev: stat.dev };
    this.#end = -1;
    this.#isNew = now === undefined;
    return { ...this.#file, size: stat.size };
  }

  #close(): void {
    const fd = this.#file?.fd;
    this.#file = undefined;
    if (fd === undefined) return;
    // Not under a running fsync: the number could be given to another file meanwhile.
    if (this.#syncing === undefined) closeSync(fd);
    else void this.#syncing.catch(() => undefined).then(() => closeSync(fd));
  }

  async #sync(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      const isNew = this.#isNew;
      await sync(this.#file.fd);
      if (isNew) await syncFolder(path.dirname(this.#path));
      this.#isNew = this.#isNew && !isNew;
    } catch (cause) {
      throw new TreelineError(say('journal-write', { file: this.#path, reason: reasonOf(cause) }), { cause });
    }
  }
}

/** Opens for appending and reading, and makes the file, and its folder where that is gone as well. */
function openAppend(file: string): number {
  try {
    return openRegular(file, { appendWithMode: PRIVATE_FILE });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    privateFolder(path.dirname(file));
    return openRegular(file, { appendWithMode: PRIVATE_FILE });
  }
}

const lastByte = Buffer.alloc(1);

function endsWithNewline(fd: number, size: number): boolean {
  return readSync(fd, lastByte, 0, 1, size - 1) === 1 && lastByte[0] === NEWLINE;
}

import { createHash } from 'node:crypto';
import { closeSync, readSync, statSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { readIfExists, writeAtomic } from '../platform/atomic-file.ts';
import { BUILD } from '../platform/build.ts';
import { listOf, natural, parseJson, shape, string } from '../platform/check.ts';
import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { openRegular } from '../platform/regular-file.ts';
import type { Position } from './journal-reader.ts';
import { leadership as readLeadership, type Session } from './model.ts';
import type { StateData } from './state.ts';

/** A snapshot of another build is rebuilt: that one may have understood other facts, or understood them otherwise. */
const SCHEMA = BUILD;

/** A snapshot writes all sessions, so a new one waits until the old one lacks this much of the journal: bytes, or a share of the snapshot's size. */
const TAIL_BYTES = 64 * 1024;
const TAIL_SHARE = 1 / 8;

/** The snapshot of another build goes when nobody has saved it for this long, in ms. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;

/** How much of each end of the journal a snapshot is tied to. */
const SEALED_BYTES = 4_096;

/** How long one slice of work may hold the event loop, in ms. */
const SLICE_MS = 8;

const NEWLINE = 0x0a;

/** The first line of the file. */
const readHead = shape({
  schema: string,
  sessions: natural,
  /** CRC-32 of all that follows the line. */
  sum: natural,
  position: shape({ offset: natural, recent: listOf(string), unknown: natural }),
  leadership: readLeadership,
  seal: string,
});

/** A state, and up to where of the journal it is. */
export interface Snapshot {
  readonly state: StateData;
  readonly position: Position;
}

/**
 * The snapshot from which a window opens without reading the whole journal: a line that ties it to the journal, and a line of
 * JSON for each session. Whatever happens to the file, the journal makes a new one.
 *
 * It is no database: sql.js takes longer to load than a journal of 1,000 sessions to be read, and nobody asks for less than all.
 */
export class Catalogue {
  readonly #file: string;
  readonly #journal: string;
  readonly #log: Log;
  /** The snapshot on disk, once this window has read or written one. */
  #saved: { readonly offset: number; readonly bytes: number } | undefined;
  #work: Promise<unknown> = Promise.resolve();

  constructor(file: string, journal: string, log: Log) {
    this.#file = file;
    this.#journal = journal;
    this.#log = log;
  }

  /** The snapshot on disk; undefined where there is none, or none that fits this journal and this build, whole and undamaged. */
  async load(): Promise<Snapshot | undefined> {
    try {
      const bytes = await readIfExists(this.#file);
      if (bytes === undefined) return undefined;
      const snapshot = await readSnapshot(bytes, this.#journal);
      this.#saved = { offset: snapshot.position.offset, bytes: bytes.length };
      return snapshot;
    } catch (error) {
      this.#log.info(`The catalogue is rebuilt from the journal: ${errorText(error)}`);
      return undefined;
    }
  }

  /**
   * The sessions of a journal that has lost its end, or all of it, since the snapshot: that is shorter than `size` bytes tell.
   * Undefined where the journal has all that the snapshot had, and where this is not one of this build, whole and undamaged.
   */
  async loadLost(size: number): Promise<readonly Session[] | undefined> {
    try {
      const bytes = await readIfExists(this.#file);
      if (bytes === undefined) return undefined;
      const { head, body } = parts(bytes);
      return head.position.offset > size ? await readSessions(head, body) : undefined;
    } catch {
      // Whether there was anything to lose is not known.
      return undefined;
    }
  }

  /** The journal was replaced: what is on disk is of no use any more. */
  reset(): void {
    this.#saved = undefined;
  }

  /**
   * Replaces the snapshot on disk, if enough has changed since the last one, or if there is none. To be called after
   * changes only. A failure is logged: the journal has it all.
   * @param take what to save, of one moment; undefined while there is no such thing.
   */
  save(take: () => Snapshot | undefined): Promise<void> {
    this.#work = this.#work.then(async () => {
      try {
        const snapshot = take();
        if (snapshot === undefined || !(await this.#isDue(snapshot.position.offset))) return;
        const bytes = await written(snapshot, this.#journal);
        await writeAtomic(this.#file, bytes);
        this.#saved = { offset: snapshot.position.offset, bytes: bytes.length };
        await removeForgotten(path.dirname(this.#file));
      } catch (error) {
        this.#log.warn(`The catalogue could not be saved, and will be rebuilt when needed: ${errorText(error)}`);
        this.reset();
      }
    });
    return this.#work.then(() => undefined);
  }

  /** Whether there is a file at all. */
  exists(): boolean {
    return statSync(this.#file, { throwIfNoEntry: false }) !== undefined;
  }

  async #isDue(offset: number): Promise<boolean> {
    if (this.#saved === undefined) return true;
    if (offset - this.#saved.offset >= Math.max(TAIL_BYTES, this.#saved.bytes * TAIL_SHARE)) return true;
    return (await stat(this.#file).catch(() => undefined)) === undefined;
  }
}

/** Removes the snapshots of builds that are not in use any more. */
async function removeForgotten(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^catalogue-\w+\.jsonl$/.test(name)) continue;
    const file = path.join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > FORGOTTEN_MS) await rm(file, { force: true });
  }
}

/** The file's content. Sessions never change in place, so that pauses on the way do no harm. */
async function written({ state, position }: Snapshot, journal: string): Promise<Buffer> {
  const { sessions, leadership } = state;
  const records: Buffer[] = [];
  const slice = new Slice();
  for (const session of sessions) {
    records.push(Buffer.from(`${JSON.stringify(session)}\n`));
    await slice.pauseIfOver();
  }
  const body = Buffer.concat(records);
  // As it will be read: its seal is over the text, and so over the order of its fields.
  const led = readLeadership(leadership, 'leadership');
  const head = { schema: SCHEMA, sessions: sessions.length, sum: crc32(body), position, leadership: led };
  const seal = sealOf(head, journal);
  return Buffer.concat([Buffer.from(`${JSON.stringify({ ...head, seal })}\n`), body]);
}

type Head = Omit<ReturnType<typeof readHead>, 'seal'>;

/** Throws where anything is not as this build wrote it. */
async function readSnapshot(bytes: Buffer, journal: string): Promise<Snapshot> {
  const { head, seal, body } = parts(bytes);
  if (seal !== sealOf(head, journal)) throw new Error('it is of another journal');
  const { leadership, position } = head;
  return { state: { sessions: await readSessions(head, body), leadership }, position };
}

function parts(bytes: Buffer): { readonly head: Head; readonly seal: string; readonly body: Buffer } {
  const start = bytes.indexOf(NEWLINE) + 1;
  const { seal, ...head } = parseJson(bytes.toString('utf8', 0, start), readHead, 'its first line');
  if (head.schema !== SCHEMA) throw new Error('it is of another build');
  return { head, seal, body: bytes.subarray(start) };
}

async function readSessions(head: Head, body: Buffer): Promise<readonly Session[]> {
  if (head.sum !== crc32(body)) throw new Error('it is damaged');
  const sessions: Session[] = [];
  const slice = new Slice();
  for (let from = 0, end; (end = body.indexOf(NEWLINE, from)) !== -1; from = end + 1) {
    // Written by this very build, and whole: what the check sum says, no second look at the fields could say better.
    sessions.push(JSON.parse(body.toString('utf8', from, end)) as Session);
    await slice.pauseIfOver();
  }
  if (head.sessions !== sessions.length) throw new Error('it is damaged');
  return sessions;
}

/**
 * Ties a snapshot to its journal: a digest of what it says of itself and of both ends of the journal up to its position.
 * Another journal, or a rewritten one, gives another.
 */
function sealOf({ schema, sessions, sum, position, leadership }: Head, journal: string): string {
  const { offset, recent, unknown } = position;
  const hash = createHash('sha256').update(
    JSON.stringify([schema, sessions, sum, offset, recent, unknown, leadership]),
  );
  if (offset > 0) {
    const fd = openRegular(journal, 'read');
    try {
      for (const start of [0, Math.max(0, offset - SEALED_BYTES)]) {
        const piece = Buffer.alloc(Math.min(SEALED_BYTES, offset - start));
        if (readSync(fd, piece, 0, piece.length, start) < piece.length) throw new Error('the journal is shorter');
        hash.update(piece);
      }
    } finally {
      closeSync(fd);
    }
  }
  return hash.digest('hex');
}

/** Work in slices: the event loop is given back between them. */
class Slice {
  #until = performance.now() + SLICE_MS;

  async pauseIfOver(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#until = performance.now() + SLICE_MS;
  }
}

import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { say, type Saying } from '../words/saying.ts';
import { PRIVATE_FILE } from '../platform/paths.ts';
import { STREAM_KEYS, RUN_FILES } from './protocol.ts';
import type { Grown, KeeperNote, Message, SentMessage, StreamKey } from './protocol.ts';

/** How long to wait before a disk that refused is tried again: ms. */
const RETRY = 500;

/** What a disk says that is full. */
const SPACE = ['ENOSPC', 'EDQUOT'];

interface Pending {
  readonly fd: number;
  readonly data: Buffer;
  /** What is recorded once this is written. */
  readonly grown?: Grown;
}

/**
 * Writes down what comes out of an agent, in one order: every chunk to its stream's file, then its line to times.log (see
 * RUN_FILES). Written synchronously, so that an instant after a chunk was read it survives the keeper's death, and the two
 * files never disagree by more than the last line.
 *
 * When the disk refuses (full, or broken), what is in hand is kept and tried again every 500 ms, in order; whoever brings
 * more waits for `ready`, so that what is in hand stays small.
 */
export class Recorder {
  readonly #streams: Readonly<Record<StreamKey, { readonly fd: number; size: number }>>;
  readonly #times: number;
  readonly #pending: Pending[] = [];
  readonly #grew: (grown: Grown) => void;
  #retry: NodeJS.Timeout | undefined;
  #ready = Promise.withResolvers<undefined>();

  /**
   * Opens the files of a run's folder, making those that are missing. Throws where it cannot.
   *
   * @param grew told of each piece that is written down.
   */
  constructor(runFolder: string, grew: (grown: Grown) => void = () => undefined) {
    this.#grew = grew;
    const open = (name: string): number => openSync(path.join(runFolder, name), 'a', PRIVATE_FILE);
    const stream = (key: StreamKey): { fd: number; size: number } => {
      const fd = open(RUN_FILES[key]);
      return { fd, size: fstatSync(fd).size };
    };
    this.#streams = { o: stream('o'), e: stream('e'), i: stream('i'), k: stream('k') };
    this.#times = open(RUN_FILES.times);
    this.#ready.resolve(undefined);
  }

  /** True while the disk refuses to take what is in hand. */
  get blocked(): boolean {
    return this.#pending.length > 0;
  }

  /** Resolves when everything is on disk. */
  get ready(): Promise<undefined> {
    return this.#ready.promise;
  }

  chunk(key: StreamKey, data: Buffer): void {
    this.#append(key, data, Date.now());
  }

  /** A line of keeper.log. */
  note(said: Saying, level: KeeperNote['level'] = 'info', more: Pick<KeeperNote, 'exit' | 'undelivered'> = {}): void {
    this.#line('k', { at: Date.now(), level, said, ...more });
  }

  /** The line of keeper.log that tells how the agent's process ended. */
  exited(code: number | null, signal: string | null): void {
    const said = signal === null ? say('exited', { exit: code ?? '?' }) : say('ended-by', { signal });
    this.note(said, 'info', { exit: { code, signal } });
  }

  /** A line of stdin.log. */
  sent(message: Message): void {
    this.#line('i', { at: Date.now(), ...message });
  }

  close(): void {
    for (const key of STREAM_KEYS) closeSync(this.#streams[key].fd);
    closeSync(this.#times);
  }

  #line(key: StreamKey, line: KeeperNote | SentMessage): void {
    this.#append(key, Buffer.from(`${JSON.stringify(line)}\n`), line.at);
  }

  #append(key: StreamKey, data: Buffer, at: number): void {
    const stream = this.#streams[key];
    stream.size += data.length;
    const wasBlocked = this.blocked;
    this.#pending.push(
      { fd: stream.fd, data },
      {
        fd: this.#times,
        data: Buffer.from(`${key} ${at} ${stream.size}\n`),
        grown: { stream: key, at, end: stream.size },
      },
    );
    if (wasBlocked) return;
    const trouble = this.#write();
    if (trouble === undefined) return;
    this.#ready = Promise.withResolvers();
    this.#retry = setInterval(() => this.#again(), RETRY);
    this.note(say(SPACE.includes(trouble) ? 'disk-full' : 'disk-broken', { reason: trouble }), 'error');
  }

  #again(): void {
    if (this.#write() !== undefined) return;
    clearInterval(this.#retry);
    // Resolved first: the note may meet trouble again, which makes a new promise.
    this.#ready.resolve(undefined);
    this.note(say('disk-works'));
  }

  /** Writes what is pending, in order. Returns the code of the error that stopped it. */
  #write(): string | undefined {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      try {
        const written = writeSync(next.fd, next.data);
        // A disk that is nearly full takes a part.
        if (written < next.data.length) {
          this.#pending[0] = { ...next, data: next.data.subarray(written) };
        } else {
          this.#pending.shift();
          if (next.grown !== undefined) this.#grew(next.grown);
        }
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? 'unknown error';
      }
    }
    return undefined;
  }
}

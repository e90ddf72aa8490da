import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Driver, DriverEvent, DriverSpec, Wish } from '../drivers/driver.ts';
import { LineOrder, type RunStream } from '../drivers/replay.ts';
import { RUN_FILES } from '../keeper/protocol.ts';
import { hasCode } from '../platform/errors.ts';

/** How much is read at a time: bytes of a stream, and of times.log, of which each hint brings a line or two. */
const PIECE = 256 * 1024;
const TIMES_PIECE = 4 * 1024;

export interface DrivenRunOptions {
  /** The run's folder. */
  readonly folder: string;
  readonly driver: Driver;
  readonly spec: DriverSpec;
  /** Told of what the lines meant, in their order; also of those that were there before. */
  readonly onEvents: (events: readonly DriverEvent[]) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * A run whose agent speaks a live protocol. Its state follows from the run's logs alone: a new leader reads them from their
 * beginning, and goes on where the leader before it had stopped.
 */
export class DrivenRun {
  readonly #options: DrivenRunOptions;
  readonly #order = new LineOrder();
  readonly #files = new Map<string, FileHandle>();
  readonly #read = { i: 0, o: 0, e: 0 };
  #state: unknown;
  #times = { offset: 0, rest: '' };
  #work: Promise<void> = Promise.resolve();
  #isHinted = false;
  #disposed = false;

  constructor(options: DrivenRunOptions) {
    this.#options = options;
    this.#state = options.driver.start(options.spec);
  }

  /** Something was recorded. */
  hint(): void {
    if (this.#isHinted) return;
    this.#isHinted = true;
    void this.#catchUp().catch(this.#options.onError);
  }

  /** What a wish comes to, after all that was recorded so far. */
  async wish(make: (driver: Driver, state: unknown) => Wish): Promise<Wish> {
    this.#isHinted = true;
    await this.#catchUp();
    return make(this.#options.driver, this.#state);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#work.catch(() => undefined);
    for (const file of this.#files.values()) await file.close();
    this.#files.clear();
  }

  #catchUp(): Promise<void> {
    this.#work = this.#work
      .catch(() => undefined)
      .then(() => {
        this.#isHinted = false;
        return this.#follow();
      });
    return this.#work;
  }

  /** times.log is the one order of all streams. */
  async #follow(): Promise<void> {
    const times = await this.#open(RUN_FILES.times);
    if (times === undefined) return;
    for (;;) {
      const { bytesRead, buffer } = await times.read(
        Buffer.allocUnsafe(TIMES_PIECE),
        0,
        TIMES_PIECE,
        this.#times.offset,
      );
      if (bytesRead === 0 || this.#disposed) return;
      this.#times.offset += bytesRead;
      const lines = (this.#times.rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      this.#times.rest = lines.pop() ?? '';
      for (const line of lines) await this.#chunk(line);
    }
  }

  async #chunk(line: string): Promise<void> {
    const [, stream, at, end] = /^([ioe]) (\d+) (\d+)$/.exec(line) ?? [];
    if (stream === undefined) return;
    const key = stream as RunStream;
    const file = await this.#open(RUN_FILES[key]);
    while (file !== undefined && !this.#disposed && this.#read[key] < Number(end)) {
      const length = Math.min(PIECE, Number(end) - this.#read[key]);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, this.#read[key]);
      if (bytesRead === 0) return;
      this.#read[key] += bytesRead;
      const events: DriverEvent[] = [];
      for (const one of this.#order.chunk(key, buffer.subarray(0, bytesRead), Number(at))) {
        const step = this.#options.driver.step(this.#state, one);
        this.#state = step.state;
        events.push(...step.events);
      }
      if (events.length > 0) this.#options.onEvents(events);
    }
  }

  async #open(name: string): Promise<FileHandle | undefined> {
    const known = this.#files.get(name);
    if (known !== undefined || this.#disposed) return known;
    try {
      const file = await open(path.join(this.#options.folder, name));
      this.#files.set(name, file);
      return file;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

import type { Readable } from 'node:stream';
import type { Recorder } from './recorder.ts';

/**
 * How long the keeper leaves the pipes alone after it has emptied them: ms. An agent that prints line by line would wake it for
 * each; so the first line is recorded at once, and what follows within this time is read together. Short after a pause, twice as
 * long each time when more was waiting at the end of a rest: what a steady printer costs is the number of times it is read.
 */
const REST = { shortest: 16, longest: 96 };

/** What is read within this time after a rest was waiting: ms. */
const WAITING = 5;

/** After so much there is no rest: the agent has much to say, and its pipe, which holds some 200 short writes, must not fill. */
const MUCH = { bytes: 48 * 1024, lines: 128 };

/**
 * What a stream of node reads a pipe with. Its own `pause` goes on reading until 64 KiB are in memory, and so spares no
 * wake-up; no public call stops the reading itself. Where there is no such handle, every piece is read as it comes.
 */
interface Handle {
  readStart(): unknown;
  readStop(): unknown;
}

interface Pipe {
  readonly stream: Readable & { readonly _handle?: Handle | null };
  readonly closed: Promise<void>;
}

/**
 * Moves what an agent prints from its pipes to the recorder, chunk by chunk as they are read. While the keeper rests or the
 * disk refuses, the bytes stay in the pipes, and an agent that prints more than fits there waits.
 */
export class Output {
  readonly #recorder: Recorder;
  readonly #pipes: readonly Pipe[];
  #rest = REST.shortest;
  #restedUntil = -Infinity;
  #resting: NodeJS.Timeout | undefined;
  #restDue = false;
  #blocked = false;
  #much = false;
  #hurry = false;
  #readSinceEnd = 0;

  constructor(stdout: Readable, stderr: Readable, recorder: Recorder) {
    this.#recorder = recorder;
    this.#pipes = [this.#pipe(stdout, 'o'), this.#pipe(stderr, 'e')];
  }

  /** Reads without rest from now on: the agent has ended, and what is left in the pipes is all there is. */
  hurry(): void {
    this.#hurry = true;
    this.#wake();
  }

  /** Resolves when nobody holds the other ends of the pipes any longer, and all is read. */
  get ended(): Promise<unknown> {
    return Promise.all(this.#pipes.map(({ closed }) => closed));
  }

  /** Bytes that were read since `hurry`. */
  get readSinceEnd(): number {
    return this.#readSinceEnd;
  }

  /** Lets go of the pipes, whoever still holds their other ends. */
  close(): void {
    for (const { stream } of this.#pipes) stream.destroy();
  }

  #pipe(stream: Readable, key: 'o' | 'e'): Pipe {
    const closed = new Promise<void>((resolve) => stream.once('close', resolve));
    // A pipe that breaks is at its end like any other; `close` follows in each case.
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      this.#recorder.chunk(key, chunk);
      if (this.#hurry) this.#readSinceEnd += chunk.length;
      if (this.#recorder.blocked) this.#waitForDisk();
      else this.#restSoon(chunk);
    });
    return { stream, closed };
  }

  #waitForDisk(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#stopReading();
    void this.#recorder.ready.then(() => {
      this.#blocked = false;
      this.#goOn();
    });
  }

  /** Once this turn of the event loop has read what is there. */
  #restSoon(chunk: Buffer): void {
    this.#much ||= chunk.length >= MUCH.bytes || hasLines(chunk, MUCH.lines);
    if (this.#restDue) return;
    this.#restDue = true;
    setImmediate(() => {
      const much = this.#much;
      this.#restDue = this.#much = false;
      if (this.#hurry || much || this.#blocked) return;
      const waited = performance.now() - this.#restedUntil < WAITING;
      this.#rest = waited ? Math.min(2 * this.#rest, REST.longest) : REST.shortest;
      this.#stopReading();
      this.#resting = setTimeout(() => this.#wake(), this.#rest);
    });
  }

  #wake(): void {
    if (this.#resting === undefined) return;
    clearTimeout(this.#resting);
    this.#resting = undefined;
    this.#restedUntil = performance.now();
    this.#goOn();
  }

  #stopReading(): void {
    for (const { stream } of this.#pipes) stream._handle?.readStop();
  }

  #goOn(): void {
    if (this.#blocked || this.#resting !== undefined) return;
    for (const { stream } of this.#pipes) stream._handle?.readStart();
  }
}

/** Whether it holds so many line ends. */
function hasLines(chunk: Buffer, count: number): boolean {
  let at = -1;
  for (let seen = 0; seen < count; seen++) {
    at = chunk.indexOf(10, at + 1);
    if (at === -1) return false;
  }
  return true;
}

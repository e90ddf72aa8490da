import type { Readable } from 'node:stream';
import type { Recorder } from './recorder.ts';

/**
 * How long the keeper sleeps after it has emptied the pipes: ms. An agent that prints line by line would wake it for each;
 * so the first line is recorded at once, and what follows within this time is read together. Short after a pause, twice as
 * long each time when more was waiting at the end of a rest: whoever prints all the time is read at a tenth of the work.
 */
const REST = { shortest: 16, longest: 64 };

/** What is read within this time after a rest was waiting: ms. */
const WAITING = 5;

/** After a chunk of this length there is no rest: the agent has much to say, and should not have to wait. Bytes. */
const MUCH = 16 * 1024;

interface Pipe {
  readonly stream: Readable;
  readonly closed: Promise<void>;
}

/**
 * Moves what an agent prints from its pipes to the recorder, chunk by chunk as they are read. While the keeper rests or the
 * disk refuses, the bytes stay in the pipes, and an agent that prints more than fits there waits.
 */
export class Output {
  readonly #recorder: Recorder;
  readonly #pipes: readonly Pipe[];
  readonly #clock = new Int32Array(new SharedArrayBuffer(4));
  #rest = REST.shortest;
  #restedUntil = -Infinity;
  #restDue = false;
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
      if (this.#recorder.blocked) {
        stream.pause();
        void this.#recorder.ready.then(() => stream.resume());
      }
      this.#restSoon(chunk.length);
    });
    return { stream, closed };
  }

  /** Once this turn of the event loop has read what is there. */
  #restSoon(bytes: number): void {
    this.#much ||= bytes >= MUCH;
    if (this.#restDue) return;
    this.#restDue = true;
    setImmediate(() => {
      const much = this.#much;
      this.#restDue = this.#much = false;
      if (this.#hurry || much) return;
      const waited = performance.now() - this.#restedUntil < WAITING;
      this.#rest = waited ? Math.min(2 * this.#rest, REST.longest) : REST.shortest;
      // The thread itself sleeps: a client's request can wait that long, and to stop and start reading with a timer between
      // costs three more wake-ups of the process, which is most of what a line costs.
      Atomics.wait(this.#clock, 0, 0, this.#rest);
      this.#restedUntil = performance.now();
    });
  }
}

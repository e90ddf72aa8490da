import type { Readable } from 'node:stream';
import type { StreamKey } from './protocol.ts';
import type { Recorder } from './recorder.ts';

/**
 * How long reading rests after the pipe was found empty: ms. An agent that prints line by line would wake the keeper for
 * each; so the first line is read at once, and what follows within this time is read as one chunk.
 */
const REST = 10;

/** What node reads from a pipe at once. A shorter chunk means that the pipe is empty now. */
const FULL = 64 * 1024;

/**
 * Moves what an agent prints from its pipe to the recorder. Nothing is kept in between: while the pump rests or the disk
 * refuses, the bytes stay in the pipe, and an agent that prints more than fits there waits.
 */
export class Pump {
  readonly #stream: Readable;
  readonly #key: StreamKey;
  readonly #recorder: Recorder;
  #hurry = false;
  #rest: NodeJS.Timeout | undefined;
  /** Bytes that were read since the agent ended. */
  #drained = 0;
  #empty = true;
  /** Resolves when there is nothing more to come: nobody holds the other end any longer. */
  readonly ended: Promise<void>;

  constructor(stream: Readable, key: StreamKey, recorder: Recorder) {
    this.#stream = stream;
    this.#key = key;
    this.#recorder = recorder;
    // A pipe that breaks is at its end like any other; `close` follows in each case.
    stream.on('error', () => undefined);
    this.ended = new Promise((resolve) => stream.once('close', resolve));
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Reads without rest from now on: the agent has ended, and what is left in the pipe is all there is. */
  hurry(): void {
    this.#hurry = true;
    clearTimeout(this.#rest);
    if (!this.#recorder.blocked) this.#stream.resume();
  }

  /**
   * Whether all that can have been in the pipe when the agent ended has been read (a pipe holds less than 1 MiB). To be asked
   * some time after `hurry`.
   */
  get drained(): boolean {
    return !this.#recorder.blocked && (this.#empty || this.#drained > 1024 * 1024 || this.#stream.destroyed);
  }

  /** Lets go of the pipe, whoever still holds its other end. */
  close(): void {
    this.#stream.destroy();
  }

  #take(chunk: Buffer): void {
    this.#recorder.chunk(this.#key, chunk);
    if (this.#hurry) {
      this.#drained += chunk.length;
      this.#empty = chunk.length < FULL;
    }
    if (this.#recorder.blocked) {
      this.#stream.pause();
      void this.#recorder.ready.then(() => this.#stream.resume());
    } else if (!this.#hurry && chunk.length < FULL) {
      this.#stream.pause();
      this.#rest = setTimeout(() => this.#stream.resume(), REST);
    }
  }
}

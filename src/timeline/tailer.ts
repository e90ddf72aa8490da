import path from 'node:path';
import { STREAM_KEYS, RUN_FILES, type StreamKey } from '../keeper/protocol.ts';
import { LineScanner, type ScannedLine } from './line-scanner.ts';
import { LogFile } from './log-file.ts';

/** A line of one of a run's streams. */
export interface TailLine extends ScannedLine {
  readonly stream: StreamKey;
  /** Arrival of the chunk that completed the line, ms since the epoch. */
  readonly at: number;
}

export type OnLine = (line: TailLine) => boolean;

/** `more`: the time was up. `waiting`: all that is there was read. `done`: the run is over and read to its end. */
export type TailState = 'more' | 'waiting' | 'done';

/** Bytes to look through, or lines to deliver, between two looks at the clock. */
const BYTES_PER_LOOK = 1024 * 1024;
const LINES_PER_LOOK = 32;

/** How often the files' identity is looked at, in ms. */
const IDENTITY_MS = 500;

interface Chunk {
  readonly stream: StreamKey;
  readonly at: number;
  readonly end: number;
}

interface Stream {
  readonly key: StreamKey;
  readonly file: LogFile;
  readonly lines: LineScanner;
  /** Arrival of the last chunk that times.log tells of. */
  lastAt: number;
}

/**
 * Follows the streams of one run, in the order of its times.log. A chunk that times.log does not tell of (the keeper was
 * killed between the two writes) comes last, when the run is over, with the time of the file's last change.
 * Every method throws LogReplaced when a file shrank or was replaced: then start with a new tailer.
 */
export class RunTailer {
  readonly #times: { readonly file: LogFile; readonly lines: LineScanner };
  readonly #streams: Readonly<Record<StreamKey, Stream>>;
  #chunk: Chunk | undefined;
  /** A line that could not be taken yet. */
  #held: TailLine | undefined;
  #identityAt = 0;
  #lastOutputAt: number | undefined;
  /** The stream whose end is being read, as an index of STREAM_KEYS; -1 while times.log leads. */
  #ending = -1;

  /** @param folder the run's folder, which need not exist yet. */
  constructor(folder: string) {
    const open = (name: string) => {
      const file = new LogFile(path.join(folder, name));
      return { file, lines: new LineScanner(file) };
    };
    const stream = (key: StreamKey): Stream => ({ key, ...open(RUN_FILES[key]), lastAt: 0 });
    this.#times = open(RUN_FILES.times);
    this.#streams = { o: stream('o'), e: stream('e'), i: stream('i'), k: stream('k') };
  }

  /** Arrival of the last bytes of stdout or stderr. */
  get lastOutputAt(): number | undefined {
    return this.#lastOutputAt;
  }

  /** Bytes read of all files: what a file has beyond them appeared later. */
  get position(): number {
    return STREAM_KEYS.reduce((sum, key) => sum + this.#streams[key].lines.position, this.#times.lines.position);
  }

  /**
   * Delivers what has arrived.
   * @param onLine false when the line cannot be taken yet: it comes again with the next read. The lines of a run that is
   * over are taken for good.
   * @param over whether nothing more will be written; it has to be found out before the call.
   * @param deadline `performance.now()` at which to stop.
   */
  read(onLine: OnLine, { over, deadline }: { over: boolean; deadline: number }): TailState {
    this.#checkIdentity(over);
    this.#times.file.refresh();
    for (const key of STREAM_KEYS) this.#streams[key].file.refresh();
    if (this.#held !== undefined) {
      if (!onLine(this.#held) && !over) return 'waiting';
      this.#held = undefined;
    }
    for (let count = 1; ; count++) {
      if (count % LINES_PER_LOOK === 0 && performance.now() >= deadline) return 'more';
      const step = this.#ending < 0 ? this.#followTimes(onLine, over) : this.#readEnd(onLine);
      if (step === 'scanned' && performance.now() >= deadline) return 'more';
      if (step === 'waiting' || step === 'done') return step;
    }
  }

  /** Gives back what is not needed while nothing comes. */
  rest(): void {
    this.#times.file.rest();
    for (const key of STREAM_KEYS) this.#streams[key].file.rest();
  }

  close(): void {
    this.#times.file.close();
    for (const key of STREAM_KEYS) this.#streams[key].file.close();
  }

  /** One step along times.log: a line delivered, a piece of a long line looked through, or a chunk taken up. */
  #followTimes(onLine: OnLine, over: boolean): 'stepped' | 'scanned' | 'waiting' {
    if (this.#chunk === undefined) {
      const line = this.#times.lines.next(this.#times.file.size);
      if (line === undefined) {
        if (!over) return 'waiting';
        this.#ending = 0;
        return 'stepped';
      }
      this.#chunk = parseChunk(line.bytes);
      if (this.#chunk === undefined) return 'stepped';
      const { stream, at } = this.#chunk;
      this.#streams[stream].lastAt = at;
      if (stream === 'o' || stream === 'e') this.#lastOutputAt = at;
    }
    const { stream: key, at, end } = this.#chunk;
    const { file, lines } = this.#streams[key];
    const line = lines.next(Math.min(end, file.size), BYTES_PER_LOOK);
    if (line !== undefined) {
      const found: TailLine = { stream: key, at, ...line };
      if (onLine(found) || over) return 'stepped';
      this.#held = { ...found, bytes: Buffer.from(found.bytes) };
      return 'waiting';
    }
    if (lines.position < Math.min(end, file.size)) return 'scanned';
    // times.log may be seen a moment before the bytes that it tells of.
    if (lines.position < end && !over && file.refresh() < end) return 'waiting';
    if (lines.position >= end || over) this.#chunk = undefined;
    return 'stepped';
  }

  /** One step through what no line of times.log tells of. */
  #readEnd(onLine: OnLine): 'stepped' | 'scanned' | 'done' {
    const key = STREAM_KEYS[this.#ending];
    if (key === undefined) return 'done';
    const stream = this.#streams[key];
    const { file, lines } = stream;
    if (lines.position < file.size) {
      stream.lastAt = file.modifiedAt();
      if (key === 'o' || key === 'e') this.#lastOutputAt = Math.max(this.#lastOutputAt ?? 0, stream.lastAt);
    }
    const line = lines.next(file.size, BYTES_PER_LOOK);
    if (line === undefined && lines.position < file.size) return 'scanned';
    const delivered = line ?? lines.rest();
    if (delivered !== undefined) onLine({ stream: key, at: stream.lastAt, ...delivered });
    if (line === undefined) this.#ending += 1;
    return 'stepped';
  }

  /** @param last whether this may be the last look: what is read to the end of a file that is not there any more stays wrong. */
  #checkIdentity(last: boolean): void {
    const now = performance.now();
    if (!last && now - this.#identityAt < IDENTITY_MS) return;
    this.#identityAt = now;
    this.#times.file.checkIdentity();
    for (const key of STREAM_KEYS) this.#streams[key].file.checkIdentity();
  }
}

/** A line of times.log; undefined for one that is none, which says nothing that the streams' ends would not. */
function parseChunk(bytes: Buffer): Chunk | undefined {
  const [stream, at, end, more] = bytes.toString('latin1').split(' ');
  const key = STREAM_KEYS.find((one) => one === stream);
  const [time, offset] = [Number(at), Number(end)];
  if (key === undefined || more !== undefined || !Number.isSafeInteger(time) || !Number.isSafeInteger(offset)) {
    return undefined;
  }
  return { stream: key, at: time, end: offset };
}

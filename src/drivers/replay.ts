import { StringDecoder } from 'node:string_decoder';
import { natural, nonEmpty, optional, parseJson, positive, shape, string } from '../platform/check.ts';
import type { Driver, DriverEvent, DriverLine, DriverSpec, Outgoing } from './driver.ts';

/** The streams of a run that a driver reads, by their letters in times.log. */
export type RunStream = 'i' | 'o' | 'e';

const STREAMS = { i: 'in', o: 'out', e: 'err' } as const;

/** A longer line is no line of a protocol: what comes behind so many characters is passed over. */
const LONGEST = 64 * 1024 * 1024;

const sentLine = shape({ at: natural, text: string, key: optional(nonEmpty), turn: optional(positive) });

/**
 * Makes lines of the chunks that a keeper recorded, however they were cut. A line stands where its end arrived, so that it has the
 * same place whether it is read from the logs or as it comes.
 */
export class LineOrder {
  readonly #rest = { i: new Rest(), o: new Rest(), e: new Rest() };

  /** The lines that end in a chunk. */
  chunk(stream: RunStream, bytes: Uint8Array, at: number): readonly DriverLine[] {
    return this.#rest[stream].add(bytes).flatMap((text): DriverLine[] => {
      return stream === 'i' ? sent(text) : [{ stream: STREAMS[stream], text, at }];
    });
  }
}

/** A line of stdin.log. One that is damaged was no message that could be read back. */
function sent(line: string): DriverLine[] {
  try {
    return [{ stream: 'in', ...parseJson(line, sentLine, 'stdin.log') }];
  } catch {
    return [];
  }
}

/** The unfinished line of a stream. */
class Rest {
  readonly #decoder = new StringDecoder('utf8');
  #text = '';

  add(bytes: Uint8Array): readonly string[] {
    const parts = this.#decoder.write(Buffer.from(bytes)).split('\n');
    const last = parts.pop() ?? '';
    const whole = parts.map((part, index) => {
      const line = index === 0 ? this.#text + part : part;
      return line.endsWith('\r') ? line.slice(0, -1) : line;
    });
    const begun = whole.length > 0 ? last : this.#text + last;
    this.#text = begun.length > LONGEST ? begun.slice(0, LONGEST) : begun;
    return whole;
  }
}

/** The lines of a run, from the whole of its times.log and of its streams' files. */
export function linesInOrder(times: string, logs: Readonly<Record<RunStream, Uint8Array>>): readonly DriverLine[] {
  const order = new LineOrder();
  const read = { i: 0, o: 0, e: 0 };
  return times.split('\n').flatMap((entry) => {
    const [, stream, at, end] = /^([ioe]) (\d+) (\d+)$/.exec(entry) ?? [];
    if (stream === undefined) return [];
    const key = stream as RunStream;
    const chunk = logs[key].subarray(read[key], Number(end));
    read[key] = Math.max(read[key], Number(end));
    return order.chunk(key, chunk, Number(at));
  });
}

/** What a run came to: the driver's state after all its lines. `send` is what was due at any time; the keeper knows what it had. */
export function replay<S>(
  driver: Driver<S>,
  spec: DriverSpec,
  lines: Iterable<DriverLine>,
): { readonly state: S; readonly events: readonly DriverEvent[]; readonly send: readonly Outgoing[] } {
  let state = driver.start(spec);
  const events: DriverEvent[] = [];
  const send: Outgoing[] = [];
  for (const line of lines) {
    const step = driver.step(state, line);
    state = step.state;
    events.push(...step.events);
    send.push(...step.send);
  }
  return { state, events, send };
}

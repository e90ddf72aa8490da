import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { RUN_FILES } from '../../keeper/protocol.ts';
import { hasCode } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { runFolder } from '../../platform/paths.ts';
import { watchFile } from '../../platform/watch.ts';
import { timelineSource } from '../../sessions/timeline-source.ts';
import { isOpen } from '../../store/lifecycle.ts';
import type { Session } from '../../store/model.ts';
import { ALL_ROWS, type Row } from '../../protocol/rows.ts';
import { Timelines } from '../../timeline/timelines.ts';
import { ownPrograms } from '../programs.ts';
import { harmless, say } from './output.ts';
import type { Place } from './place.ts';

/** Read at a time: bytes. */
const PIECE = 64 * 1024;
/** A line that is longer is shown before its end has come: characters. */
const LONGEST_LINE = 64 * 1024;
const PAGE = 500;
/** How long to wait for the first output of an open turn to be read, and for what comes next: ms. */
const FIRST_ROWS = 3000;
const NEXT_ROWS = 300;

/** What it would tell is in the log of whoever acts, too. */
const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Prints what the agent printed, in the order of its turns; with `follow`, until no turn is open any more. */
export async function printLog({ store }: Place, id: string, follow: boolean): Promise<void> {
  const tails = new Map<string, Tail>();
  const catchUp = (): void => {
    const runs = store.get(id)?.runs ?? [];
    for (const { number } of runs) {
      for (const stream of [RUN_FILES.o, RUN_FILES.e]) {
        const file = path.join(runFolder(store.folder, id, number), stream);
        const tail = tails.get(file) ?? new Tail(file);
        tails.set(file, tail);
        tail.read();
      }
    }
  };
  catchUp();
  if (follow) await untilOver({ store }, id, catchUp);
  for (const tail of tails.values()) tail.end();
}

/** Prints the events of a session's timeline; with `follow`, until no turn is open any more. */
export async function printEvents(
  { store }: Place,
  id: string,
  { follow, print }: { readonly follow: boolean; readonly print: (row: Row) => void },
): Promise<void> {
  const { worker, wasm } = ownPrograms();
  const timelines = new Timelines({ worker, wasm, log: SILENT });
  const source = (): ReturnType<typeof timelineSource> | undefined => {
    const session = store.get(id);
    return session && timelineSource(store.folder, session);
  };
  const first = source();
  if (first === undefined) return;
  const close = timelines.open(first);
  let printed = 0;
  let rev = 0;
  const catchUp = async (): Promise<void> => {
    for (;;) {
      const page = await timelines.page(id, ALL_ROWS, printed, PAGE);
      page.rows.forEach(print);
      printed += page.rows.length;
      if (printed >= page.total) {
        // Calls that have come to their end since they were printed.
        const delta = await timelines.delta(id, rev, ALL_ROWS);
        if (rev > 0 && !delta.reset) {
          for (const row of delta.changed) {
            if (row.seq <= printed && row.tool !== undefined && row.tool.state !== 'running') print(row);
          }
        }
        rev = page.rev;
        return;
      }
    }
  };
  try {
    const over = (): Promise<unknown> => {
      const turn = store.get(id)?.turns.findLast(({ endedAt }) => endedAt !== undefined);
      return turn === undefined ? Promise.resolve() : timelines.judge(id, turn.number);
    };
    await over();
    if (store.get(id)?.turns.some(isOpen) === true) await quiet(timelines);
    await catchUp();
    if (follow) {
      let work = Promise.resolve();
      const look = (): void => {
        const now = source();
        if (now !== undefined) timelines.update(now);
        work = work.then(catchUp);
        work.catch(() => undefined);
      };
      const unsubscribe = timelines.onActivity(look);
      await untilOver({ store }, id, look);
      unsubscribe();
      await work;
      await over();
      await catchUp();
    }
  } finally {
    close();
    await timelines.dispose();
  }
}

/** Resolves when what was there of an open turn has been read: nothing more comes of it for a moment. */
function quiet({ onActivity }: Timelines): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let timer = setTimeout(() => resolve(undefined), FIRST_ROWS);
  const unsubscribe = onActivity(() => {
    clearTimeout(timer);
    timer = setTimeout(() => resolve(undefined), NEXT_ROWS);
  });
  return promise.finally(unsubscribe);
}

/** Calls `look` whenever something may have come, until no turn of the session is open any more. */
function untilOver({ store }: Pick<Place, 'store'>, id: string, look: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const watches = new Map<string, () => void>();
  const step = (): void => {
    const session = store.get(id);
    for (const { number } of session?.runs ?? []) {
      const file = path.join(runFolder(store.folder, id, number), RUN_FILES.times);
      if (!watches.has(file)) watches.set(file, watchFile(file, step));
    }
    look();
    if (session === undefined || !goesOn(session)) resolve(undefined);
  };
  const unsubscribe = store.onDidChange(step);
  // What watches lets the process end; this keeps it.
  const alive = setInterval(() => store.refresh(), 1000);
  step();
  return promise.finally(() => {
    clearInterval(alive);
    unsubscribe();
    for (const stop of watches.values()) stop();
  });
}

function goesOn({ turns }: Session): boolean {
  return turns.some(isOpen);
}

/** A growing file, printed line by line. */
class Tail {
  readonly #file: string;
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  read(): void {
    let fd: number;
    try {
      fd = openSync(this.#file, 'r');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    try {
      const piece = Buffer.alloc(PIECE);
      while (this.#offset < fstatSync(fd).size) {
        const length = readSync(fd, piece, 0, PIECE, this.#offset);
        if (length === 0) return;
        this.#offset += length;
        this.#print(this.#decoder.write(piece.subarray(0, length)));
      }
    } finally {
      closeSync(fd);
    }
  }

  end(): void {
    if (this.#rest !== '') say(harmless(this.#rest));
    this.#rest = '';
  }

  #print(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) {
      lines.push(this.#rest);
      this.#rest = '';
    }
    if (lines.length > 0) say(lines.map(harmless).join('\n'));
  }
}

import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Dispose } from './emitter.ts';

/** How often files are looked at where the system tells nothing, in ms. */
const POLL_MS = 1_000;

interface WatchOptions {
  readonly pollMs?: number;
}

/**
 * Calls `onHint` when the file may have changed, appeared or gone: "look again", nothing more. Hints of one moment come
 * as one. The system's events are backed by a slow look at the file, because network file systems send none and busy
 * ones lose some: a change is told within twice the poll time. The file need not exist; its folder neither.
 */
export function watchFile(file: string, onHint: () => void, options: WatchOptions = {}): Dispose {
  return listen(path.resolve(file), path.dirname(path.resolve(file)), path.basename(file), onHint, options);
}

/** The same for the names in a folder. What is written inside its files need not give a hint. */
export function watchFolder(folder: string, onHint: () => void, options: WatchOptions = {}): Dispose {
  return listen(path.resolve(folder), path.resolve(folder), undefined, onHint, options);
}

/** What is watched, by path: all listeners of one path share one watcher and one look per tick. */
const watched = new Map<string, Watched>();

function listen(
  target: string,
  folder: string,
  name: string | undefined,
  onHint: () => void,
  { pollMs = POLL_MS }: WatchOptions,
): Dispose {
  const key = JSON.stringify([target, name === undefined, pollMs]);
  let one = watched.get(key);
  if (one === undefined) {
    one = new Watched(target, folder, name, pollMs);
    watched.set(key, one);
  }
  // A wrapper of its own, so that one function may listen twice.
  const own = (): void => onHint();
  one.listeners.add(own);
  return () => {
    one.listeners.delete(own);
    if (one.listeners.size === 0 && watched.get(key) === one) {
      watched.delete(key);
      one.stop();
    }
  };
}

class Watched {
  readonly listeners = new Set<() => void>();
  readonly #target: string;
  readonly #folder: string;
  readonly #name: string | undefined;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #hint: NodeJS.Immediate | undefined;
  /** What the last look saw; undefined before the first. */
  #seen: string | undefined;
  /** How many changes the system told of, and how many there were at the last look. */
  #events = 0;
  #eventsSeen = 0;
  #looking = false;
  #stopped = false;

  constructor(target: string, folder: string, name: string | undefined, pollMs: number) {
    this.#target = target;
    this.#folder = folder;
    this.#name = name;
    this.#watch();
    this.#timer = setInterval(() => void this.#look(), pollMs).unref();
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearImmediate(this.#hint);
    this.#watcher?.close();
  }

  #watch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      // The folder, not the file: a watch on a file ends when the file is replaced.
      const watcher = watch(this.#folder, { persistent: false }, (_event, name) => {
        if (this.#name !== undefined && name !== null && name !== this.#name) return;
        this.#events++;
        this.#tell();
      });
      watcher.on('error', () => {
        watcher.close();
        if (this.#watcher === watcher) this.#watcher = undefined;
      });
      this.#watcher = watcher;
    } catch {
      // No folder yet, no watches left, or a file system without events: the looks go on, and each tries again.
    }
  }

  #tell(): void {
    this.#hint ??= setImmediate(() => {
      this.#hint = undefined;
      for (const listener of [...this.listeners]) listener();
    }).unref();
  }

  async #look(): Promise<void> {
    // A look at a file system that hangs is not repeated.
    if (this.#looking) return;
    this.#looking = true;
    const events = this.#events;
    const now = await stat(this.#target, { bigint: true }).then(
      (s) => `${s.dev} ${s.ino} ${s.size} ${s.mtimeNs}`,
      () => 'nothing',
    );
    this.#looking = false;
    if (this.#stopped) return;
    const changed = this.#seen !== undefined && now !== this.#seen;
    this.#seen = now;
    if (changed) this.#tell();
    // A change without an event: the watcher is deaf (its folder was replaced, say), so take a new one.
    if (this.#watcher === undefined || (changed && this.#events === this.#eventsSeen)) this.#watch();
    this.#eventsSeen = events;
  }
}

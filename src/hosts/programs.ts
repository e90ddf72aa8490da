import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mapOf, parseJson, string } from '../platform/check.ts';
import { errorText, hasCode, TreelineError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER, privateFolder } from '../platform/paths.ts';
import { commandLines } from '../platform/process-table.ts';

/** The programs that run beside a window or without one. */
export interface Programs {
  readonly keeper: string;
  readonly steward: string;
  readonly worker: string;
  readonly wasm: string;
}

/** What a copy holds, and the digests of it. */
const FILES = ['keeper.cjs', 'steward.cjs', 'indexer.cjs', 'treeline.cjs', 'sql-wasm.wasm'] as const;
const DIGESTS = 'digests.json';
const readDigests = mapOf(string);

/** A copy that another window has just made may have nothing running from it yet: ms. */
const YOUNG = 24 * 3600 * 1000;

/** The programs in a folder, as they are bundled. */
export function programsIn(folder: string): Programs {
  return {
    keeper: path.join(folder, 'keeper.cjs'),
    steward: path.join(folder, 'steward.cjs'),
    worker: path.join(folder, 'indexer.cjs'),
    wasm: path.join(folder, 'sql-wasm.wasm'),
  };
}

/** Those of the same build as the program that runs: bundles beside it, or the sources, which node runs as they are. */
export function ownPrograms(): Programs {
  const here = import.meta.dirname;
  if (path.basename(here) !== 'hosts') return programsIn(here);
  return {
    keeper: path.join(here, '../keeper/main.ts'),
    steward: path.join(here, 'detached.ts'),
    worker: path.join(here, '../timeline/worker.ts'),
    wasm: path.join(here, '../../node_modules/sql.js/dist/sql-wasm.wasm'),
  };
}

/** `<globalStorage>/programs`: a copy of the programs for each build that is in use. */
export function programsFolder(globalStorage: string): string {
  return path.join(globalStorage, 'programs');
}

/**
 * What outlives a window runs from a copy in the global storage: an update of the extension deletes the folder that it was
 * installed in.
 */
export class ProgramCopy {
  readonly #from: string;
  readonly #folder: string;
  readonly #log: Log;
  #made: Promise<Programs> | undefined;

  /** @param from the folder with the bundles, as the extension was installed. */
  constructor(options: {
    readonly from: string;
    readonly globalStorage: string;
    readonly build: string;
    readonly log: Log;
  }) {
    this.#from = options.from;
    this.#folder = path.join(programsFolder(options.globalStorage), options.build);
    this.#log = options.log;
  }

  /** The copy, made where there is none. Throws TreelineError where that cannot be done. */
  async programs(): Promise<Programs> {
    const programs = programsIn(this.#folder);
    // Somebody may have tidied up since.
    if (this.#made === undefined || !existsSync(programs.keeper)) {
      this.#made = this.#make().then(() => programs);
      this.#made.catch(() => (this.#made = undefined));
    }
    return this.#made;
  }

  /** Removes the copies of other builds that nothing runs from. */
  async tidy(now = Date.now()): Promise<void> {
    try {
      const folder = path.dirname(this.#folder);
      const lines = await commandLines();
      // Where no process can be seen, none can be known to have ended.
      if (lines.length === 0) return;
      for (const name of await readdir(folder)) {
        const one = path.join(folder, name);
        if (one === this.#folder || lines.some((line) => line.includes(one + path.sep))) continue;
        // What a keeper's spec names is of the build that the keeper runs from itself.
        if (now - (await stat(one)).mtimeMs < YOUNG) continue;
        this.#log.info(`Nothing runs from ${one} any more: it is removed.`);
        await rm(one, { recursive: true, force: true });
      }
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) this.#log.warn(`Old programs were not removed: ${errorText(error)}`);
    }
  }

  async #make(): Promise<void> {
    try {
      if (!(await isWhole(this.#folder))) await this.#copy();
      // The newest is the one that a window used last.
      const now = new Date();
      await utimes(this.#folder, now, now);
    } catch (cause) {
      throw new TreelineError(
        'programs',
        `Treeline's background programs could not be copied to ${this.#folder} (${errorText(cause)}). Free some space or check the permissions there, then reload the window.`,
        { cause },
      );
    }
  }

  /** Aside first, and then in place in one step: of several windows that do it at once, one does, and all have the same. */
  async #copy(): Promise<void> {
    const folder = path.dirname(this.#folder);
    privateFolder(folder);
    const aside = path.join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(aside, { mode: PRIVATE_FOLDER });
      const digests: Record<string, string> = {};
      for (const file of FILES) {
        await copyFile(path.join(this.#from, file), path.join(aside, file));
        digests[file] = await digest(path.join(this.#from, file));
      }
      await writeFile(path.join(aside, DIGESTS), JSON.stringify(digests), { mode: PRIVATE_FILE });
      if (!(await isWhole(aside))) throw new Error('the copy is not like the original');
      await this.#putInPlace(aside);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }

  async #putInPlace(aside: string): Promise<void> {
    for (;;) {
      try {
        await rename(aside, this.#folder);
        return;
      } catch (error) {
        if (await isWhole(this.#folder)) return;
        if (!existsSync(this.#folder)) throw error;
      }
      // A damaged one goes aside, too: what runs from it keeps its files open.
      const damaged = `${aside}-damaged`;
      await rename(this.#folder, damaged);
      await rm(damaged, { recursive: true, force: true });
    }
  }
}

/** The folder of the copy that a window used last; undefined where there is none. */
export async function newestCopy(globalStorage: string): Promise<string | undefined> {
  const folder = programsFolder(globalStorage);
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => !name.startsWith('.'))
      .map(async (name) => ({ name, at: (await stat(path.join(folder, name))).mtimeMs })),
  );
  const [newest] = found.sort((a, b) => b.at - a.at);
  return newest && path.join(folder, newest.name);
}

/** Whether a copy holds what it held when it was made. */
async function isWhole(folder: string): Promise<boolean> {
  try {
    const digests = parseJson(await readFile(path.join(folder, DIGESTS), 'utf8'), readDigests, DIGESTS);
    const same = await Promise.all(
      FILES.map(async (file) => digests[file] === (await digest(path.join(folder, file)))),
    );
    return same.every(Boolean);
  } catch {
    return false;
  }
}

async function digest(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

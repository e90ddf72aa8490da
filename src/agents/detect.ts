import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import type { Detection, Launch } from './adapter.ts';
import { lastLine } from './judge.ts';
import { expandPlaces } from './places.ts';
import { oneLine } from './text.ts';

/** What was found of an agent's program. */
export interface Detected {
  /** Whether a turn can be tried. */
  readonly found: boolean;
  /** The program's file. */
  readonly path?: string;
  readonly version?: string;
  /** One sentence for the user: what is missing or odd, and what to do. Empty when all is well. */
  readonly hint: string;
}

/** ms that a program has to print its version: the first run of a large one from a cold disk takes seconds. */
const VERSION_TIMEOUT = 15_000;
/** Programs that are asked at once: each may be a large runtime of its own. */
const AT_ONCE = 2;

/** Finds agents' programs on one machine, and remembers what it found. */
export class Detector {
  readonly #env: () => NodeJS.ProcessEnv;
  readonly #timeout: number;
  readonly #known = new Map<string, { readonly at: number; readonly answer: Promise<Detected> }>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param env the environment of the agents; asked anew each time, because the user may change the PATH. */
  constructor(env: () => NodeJS.ProcessEnv, { timeout = VERSION_TIMEOUT }: { readonly timeout?: number } = {}) {
    this.#env = env;
    this.#timeout = timeout;
  }

  /**
   * Looks for a program. Never throws.
   * @param maxAge ms that an earlier answer may be old: 0 looks again, the default takes any.
   */
  detect(detection: Detection, { maxAge = Infinity }: { readonly maxAge?: number } = {}): Promise<Detected> {
    const key = JSON.stringify([detection.argv, detection.install, detection.places]);
    const before = this.#known.get(key);
    if (before && Date.now() - before.at < maxAge) return before.answer;
    const answer = this.#bounded(() => this.#look(detection));
    this.#known.set(key, { at: Date.now(), answer });
    return answer;
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, or is free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  /**
   * A launch with its program's absolute path, as detection finds it now, so that the keeper starts what was shown. A program
   * beyond the PATH gets its folder at the end of it: a script of npm finds its node there. What is not found stays as it is,
   * and the system says so.
   */
  async locate(
    launch: Launch,
    { places }: Pick<Detection, 'places'>,
    platform: NodeJS.Platform = process.platform,
  ): Promise<Launch> {
    const [name = '', ...args] = launch.argv;
    const env = { ...this.#env(), ...launch.env };
    const found = await findAnywhere(name, places, env, platform);
    if (found === undefined) return launch;
    if (launch.promptInArgv === true && isBatchFile(found.file)) {
      throw new TreelineError(
        say('prompt-in-batch-file', { file: found.file, instead: '${promptFile}', placeholder: '${prompt}' }),
      );
    }
    return { ...launch, argv: [found.file, ...args], ...(found.path && { env: { ...launch.env, ...found.path } }) };
  }

  async #look({ argv: [name, ...args], install, places }: Detection): Promise<Detected> {
    if (name === undefined) return { found: true, hint: '' };
    const env = this.#env();
    const found = await findAnywhere(name, places, env, process.platform);
    if (found === undefined) {
      const beyond = places.length > 0 && !isPath(name, process.platform) ? ' or in the usual folders' : '';
      return { found: false, hint: `${oneLine(name, 100)} was not found on the PATH${beyond}. ${install}` };
    }
    if (args.length === 0) return { found: true, path: found.file, hint: '' };
    return this.#ask(found.file, args, { ...env, ...found.path }, install);
  }

  async #ask(program: string, args: readonly string[], env: NodeJS.ProcessEnv, install: string): Promise<Detected> {
    const asked = [program, ...args].join(' ');
    const result = await execa(program, args, {
      env,
      extendEnv: false,
      // Not in a repository: a version must not depend on its files.
      cwd: os.tmpdir(),
      stdin: 'ignore',
      timeout: this.#timeout,
      forceKillAfterDelay: 1000,
      maxBuffer: 64 * 1024,
      reject: false,
      windowsHide: true,
    });
    if (result.timedOut) {
      const hint = `“${asked}” did not respond within ${this.#timeout / 1000} s. Run it in a terminal to see why.`;
      return { found: true, path: program, hint };
    }
    if (result.failed) {
      const why = oneLine(lastLine(result.stderr) ?? result.shortMessage ?? 'no reason given');
      return { found: false, path: program, hint: `“${asked}” failed: ${why} ${install}` };
    }
    const version = versionIn(result.stdout);
    return { found: true, path: program, ...(version !== undefined && { version }), hint: '' };
  }
}

/** `2.1.329` of `2.1.329 (Claude Code)`; the first line where no number stands in it. */
function versionIn(stdout: string): string | undefined {
  const number = /\d+\.\d+(?:\.\d+)?[\w.+-]*/.exec(stdout.slice(0, 1000))?.[0];
  const line = oneLine(stdout.trimStart().split('\n', 1)[0] ?? '', 60);
  return number ?? (line === '' ? undefined : line);
}

/** A program's file, and the PATH to run it with where it lies beyond the PATH. */
interface Found {
  readonly file: string;
  readonly path?: Readonly<Record<string, string>>;
}

/** Looks on the PATH first, then in the places. */
async function findAnywhere(
  name: string,
  places: readonly string[],
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): Promise<Found | undefined> {
  const file = await findProgram(name, env, platform);
  if (file !== undefined) return { file };
  if (isPath(name, platform)) return undefined;
  const beyond = await findIn(await expandPlaces(places, env), name, env, platform);
  if (beyond === undefined) return undefined;
  const { key, value } = pathVariable(env, platform);
  const folder = path.dirname(beyond);
  return { file: beyond, path: { [key]: value === '' ? folder : `${value}${separator(platform)}${folder}` } };
}

/**
 * The file of a program, as the system would find it: a name is looked for in the folders of the PATH, anything with a
 * slash is taken as a path. Folders that are not absolute are passed over: they would mean another one in each worktree.
 */
export function findProgram(
  name: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const { value } = pathVariable(env, platform);
  const folders = isPath(name, platform)
    ? ['']
    : value.split(separator(platform)).filter((one) => path.isAbsolute(one));
  return findIn(folders, name, env, platform);
}

async function findIn(
  folders: readonly string[],
  name: string,
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  const windows = platform === 'win32';
  const endings = windows ? windowsEndings(name, env) : [''];
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.join(folder, `${name}${ending}`);
      if (await isProgram(file, windows)) return file;
    }
  }
  return undefined;
}

function isPath(name: string, platform: NodeJS.Platform): boolean {
  return platform === 'win32' ? /[\\/]/.test(name) : name.includes('/');
}

function separator(platform: NodeJS.Platform): string {
  return platform === 'win32' ? ';' : ':';
}

function pathVariable(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): { key: string; value: string } {
  // Windows does not tell names of variables apart by case: there it usually is `Path`.
  const named = platform === 'win32' ? Object.keys(env).find((name) => name.toUpperCase() === 'PATH') : undefined;
  const key = named ?? 'PATH';
  return { key, value: env[key] ?? '' };
}

/** What may follow a name on Windows. Not run here as Windows would: only the order of the list was. */
function windowsEndings(name: string, env: NodeJS.ProcessEnv): string[] {
  const given = (env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';').filter((ending) => ending.startsWith('.'));
  if (given.some((ending) => name.toUpperCase().endsWith(ending.toUpperCase()))) return [''];
  // What starts without a shell first.
  const lower = given.map((ending) => ending.toLowerCase());
  return [...lower.filter((ending) => !isBatchFile(ending)), ...lower.filter(isBatchFile)];
}

function isBatchFile(file: string): boolean {
  return /\.(bat|cmd)$/i.test(file);
}

async function isProgram(file: string, windows: boolean): Promise<boolean> {
  try {
    if (!(await stat(file)).isFile()) return false;
    if (!windows) await access(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: for a search both are no.
    return false;
  }
}

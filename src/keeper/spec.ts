import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomic } from '../platform/atomic-file.ts';
import {
  invalid,
  listOf,
  natural,
  nonEmpty,
  oneOf,
  optional,
  parseJson,
  positive,
  shape,
  string,
} from '../platform/check.ts';
import type { Read } from '../platform/check.ts';
import { RUN_FILES } from './protocol.ts';
import type { Additions, KeeperSpec } from './protocol.ts';

const one: Read<1> = (value, what) => (value === 1 ? 1 : invalid(what, '1', value));

const token: Read<string> = (value, what) =>
  typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) ? value : invalid(what, '32 hex digits', value);

const argv: Read<readonly string[]> = (value, what) => {
  const words = listOf(string)(value, what);
  return words[0] === undefined || words[0] === '' ? invalid(what, 'a program and its arguments', value) : words;
};

const specShape: Read<KeeperSpec> = shape({
  v: one,
  session: nonEmpty,
  run: positive,
  journal: nonEmpty,
  socket: nonEmpty,
  token,
  argv,
  worktree: nonEmpty,
  stdin: oneOf(['closed', 'prompt', 'lines']),
  protocol: optional(nonEmpty),
  prompt: nonEmpty,
  key: nonEmpty,
  turn: positive,
  steward: optional(shape({ argv, folder: nonEmpty, lease: string })),
  expects: listOf(nonEmpty),
  grace: shape({ interrupt: natural, terminate: natural }),
});

/** Writes spec.json into a run's folder, for the user alone: it holds the token that lets a client drive the agent. */
export function writeSpec(runFolder: string, spec: KeeperSpec): Promise<void> {
  // A power loss ends the agent and its keeper too: nobody reads it after one.
  return writeAtomic(path.join(runFolder, RUN_FILES.spec), `${JSON.stringify(spec, null, 2)}\n`, { sync: false });
}

/** Reads and checks a run's spec.json. Throws TreelineError `invalid`, or the system's error where there is none. */
export async function readSpec(runFolder: string): Promise<KeeperSpec> {
  return parseJson(await readFile(path.join(runFolder, RUN_FILES.spec), 'utf8'), specShape, RUN_FILES.spec);
}

/** As {@link readSpec}, for the keeper: it saves the memory of a thread pool that it may never need again. */
export function readSpecSync(runFolder: string): KeeperSpec {
  return parseJson(readFileSync(path.join(runFolder, RUN_FILES.spec), 'utf8'), specShape, RUN_FILES.spec);
}

/** The variable by which a run's processes are known, also when they left its process tree. */
export const MARK = 'TREELINE_MARK';

/** `NAME=value` of the marker in the environment of every process of a run. */
export function runMarker(session: string, run: number): string {
  return `${MARK}=${session}/${run}`;
}

/** The same, to be added to the environment of a program that is started for a run. */
export function markerEnv(session: string, run: number): Readonly<Record<string, string>> {
  return { [MARK]: `${session}/${run}` };
}

/**
 * Variables that the keeper runs with another value than its agent: it has no use for the user's debugger or loader, and with one
 * arena glibc takes 2 MB less for it. What the agent is to find is kept under another name.
 */
const KEEPERS_OWN: Readonly<Record<string, string | undefined>> = { NODE_OPTIONS: undefined, MALLOC_ARENA_MAX: '1' };

const keptName = (name: string): string => `TREELINE_KEPT_${name}`;

/** The environment to start a keeper with, from the user's. (Spawn leaves undefined values out.) */
export function keeperEnv(users: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = { ...users };
  for (const [name, value] of Object.entries(KEEPERS_OWN)) {
    env[keptName(name)] = env[name];
    env[name] = value;
  }
  if (process.versions['electron'] !== undefined) env['ELECTRON_RUN_AS_NODE'] = '1';
  return env;
}

/** The user's environment again, in a process that was started with {@link keeperEnv}: a keeper, or what a keeper starts. */
export function userEnv(keepers: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = { ...keepers };
  for (const name of Object.keys(KEEPERS_OWN)) {
    env[name] = env[keptName(name)];
    env[keptName(name)] = undefined;
  }
  // It made an Electron program run the keeper, and would do the same to the agent's programs.
  env['ELECTRON_RUN_AS_NODE'] = undefined;
  return env;
}

/** What the agent finds in its environment: the user's, what is added for it alone, and which run of which session it is. */
export function agentEnv(
  keepers: NodeJS.ProcessEnv,
  spec: Pick<KeeperSpec, 'session' | 'run'>,
  additions: Additions = {},
): NodeJS.ProcessEnv {
  return {
    ...userEnv(keepers),
    ...additions,
    TREELINE_SESSION: spec.session,
    TREELINE_RUN: String(spec.run),
    [MARK]: `${spec.session}/${spec.run}`,
  };
}

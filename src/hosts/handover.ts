import type { AgentAdapter } from '../agents/adapter.ts';
import type { Repository } from '../git/types.ts';
import { keeperEnv } from '../keeper/client.ts';
import { readIfExists, writeAtomic } from '../platform/atomic-file.ts';
import { boolean, listOf, mapOf, nonEmpty, optional, parseJson, shape, type Read } from '../platform/check.ts';
import { startDetachedProcess } from '../platform/detached-process.ts';
import { agentEnvironment } from '../platform/environment.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { settingsFile, stewardLogFile } from '../platform/paths.ts';
import { readSettings, type Settings } from '../sessions/settings.ts';

/** What a process needs to know to act for a repository without a window. */
export interface Handover {
  readonly repository: Repository;
  readonly settings: Settings;
  /** The version of who wrote it. */
  readonly version: string;
  /** Names of variables, by the id of the agent that is to have them. Their values are in no file. */
  readonly withheld?: Readonly<Record<string, readonly string[]>>;
  /** The id of the fact by which somebody leads who is about to give that up. */
  readonly follows?: string;
}

const readHandover: Read<Handover> = shape({
  repository: shape({ commonDir: nonEmpty, root: nonEmpty, name: nonEmpty, bare: boolean }),
  settings: readSettings,
  version: nonEmpty,
  withheld: optional(mapOf(listOf(nonEmpty))),
  follows: optional(nonEmpty),
});

/** Reads what a process was given on its stdin. */
export function parseHandover(text: string): Handover {
  return parseJson(text, readHandover, 'What this process was given');
}

/** What the last window wrote down in a store; undefined where none that was trusted ever acted there. */
export async function storedHandover(store: string): Promise<Handover | undefined> {
  const text = await readIfExists(settingsFile(store));
  return text === undefined ? undefined : parseJson(text.toString(), readHandover, settingsFile(store));
}

/** Writes it down, for the user alone and without what may be secret. */
export async function storeHandover(store: string, handover: Handover): Promise<void> {
  await writeAtomic(settingsFile(store), `${JSON.stringify(withoutSecrets(handover), null, 2)}\n`, { sync: false });
}

/** The same without the values of the agents' variables. */
function withoutSecrets({ repository, settings, version, withheld = {} }: Handover): Handover {
  const named = settings.customAgents
    .map(({ id, env }) => [id, [...Object.keys(env), ...(withheld[id] ?? [])]] as const)
    .filter(([, names]) => names.length > 0);
  return {
    repository,
    settings: { ...settings, customAgents: settings.customAgents.map((agent) => ({ ...agent, env: {} })) },
    version,
    ...(named.length > 0 && { withheld: Object.fromEntries(named) }),
  };
}

/** Refuses an agent whose variables this process does not have. */
export function requireVariables({ id, name }: AgentAdapter, { withheld = {} }: Handover): void {
  const names = Object.hasOwn(withheld, id) ? withheld[id] : undefined;
  if (names === undefined) return;
  throw new TreelineError(say('agent-environment', { agent: name, variables: names }));
}

/** How a process that acts without a window is started: it lives long and does little, so V8 is to keep little room for what is young. */
export function detachedArgv(program: string, store: string): readonly [string, ...string[]] {
  return [process.execPath, '--max-semi-space-size=1', program, store];
}

/**
 * Starts a process that acts for a repository without a window, and outlives this one. It ends by itself where somebody else
 * acts, and when nothing is to be done any more. Resolves when it has what it needs.
 * @param handover absent where it is to read what stands in the store.
 */
export async function startDetached(program: string, store: string, handover?: Handover): Promise<void> {
  try {
    await startDetachedProcess(detachedArgv(program, store), {
      env: keeperEnv(agentEnvironment(process.env)),
      output: stewardLogFile(store),
      stdin: handover === undefined ? '' : JSON.stringify(handover),
    });
  } catch (error) {
    throw new TreelineError(
      'steward-start',
      `The background process that works without a window could not be started (${errorText(error)}). Open the repository in VS Code.`,
      { cause: error },
    );
  }
}

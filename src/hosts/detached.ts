/**
 * Acts for one repository while no window is open. `argv[2]` is the repository's store; stdin brings what it needs to know, or
 * nothing: then it reads what the last window wrote down there. It ends when nothing is to be done any more, and when somebody
 * else acts.
 */
import path from 'node:path';
import { adapters } from '../agents/registry.ts';
import { Detector } from '../agents/detect.ts';
import { findRepository } from '../git/repository.ts';
import type { Repository } from '../git/types.ts';
import { MARK, userEnv } from '../keeper/client.ts';
import { agentEnvironment } from '../platform/environment.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { stewardLogFile } from '../platform/paths.ts';
import { selfId } from '../platform/process-id.ts';
import { RULES } from '../store/facts.ts';
import { isVacant } from '../store/leadership.ts';
import { Store } from '../store/store.ts';
import { LocalOutputs } from '../timeline/local-outputs.ts';
import { FileLog } from './file-log.ts';
import { parseHandover, requireVariables, storedHandover, type Handover } from './handover.ts';
import { ownPrograms } from './programs.ts';
import { RepositoryHost } from './repository.ts';

/** How long nothing may have been to be done before it ends: ms. */
const SETTLE = 2000;

/** A look in any case: ms. It is also what keeps this process alive. */
const LOOK_INTERVAL = 30_000;

async function act(folder: string, log: FileLog): Promise<string> {
  useUsersEnvironment();
  const handover = await received(folder);
  const repository = await find(handover.repository);
  const { follows, ...later } = handover;
  const { settings, version } = later;
  const self = await selfId();
  const store = Store.open(folder, { role: 'steward', process: self }, log);
  const { keeper, steward: program } = ownPrograms();
  // Nobody looks here: no rows are made.
  const outputs = new LocalOutputs(log);
  const all = adapters(settings.customAgents, settings.programs);
  const ended = Promise.withResolvers<string>();
  const host = new RepositoryHost({
    repository,
    folder,
    store,
    outputs,
    settings: () => settings,
    adapter: (id) => {
      const adapter = all.find((one) => one.id === id);
      if (adapter === undefined) {
        throw new TreelineError(say('unknown-agent', { agent: id, agents: all.map((one) => one.id) }));
      }
      requireVariables(adapter, handover);
      return adapter;
    },
    detector: new Detector(() => agentEnvironment(process.env)),
    keeper: () => Promise.resolve(keeper),
    self,
    log,
    host: 'detached',
    version,
    onLead: (leads) => {
      if (leads) log.info(`Acts for ${repository.root}.`);
      look();
    },
    succession: { program: () => Promise.resolve(program), handover: () => later },
    onRetired: () => ended.resolve('Somebody else takes over.'),
  });

  let settle: NodeJS.Timeout | undefined;
  const look = (): void => {
    const { steward } = host;
    const { lead, rules } = store.leadership;
    if (rules > RULES) ended.resolve('A newer version of Treeline has worked here.');
    if (!steward.leads && !isVacant(lead) && lead?.fact !== follows) ended.resolve('Somebody else acts.');
    // Each change begins the rest anew; what is still in hand then is looked at again.
    clearTimeout(settle);
    if (!steward.isNeeded) settle = setTimeout(rest, SETTLE);
  };
  const rest = (): void => {
    store.refresh();
    if (host.steward.isNeeded || host.steward.isBusy) look();
    else ended.resolve('Nothing is left to be done.');
  };
  await store.ready;
  const subscriptions = [store.onDidChange(() => look()), store.onFacts(() => look())];
  const timer = setInterval(look, LOOK_INTERVAL);
  // The system goes down, or somebody ends it politely: whoever comes next need not wait to see that it is gone.
  process.on('SIGTERM', () => ended.resolve('It was told to end.'));
  look();
  const why = await ended.promise;
  clearInterval(timer);
  clearTimeout(settle);
  for (const dispose of subscriptions) dispose();
  await host.dispose();
  await outputs.dispose();
  return why;
}

/** It was started with an environment of its own kind; agents get the user's. */
function useUsersEnvironment(): void {
  const env: NodeJS.ProcessEnv = { ...userEnv(process.env), [MARK]: undefined };
  for (const name of Object.keys(process.env)) {
    if (env[name] === undefined) Reflect.deleteProperty(process.env, name);
  }
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined) process.env[name] = value;
  }
}

async function received(folder: string): Promise<Handover> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const handover = text.trim() === '' ? await storedHandover(folder) : parseHandover(text);
  if (handover === undefined) {
    throw new TreelineError(
      'no-settings',
      `${folder} was never used by a trusted window. Open its repository in VS Code.`,
    );
  }
  return handover;
}

/** The repository, also where the worktree is gone through which it was open. */
async function find({ root, commonDir }: Repository): Promise<Repository> {
  for (const folder of [root, path.dirname(commonDir), commonDir]) {
    const found = await findRepository(folder).catch(() => undefined);
    if (found?.commonDir === commonDir) return found;
  }
  throw new TreelineError(
    'no-repository',
    `There is no repository at ${commonDir} any more. Open it in VS Code at its new place.`,
  );
}

const [, , folder = ''] = process.argv;
const log = new FileLog(stewardLogFile(folder));
// The terminal or the login that it was started from may go: none of its business.
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
act(folder, log).then(
  (why) => {
    log.info(`Ends: ${why}`);
    process.exit(0);
  },
  (error: unknown) => {
    log.error(errorText(error));
    process.exit(1);
  },
);

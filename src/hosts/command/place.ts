import { existsSync } from 'node:fs';
import path from 'node:path';
import { Detector } from '../../agents/detect.ts';
import { adapters } from '../../agents/registry.ts';
import type { AgentAdapter } from '../../agents/adapter.ts';
import { findRepository } from '../../git/repository.ts';
import { agentEnvironment } from '../../platform/environment.ts';
import { TreelineError } from '../../platform/errors.ts';
import { say } from '../../words/saying.ts';
import { isSessionId, shortId } from '../../platform/ids.ts';
import type { Log } from '../../platform/log.ts';
import { selfId } from '../../platform/process-id.ts';
import { SessionsOfRepository } from '../../sessions/repository-sessions.ts';
import { TrashRecord } from '../../sessions/trash-record.ts';
import { isAnythingOpen } from '../../steward/attention.ts';
import { isVacant } from '../../store/leadership.ts';
import type { Session } from '../../store/model.ts';
import { storeFolder } from '../../store/store-folder.ts';
import { Store } from '../../store/store.ts';
import { requireVariables, startDetached, storedHandover } from '../handover.ts';
import { ownPrograms } from '../programs.ts';

/** How often to look whether somebody acts, while something is wanted: ms. */
const LOOK_INTERVAL = 250;

/** How long a process may take to begin to act before another one is started: ms. */
const START_WITHIN = 10_000;

const NAMED = 3;

/** A repository's sessions, as the command line has them: it wants and reads, and another process acts. */
export interface Place {
  readonly sessions: SessionsOfRepository;
  readonly store: Store;
  readonly agents: readonly AgentAdapter[];
  readonly detector: Detector;
  /** Does something that somebody has to act on, and sees to it that somebody does. */
  readonly wanting: <T>(work: () => Promise<T>) => Promise<T>;
  /** Refuses an agent for which nobody who acts would have what the settings give it. */
  readonly requireAgent: (id: string) => void;
  /** The session that somebody means; throws TreelineError where it is none, or one of several. */
  readonly find: (name: string | undefined) => Session;
}

/** Warnings and errors go to stderr where somebody asked for them: what a command refuses it says itself. */
const LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => process.env['TREELINE_LOG'] && console.error(message),
  error: (message) => process.env['TREELINE_LOG'] && console.error(message),
};

/** @param globalStorage where Treeline keeps its data; found from where this program lies, if it is not told. */
export async function openPlace(folder: string, globalStorage = ownStorage()): Promise<Place> {
  const repository = await findRepository(folder);
  if (repository === undefined) {
    throw new TreelineError('no-repository', `${folder} is not in a git repository. Change to a folder of one.`);
  }
  const place = storeFolder(globalStorage, repository.commonDir);
  const handover = existsSync(place) ? await storedHandover(place) : undefined;
  if (handover === undefined) {
    throw new TreelineError(
      'not-opened',
      `Treeline has not been used with ${repository.root} yet. Open it once in VS Code as a trusted folder.`,
    );
  }
  const { settings } = handover;
  const agents = adapters(settings.customAgents, settings.programs);
  const adapter = (id: string): AgentAdapter => {
    const found = agents.find((one) => one.id === id);
    if (found !== undefined) return found;
    throw new TreelineError(say('unknown-agent', { agent: id, agents: agents.map((one) => one.id) }));
  };
  const self = await selfId();
  const store = Store.open(place, { role: 'command', process: self }, LOG);
  const detector = new Detector(() => agentEnvironment(process.env));
  const context = { repository, folder: place, store, settings: () => settings, adapter, detector, self, log: LOG };
  const sessions = new SessionsOfRepository({ context, trash: new TrashRecord(place), nudge: () => undefined });
  await store.ready;

  const wanting = async <T>(work: () => Promise<T>): Promise<T> => {
    const failed = Promise.withResolvers<never>();
    let startedAt = -Infinity;
    const look = (): void => {
      store.refresh();
      if (!isVacant(store.leadership.lead) || !isAnythingOpen(store.list())) return;
      if (performance.now() - startedAt < START_WITHIN) return;
      startedAt = performance.now();
      startDetached(ownPrograms().steward, place).catch(failed.reject);
    };
    const timer = setInterval(look, LOOK_INTERVAL);
    const unsubscribe = store.onDidChange(look);
    try {
      return await Promise.race([work(), failed.promise]);
    } finally {
      look();
      clearInterval(timer);
      unsubscribe();
    }
  };

  const requireAgent = (id: string): void => {
    const { lead } = store.leadership;
    if (isVacant(lead) || lead?.host === 'detached') requireVariables(adapter(id), handover);
  };

  return { sessions, store, agents, detector, wanting, requireAgent, find: (name) => find(sessions.list(), name) };
}

/** This program lies in `<globalStorage>/programs/<build>`. */
function ownStorage(): string {
  const programs = path.dirname(import.meta.dirname);
  if (path.basename(programs) === 'programs') return path.dirname(programs);
  throw new TreelineError(
    'no-storage',
    'This program is not where Treeline installed it. Install it with the command “Treeline: Install Shell Command” in VS Code.',
  );
}

/** A session by its id, the end of it, its name, or the beginning of any of them. */
function find(sessions: readonly Session[], name: string | undefined): Session {
  if (name === undefined || name === '') {
    throw new TreelineError('usage', 'Name the session by its ID or name. Run “treeline list” to see them.');
  }
  const lower = name.toLowerCase();
  const ways: readonly ((session: Session) => boolean)[] = [
    ({ id }) => id === name || shortId(id) === lower,
    (session) => session.name.toLowerCase() === lower,
    (session) =>
      (isSessionId(session.id) && (session.id.startsWith(lower) || shortId(session.id).startsWith(lower))) ||
      session.name.toLowerCase().startsWith(lower),
  ];
  for (const way of ways) {
    const found = sessions.filter(way);
    if (found.length === 1 && found[0] !== undefined) return found[0];
    if (found.length > 1) {
      const some = found.slice(0, NAMED).map(({ id, name: called }) => `${shortId(id)} (${called})`);
      const more = found.length > NAMED ? ' and others' : '';
      throw new TreelineError('ambiguous', `“${name}” could be ${some.join(', ')}${more}. Give the ID.`);
    }
  }
  throw new TreelineError('no-session', `There is no session “${name}” here. Run “treeline list” to see them.`);
}

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

import type { Launch } from '../agents/adapter.ts';
import { addWorktree, type AddWorktree, isComplete, recreateWorktree, undoWorktree } from '../git/worktrees.ts';
import { markerEnv, openKeeper, writeSpec, type KeeperConnection } from '../keeper/client.ts';
import type { KeeperSpec } from '../keeper/protocol.ts';
import { endPreparation } from '../keeper/rescue.ts';
import { agentEnvironment } from '../platform/environment.ts';
import { TreelineError, reasonOf } from '../platform/errors.ts';
import type { Guard } from '../platform/guard.ts';
import { say, type Saying, type Code } from '../words/saying.ts';
import { Limiter } from '../platform/limiter.ts';
import { journalFile, privateFolder, runFolder, socketPath, textFile } from '../platform/paths.ts';
import type { Session, Turn } from '../store/model.ts';
import { Rollback, type Unwound } from '../sessions/rollback.ts';
import type { StewardContext } from './context.ts';
import { isReplaced, underLead } from './under-lead.ts';

/**
 * Sessions that are spawned together share the machine: so many of them get their keeper and worktree at a time, whatever the
 * repository. More would only make each other slow (measured with ten at once, 20,000 files each), and none would start early.
 */
const CHECKOUTS = new Limiter(availableParallelism());

/** After this long the next one begins all the same: a hook may hang. ms. */
const HELD = 20_000;

/** Whoever acts hears of all that is recorded; a keeper that has such a client needs no other one. */
export const HOLD = { steward: true, follow: true } as const;

/** A keeper that does not answer within this many ms did not start. */
const KEEPER_TIMEOUT = 20_000;

type Step = Extract<Code, `step.${string}`>;

interface Prepared {
  readonly keeper: Promise<KeeperConnection>;
  readonly env: Launch['env'];
}

/**
 * Starts a claimed turn: its keeper, its worktree where there is none, and at last its agent. The keeper starts while git
 * makes the worktree, and waits. When a step fails or `signal` aborts, all that was made is undone, last first.
 *
 * @throws TreelineError that names the step and what was undone; code `cancelled` after an abort.
 */
export async function startTurn(
  context: StewardContext,
  session: Session,
  turn: Turn,
  run: number,
  signal: AbortSignal,
): Promise<KeeperConnection> {
  const undo = new Rollback();
  const guard = underLead(context);
  let step = say('step.prompt');
  const enter = (name: Step): void => {
    signal.throwIfAborted();
    guard();
    step = say(name);
  };
  try {
    const folder = runFolder(context.folder, session.id, run);
    const promptFile = textFile(context.folder, session.id, turn.text);
    const prompt = await readFile(promptFile, 'utf8');
    privateFolder(folder);
    const isFresh = turn.number === 1 && session.worktreeReadyAt === undefined;

    const prepare = async (): Promise<Prepared> => {
      enter('step.recorder');
      const launch = await launchOf(context, session, turn, prompt, promptFile);
      const spec = await specOf(context, session, turn, run, promptFile, launch);
      await writeSpec(folder, spec);
      let keeper: Promise<KeeperConnection> | undefined;
      const start = (): Promise<KeeperConnection> => {
        if (keeper !== undefined) return keeper;
        const starting = launchKeeper(context, spec, folder, guard);
        // Awaited only after the worktree is made; a failure before then is not an unhandled one.
        starting.catch(() => undefined);
        undo.push(say('made.recorder'), async () => {
          // A keeper whose client leaves before `start` ends by itself.
          const connection = await starting.catch(() => undefined);
          connection?.dispose();
          return connection !== undefined;
        });
        return (keeper = starting);
      };
      const make = (): Promise<void> => {
        enter('step.worktree');
        return makeWorktree(context, session, { run, isFresh }, undo, {
          signal,
          guard,
          onBegun: () => void start(),
        });
      };
      // The checkout first, since it takes longest; the keeper starts beside it.
      if (isFresh) await make();
      const started = start();
      if (!isFresh && !(await isComplete(context.repository, session.worktree))) await make();
      return { keeper: started, env: launch.env };
    };
    enter('step.waiting');
    const { keeper, env } = await (isFresh ? CHECKOUTS.run(prepare, { signal, longest: HELD }) : prepare());
    guard();
    context.store.append({ type: 'worktree.ready', session: session.id });

    enter('step.agent');
    const connection = await keeper;
    signal.throwIfAborted();
    // Who has taken over has ended this keeper before it began anew, or has given it the same word.
    guard();
    try {
      await connection.start(env && { env });
    } catch (error) {
      context.store.refresh();
      // It did start, and only the answer was lost: the turn is closed like any whose keeper died.
      if (context.store.get(session.id)?.runs[run - 1]?.agent !== undefined) return connection;
      if (error instanceof TreelineError && error.code === 'keeper-gone') {
        // Of a keeper that died in this moment, only the marker tells whether there is an agent.
        undo.push(say('made.agent'), () => endPreparation({ session: session.id, run, guard }));
      }
      throw error;
    }
    return connection;
  } catch (error) {
    const unwound = await undo.unwind();
    if (isReplaced(error)) throw error;
    throw failure(session, step, error, unwound, signal);
  }
}

/** How the agent is started: its argv, its stdin, and what is added to its environment. */
export async function launchOf(
  context: StewardContext,
  session: Session,
  turn: Turn,
  prompt: string,
  promptFile: string,
): Promise<Launch> {
  const adapter = context.adapter(session.agent.id);
  const { agentSession } = turn;
  const request = { prompt, promptFile, worktree: session.worktree, session: session.id };
  const launch =
    turn.resumes && adapter.resume !== undefined && agentSession !== undefined
      ? adapter.resume({ ...request, agentSession })
      : adapter.start({ ...request, ...(agentSession !== undefined && { agentSession }) });
  return context.detector.locate(launch, adapter.detection);
}

async function specOf(
  context: StewardContext,
  session: Session,
  turn: Turn,
  run: number,
  prompt: string,
  launch: Launch,
): Promise<KeeperSpec> {
  const { successor, folder, store } = context;
  const lease = store.leadership.lead?.fact ?? '';
  return {
    v: 1,
    session: session.id,
    run,
    journal: journalFile(context.folder),
    socket: socketPath(session.id, run),
    token: randomBytes(16).toString('hex'),
    argv: launch.argv,
    worktree: session.worktree,
    stdin: launch.stdin,
    ...(launch.protocol !== undefined && { protocol: launch.protocol }),
    prompt,
    key: turn.text,
    turn: turn.number,
    ...(successor !== undefined && { steward: { argv: await successor.argv(), folder, lease } }),
    expects: session.expects,
    grace: context.settings().grace,
  };
}

async function launchKeeper(
  context: StewardContext,
  spec: KeeperSpec,
  folder: string,
  guard: Guard,
): Promise<KeeperConnection> {
  const env = { ...agentEnvironment(process.env), ...markerEnv(spec.session, spec.run) };
  const launch = { execPath: process.execPath, entry: await context.keeper(), runFolder: folder, env };
  guard();
  return openKeeper(spec, launch, { timeoutMs: KEEPER_TIMEOUT, ...HOLD });
}

/** Makes the session's worktree: from its branch where there is one, else from the base while no agent ever worked on it. */
async function makeWorktree(
  { repository, pool, log }: StewardContext,
  session: Session,
  { run, isFresh }: { readonly run: number; readonly isFresh: boolean },
  undo: Rollback,
  { signal, guard, onBegun }: Pick<AddWorktree, 'signal' | 'guard' | 'onBegun'>,
): Promise<void> {
  const { worktree: path, branch, base } = session;
  // The marker finds a git that goes on though this window has died.
  const env = markerEnv(session.id, run);
  if (!isFresh) {
    try {
      await recreateWorktree(repository, { path, branch, signal, env, guard });
      return;
    } catch (error) {
      const untouched = session.turns.every(({ begunAt }) => begunAt === undefined);
      if (!(error instanceof TreelineError && error.code === 'branch-missing' && untouched)) {
        throw error;
      }
    }
  }
  undo.push(say('made.worktree', { worktree: path, branch }), async () => {
    await undoWorktree(repository, { path, branch, commit: base.commit }, guard);
    return true;
  });
  const { warning } = await pool.acquire(base.commit, (warm) =>
    addWorktree(repository, { path, branch, base: base.commit, signal, env, warm, guard, onBegun }),
  );
  if (warning !== undefined) {
    log.warn(warning);
  }
}

function failure(
  session: Session,
  step: Saying,
  error: unknown,
  { undone, left }: Unwound,
  signal: AbortSignal,
): TreelineError {
  const after = [
    ...(undone.length > 0 ? [say('undone', { steps: undone })] : []),
    ...(left.length > 0 ? [say('not-undone', { steps: left })] : []),
  ];
  const { name } = session;
  if (signal.aborted) {
    return new TreelineError(say('cancelled.starting', { name, step, after }));
  }
  const code = error instanceof TreelineError ? error.code : 'start-failed';
  const why = reasonOf(error);
  const reason = typeof why === 'string' ? why.replace(/\.?$/, '.') : why;
  return new TreelineError(code, say('start-failed', { name, step, reason, after }), { cause: error });
}

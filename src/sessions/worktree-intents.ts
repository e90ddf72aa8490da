import path from 'node:path';
import { listWorktrees } from '../git/worktree-list.ts';
import { TreelineError } from '../platform/errors.ts';
import { sessionId } from '../platform/ids.ts';
import { isStoppable, lastTurn } from '../store/lifecycle.ts';
import type { MoveTo, Session } from '../store/model.ts';
import { say, type Saying } from '../words/saying.ts';
import { archiveContents, expiredArchives } from './archives.ts';
import type { Context } from './context.ts';
import type { Intents } from './intents.ts';
import { outcome } from './outcome.ts';
import type { OldArchives, Restored } from './service-types.ts';
import type { TrashAnswer, TrashRecord } from './trash-record.ts';

/** A move that goes on for longer is not waited for, and the user is told: ms. */
const MOVED_WITHIN = 10_000;

/** What may be wanted of a session's worktree: to the trash, back, or away for good. Their docstrings are those of SessionActions. */
export class WorktreeIntents {
  readonly #intents: Intents;
  readonly #context: Context;
  readonly #trash: TrashRecord;

  constructor(intents: Intents, trash: TrashRecord) {
    this.#intents = intents;
    this.#context = intents.context;
    this.#trash = trash;
  }

  async archive(id: string): Promise<Session> {
    await this.#context.store.ready;
    const session = this.#intents.need(id);
    if (session.archive !== undefined && session.move === undefined) return session;
    return this.#move(id, 'trash');
  }

  async unarchive(id: string, to?: string): Promise<Restored> {
    await this.#context.store.ready;
    const session = this.#intents.need(id);
    if (session.archive === undefined && session.move === undefined) return { session };
    let note: Saying | undefined;
    const stop = this.#context.store.onFacts((facts) => {
      for (const fact of facts) {
        if (fact.type === 'session.restored' && fact.session === id) note = fact.note;
      }
    });
    try {
      const restored = await this.#move(id, 'worktree', to === undefined ? undefined : path.resolve(to));
      return { session: restored, ...(note !== undefined && { note }) };
    } finally {
      stop();
    }
  }

  async purge(id: string): Promise<Session> {
    await this.#context.store.ready;
    const { archive } = this.#intents.need(id);
    return archive === undefined || archive.purgedAt !== undefined ? this.#intents.need(id) : this.#move(id, 'nowhere');
  }

  async old(signal?: AbortSignal): Promise<OldArchives | undefined> {
    await this.#context.store.ready;
    await this.#trash.open(Date.now());
    const due = this.#trash.answer === undefined ? this.expired() : [];
    if (due.length === 0) return undefined;
    let bytes = 0;
    for (const session of due) bytes += (await archiveContents(this.#context.repository, session, signal)).bytes;
    return { sessions: due, bytes };
  }

  async answerOld(answer: TrashAnswer): Promise<void> {
    await this.#trash.setAnswer(answer);
    if (answer === 'keep') return;
    // Wanted one by one: who acts may be another process, which looks into the trash once an hour.
    const purged = await Promise.allSettled(this.expired().map(({ id }) => this.purge(id)));
    const failed = purged.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async remove(worktree: string): Promise<Session> {
    await this.#context.store.ready;
    const { store } = this.#context;
    const own = store.list().find((each) => each.worktree === worktree && each.archive === undefined && !each.foreign);
    if (own !== undefined) return this.archive(own.id);
    const found = (await listWorktrees(this.#context.repository)).find((each) => each.path === worktree);
    if (found === undefined) {
      throw new TreelineError(say('no-worktree.here', { worktree, repository: this.#context.repository.name }));
    }
    const id = sessionId();
    const branch = found.branch ?? 'HEAD';
    store.append({
      type: 'session.created',
      session: id,
      name: path.basename(worktree),
      agent: { id: 'none', name: 'No agent', format: 'text' },
      base: { ref: branch, commit: found.head ?? '' },
      worktree,
      branch,
      expects: [],
      foreign: true,
    });
    return this.#move(id, 'trash');
  }

  /** What the trash has kept for longer than the setting says. */
  expired(): readonly Session[] {
    return expiredArchives(this.#context.store.list(), this.#trash, this.#context.settings().trashDays);
  }

  /** The session when its worktree is not being moved: what is wanted of it meanwhile would be void. */
  #settled(id: string): Promise<Session> {
    const { name } = this.#intents.need(id);
    return outcome(this.#context.store, id, {
      of: (now) => (now.wish === undefined && now.move === undefined ? now : undefined),
      patience: { ms: MOVED_WITHIN, over: () => new TreelineError(say('archive-busy', { name })) },
    });
  }

  /** Has the session's worktree moved, and waits for how that ended. */
  async #move(id: string, to: MoveTo, worktree?: string): Promise<Session> {
    this.#intents.requireSomebody();
    const { store } = this.#context;
    store.refresh();
    const before = await this.#settled(id);
    if (isDone(before, to)) return before;
    const wanted = { type: 'move.wanted', session: id, to, ...(worktree !== undefined && { worktree }) } as const;
    let wish: string | undefined;
    let looks = 0;
    return this.#intents.outcome(id, {
      ask: () => {
        wish = store.append(wanted)[0]?.id;
        this.#intents.nudge();
      },
      of: (now) => {
        looks += 1;
        if (isDone(now, to)) return now.wish === undefined && now.move === undefined ? now : undefined;
        // Whoever acts may have taken it up by now, or refused it: only a void wish leaves no trace.
        if (looks === 1 && now.wish?.fact !== wish && now.move?.to !== to) throw notNow(before, to);
        return undefined;
      },
      onFact: (seen) => {
        if (seen.type === 'intent.refused' && seen.intent === wish) throw new TreelineError(seen.code, seen.why);
      },
    });
  }
}

/** Whether a session's worktree is where it was wanted. */
function isDone({ archive }: Session, to: MoveTo): boolean {
  if (to === 'trash') return archive !== undefined;
  return to === 'worktree' ? archive === undefined : archive?.purgedAt !== undefined;
}

function notNow(session: Session, to: MoveTo): TreelineError {
  const turn = lastTurn(session);
  if (turn !== undefined && isStoppable(session, turn)) {
    return new TreelineError(say(to === 'trash' ? 'turn-runs.archive' : 'turn-runs.move', { name: session.name }));
  }
  return new TreelineError(say('archive-busy', { name: session.name }));
}

import { readlink } from 'node:fs/promises';
import path from 'node:path';
import {
  moveBack,
  moveToTrash,
  planArchive,
  planPurge,
  planRestore,
  purgeArchive,
  type Archive,
  type WorktreeMove,
} from '../git/archive.ts';
import { TreelineError, errorText, sayingOf } from '../platform/errors.ts';
import type { Guard } from '../platform/guard.ts';
import { say, some, type Saying } from '../words/saying.ts';
import { isInside, trashFolder } from '../platform/paths.ts';
import { isSame } from '../platform/process-id.ts';
import { workingIn } from '../platform/process-search.ts';
import { expiredArchives, withoutState } from '../sessions/archives.ts';
import type { TrashRecord } from '../sessions/trash-record.ts';
import { isHeldBy } from '../store/leadership.ts';
import type { Move, MoveTo, Session, Wish } from '../store/model.ts';
import type { StewardContext } from './context.ts';
import { isReplaced, underLead } from './under-lead.ts';

/** Processes that a refusal names. */
const NAMED = 3;

/** After a move that could be neither finished nor taken back: ms. */
const RETRY_INTERVAL = 2000;

/**
 * Moves the worktrees of one repository's sessions: to the trash, back, or out of it for good. The fact that names every path is
 * written before anything moves, and holds the session until a second fact says how the move ended; what somebody who led
 * before left half done is finished in the direction that was asked for.
 */
export class Moves {
  readonly #context: StewardContext;
  readonly #trash: TrashRecord;
  /** By session. */
  readonly #running = new Map<string, Promise<void>>();
  #retry: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(context: StewardContext, trash: TrashRecord) {
    this.#context = context;
    this.#trash = trash;
  }

  /** Whether a move is under way. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Does what is wanted of these sessions' worktrees, and finishes what was begun. */
  look(sessions: Iterable<Session>): void {
    const { store, self } = this.#context;
    if (this.#disposed || !isHeldBy(store.leadership.lead, self)) return;
    for (const { id, move, wish } of sessions) {
      if ((move === undefined && wish === undefined) || this.#running.has(id)) continue;
      this.#do(id);
    }
  }

  /** Deletes what has been in the trash for longer than the setting says, where the user has said that it may go. */
  async purgeOld(): Promise<void> {
    if (this.#trash.answer !== 'delete') return;
    const { log, settings, store } = this.#context;
    for (const { id } of expiredArchives(store.list(), this.#trash, settings().trashDays)) {
      await this.#running.get(id);
      const session = store.get(id);
      if (this.#disposed || session === undefined || session.wish !== undefined || session.move !== undefined) continue;
      log.info(`The archived worktree of ${id} is older than the trash keeps, and is deleted.`);
      const work = this.#purge(session, underLead(this.#context)).catch((error: unknown) => log.warn(errorText(error)));
      this.#track(id, work);
      await work;
    }
  }

  /** Takes nothing up any more; a move that is under way is left to itself: what of it is not done by then, the next one does. */
  async dispose(patience: number): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#retry);
    const timer = Promise.withResolvers<undefined>();
    setTimeout(() => timer.resolve(undefined), patience).unref();
    await Promise.race([Promise.all(this.#running.values()), timer.promise]);
  }

  #do(id: string): void {
    const work = this.#settle(id).catch((error: unknown) => {
      if (isReplaced(error)) this.#context.log.info(`The worktree of ${id} is left to another window.`);
      else {
        this.#context.log.error(`The worktree of ${id} could not be moved, which is tried again: ${errorText(error)}`);
      }
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.look(this.#context.store.list());
      }, RETRY_INTERVAL).unref();
    });
    this.#track(id, work);
    void work.then(() => {
      if (this.#retry === undefined) this.look([this.#context.store.get(id)].flatMap((session) => session ?? []));
    });
  }

  #track(id: string, work: Promise<void>): void {
    this.#running.set(id, work);
    void work.then(() => this.#running.delete(id));
  }

  async #settle(id: string): Promise<void> {
    const session = this.#context.store.get(id);
    const guard = underLead(this.#context);
    if (session?.move !== undefined) await this.#finish(session, session.move, guard);
    else if (session?.wish !== undefined) await this.#fulfil(session, session.wish, guard);
  }

  /** What was begun is finished; where that fails it is taken back, so that the session is not held for ever. */
  async #finish(session: Session, move: Move, guard: Guard): Promise<void> {
    if (!isSame(move.by, this.#context.self)) {
      this.#context.log.info(`A move of the worktree of ${session.id} was left half done, and is finished now.`);
    }
    const { to, worktree, archive } = move;
    try {
      await this.#carryOut(this.#begin(session, to, { worktree, archive }, move.fact), guard);
    } catch (error) {
      guard();
      if (this.#context.store.get(session.id)?.move !== undefined) throw error;
      this.#context.log.warn(errorText(error));
    }
  }

  async #fulfil(session: Session, wish: Wish, guard: Guard): Promise<void> {
    const { store } = this.#context;
    try {
      if (wish.to === 'trash') await this.#archive(session, guard);
      else if (wish.to === 'worktree') await this.#restore(session, wish.worktree, guard);
      else await this.#purge(session, guard);
    } catch (error) {
      guard();
      const code = error instanceof TreelineError ? error.code : 'failed';
      store.append({ type: 'intent.refused', session: session.id, intent: wish.fact, code, why: sayingOf(error) });
    }
  }

  async #archive(session: Session, guard: Guard): Promise<void> {
    const { repository, folder } = this.#context;
    const { id, name, worktree } = session;
    if (isInside(repository.root, worktree)) {
      throw new TreelineError(say('worktree-in-use.open', { name }));
    }
    const plan = (beside: boolean): Promise<Archive> =>
      planArchive(repository, worktree, { trash: trashFolder(folder), name: id, beside });
    const archive = await plan(false);
    await refuseBusy(session);
    try {
      await this.#carryOut(this.#begin(session, 'trash', { worktree, archive }), guard);
    } catch (error) {
      guard();
      if (!(error instanceof TreelineError && error.code === 'other-device')) throw error;
      // Two mounts of one device look alike until the rename is tried.
      await this.#carryOut(this.#begin(this.#need(id), 'trash', { worktree, archive: await plan(true) }), guard);
    }
  }

  async #restore(session: Session, to: string | undefined, guard: Guard): Promise<void> {
    const { archive } = session;
    if (archive === undefined) return;
    const worktree = to === undefined ? session.worktree : path.resolve(to);
    const move =
      archive.purgedAt === undefined
        ? await planRestore(this.#context.repository, { worktree, archive: withoutState(archive) }, session.worktree)
        : { worktree: session.worktree, archive: withoutState(archive) };
    await this.#carryOut(this.#begin(session, 'worktree', move), guard);
  }

  /** All of the files are deleted or none, as far as that can be known beforehand. */
  async #purge(session: Session, guard: Guard): Promise<void> {
    const { archive } = session;
    if (archive === undefined) return;
    await planPurge(this.#context.repository, archive);
    await this.#carryOut(
      this.#begin(session, 'nowhere', { worktree: session.worktree, archive: withoutState(archive) }),
      guard,
    );
  }

  /** Writes what is about to be done, before anything is. */
  #begin({ id, name }: Session, to: MoveTo, { worktree, archive }: WorktreeMove, replaces?: string): Session {
    const [fact] = this.#context.store.append({
      type: 'session.moving',
      session: id,
      to,
      worktree,
      archive,
      ...(replaces !== undefined && { replaces }),
    });
    const now = this.#need(id);
    if (fact === undefined || now.move?.fact !== fact.id) {
      throw new TreelineError(say('archive-busy', { name }));
    }
    return now;
  }

  /** Moves, and says how it ended. What fails is taken back, so that the session is what it was. */
  async #carryOut({ id, move }: Session, guard: Guard): Promise<void> {
    if (move === undefined) return;
    const { repository, store } = this.#context;
    const ended = (type: 'session.archived' | 'session.restored' | 'session.purged', note?: Saying): void =>
      void store.append(
        type === 'session.archived'
          ? { type, session: id, move: move.fact }
          : { type, session: id, move: move.fact, ...(note !== undefined && { note }) },
      );
    switch (move.to) {
      case 'trash':
        await this.#orBack(
          moveToTrash(repository, move, guard),
          () => moveBack(repository, move, guard),
          () => ended('session.restored'),
          guard,
        );
        ended('session.archived');
        return;
      case 'worktree': {
        const purged = store.get(id)?.archive?.purgedAt !== undefined;
        const note = await this.#orBack(
          purged ? Promise.resolve(undefined) : moveBack(repository, move, guard),
          () => moveToTrash(repository, move, guard),
          () => ended('session.archived'),
          guard,
        );
        ended('session.restored', note);
        return;
      }
      case 'nowhere': {
        const target = await readlink(move.archive.files).catch(() => undefined);
        try {
          await purgeArchive(repository, move.archive, guard);
        } catch (error) {
          guard();
          // What is left stays archived, and can be restored: nobody goes on with a deletion that fails.
          ended('session.archived');
          throw error;
        }
        // Somebody had put a link in the worktree's place: what it leads to is none of ours.
        const note = target === undefined ? undefined : say('link-deleted', { target });
        ended('session.purged', note);
      }
    }
  }

  async #orBack<T>(moved: Promise<T>, back: () => Promise<unknown>, ended: () => void, guard: Guard): Promise<T> {
    try {
      return await moved;
    } catch (error) {
      guard();
      await back().then(ended, (left: unknown) => {
        // The move stays open, and is finished by the next look.
        this.#context.log.error(`A move that failed could not be taken back yet: ${errorText(left)}`);
      });
      throw error;
    }
  }

  #need(id: string): Session {
    const session = this.#context.store.get(id);
    if (session === undefined) throw new TreelineError(say('no-session', { session: id }));
    return session;
  }
}

/** Only Linux tells who works in a folder. On Windows the system itself refuses to move one that is in use (not run here). */
async function refuseBusy({ name, worktree }: Pick<Session, 'name' | 'worktree'>): Promise<void> {
  const users = await workingIn(worktree);
  if (users.length === 0) return;
  const names = users.map(({ id, command }) =>
    command === '' ? say('process.unnamed', { pid: id.pid }) : `${command} (${id.pid})`,
  );
  throw new TreelineError(say('worktree-busy.processes', { name, processes: some(names, NAMED) }));
}

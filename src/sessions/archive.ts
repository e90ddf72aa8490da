import path from 'node:path';

import {
  countUnheld,
  moveBack,
  moveToTrash,
  planArchive,
  planRestore,
  purgeArchive,
  type Archive,
  type WorktreeMove,
} from '../git/archive.ts';
import { listWorktrees } from '../git/worktree-list.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { sessionId } from '../platform/ids.ts';
import { trashFolder } from '../platform/paths.ts';
import { isAliveNow, isSame } from '../platform/process-id.ts';
import { workingIn } from '../platform/process-search.ts';
import type { FactEntry } from '../store/journal.ts';
import type { MoveTo } from '../store/facts.ts';
import { isOpen, lastTurn, type Move, type Session } from '../store/lifecycle.ts';
import type { Context } from './context.ts';
import { folderSize } from './disk-use.ts';
import type { ArchiveContents, Restored } from './service-types.ts';

const DAY = 24 * 3600 * 1000;

/** How often to look after moves of other windows, while there are any: ms. Such a window may die without a word. */
const OTHERS_INTERVAL = 1500;

/** Processes that a refusal names. */
const NAMED = 3;

/**
 * Archives of one repository's sessions: worktrees that are moved to a trash, back, or deleted from it. The fact that names
 * every path is written before anything moves, and holds the session for its writer until a second fact says how the move
 * ended; what a window that died left half done is finished by another, in the direction that was asked for.
 */
export class Archives {
  readonly #context: Context;
  /** Moves that this window is carrying out, by their facts. */
  readonly #running = new Set<string>();
  #others: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Moves a session's worktree to the trash. A session that is archived already stays as it is. */
  async archive(session: Session): Promise<Session> {
    const now = await this.#settled(session);
    if (now.archive !== undefined) {
      return now;
    }
    refuseOpenTurn(now);
    return this.#away(now, () => []);
  }

  /**
   * Removes a worktree that is no session's, in the same way: an archived entry stands for it until it is restored.
   * @throws TreelineError `no-worktree`
   */
  async remove(worktree: string): Promise<Session> {
    const { repository, store } = this.#context;
    const own = store.list().find((each) => each.worktree === worktree && each.archive === undefined && !each.foreign);
    if (own !== undefined) {
      return this.archive(own);
    }
    const found = (await listWorktrees(repository)).find((each) => each.path === worktree);
    if (found === undefined) {
      throw new TreelineError('no-worktree', `${worktree} is not a worktree of ${repository.name}. Refresh the view.`);
    }
    const id = sessionId();
    const branch = found.branch ?? 'HEAD';
    const created = {
      type: 'session.created',
      session: id,
      name: path.basename(worktree),
      agent: { id: 'none', name: 'No agent', format: 'text' },
      base: { ref: branch, commit: found.head ?? '' },
      worktree,
      branch,
      expects: [],
      foreign: true,
    } as const;
    return this.#away({ id, worktree, name: created.name }, () => [created]);
  }

  /**
   * Brings an archived session's worktree back.
   * @param to another folder than the one that it came from.
   */
  async restore(session: Session, to?: string): Promise<Restored> {
    const now = await this.#settled(session);
    const { archive } = now;
    if (archive === undefined) {
      return { session: now };
    }
    const worktree = to === undefined ? now.worktree : path.resolve(to);
    const move =
      archive.purgedAt === undefined
        ? await planRestore(this.#context.repository, { worktree, archive: bare(archive) }, now.worktree)
        : { worktree: now.worktree, archive: bare(archive) };
    const begun = this.#begin(now, 'worktree', move, () => []);
    const note = await this.#carryOut(begun);
    return { session: this.#need(session.id), ...(note !== undefined && { note }) };
  }

  /** Deletes an archived session's files for good. The session and its branch stay. */
  async purge(session: Session): Promise<Session> {
    const now = await this.#settled(session);
    const { archive } = now;
    if (archive !== undefined && archive.purgedAt === undefined) {
      const move = { worktree: now.worktree, archive: bare(archive) };
      await this.#carryOut(this.#begin(now, 'nowhere', move, () => []));
    }
    return this.#need(session.id);
  }

  /** What a purge would delete. */
  async contents({ archive }: Session, signal?: AbortSignal): Promise<ArchiveContents> {
    if (archive === undefined || archive.purgedAt !== undefined) {
      return { bytes: 0, complete: true, unheld: 0 };
    }
    const { bytes, complete } = await folderSize(archive.files, { ...(signal && { signal }) });
    return { bytes, complete, unheld: await countUnheld(archive, signal) };
  }

  /** Sessions whose worktree a window left in the middle of a move, and that nobody has in hand. */
  unfinished(): readonly Session[] {
    return this.#context.store.list().filter(({ move }) => move !== undefined && !this.#isHeld(move));
  }

  /** Archived sessions whose files are kept longer than the setting says; none where that is 0. */
  expired(now = Date.now()): readonly Session[] {
    const { trashDays } = this.#context.settings();
    const limit = now - trashDays * DAY;
    return this.#context.store
      .list()
      .filter(({ archive }) => trashDays > 0 && archive?.purgedAt === undefined && (archive?.at ?? now) < limit);
  }

  /** Finishes what windows that died left half done, then deletes what is too old. Never throws: failures are logged. */
  async settle(): Promise<void> {
    const { log } = this.#context;
    const warn = (error: unknown): void => {
      if (!this.#disposed) log.warn(errorText(error));
    };
    await this.#finishOthers();
    this.look(this.#context.store.list());
    for (const session of this.expired()) {
      if (this.#disposed) return;
      log.info(`The archived worktree of ${session.id} is older than the trash keeps, and is deleted.`);
      await this.purge(session).catch(warn);
    }
  }

  /** Looks at sessions whose facts changed: while another window moves a worktree, that window's death must not be missed. */
  look(sessions: Iterable<Session>): void {
    const moves = [...sessions].some(({ move }) => move !== undefined && !isSame(move.by, this.#context.self));
    if (!moves || this.#disposed) return;
    this.#others ??= setTimeout(() => {
      this.#others = undefined;
      void this.#finishOthers().then(() => this.look(this.#context.store.list()));
    }, OTHERS_INTERVAL).unref();
  }

  async #finishOthers(): Promise<void> {
    const { log } = this.#context;
    for (const session of this.unfinished()) {
      if (this.#disposed) return;
      log.info(`A window closed while it moved the worktree of ${session.id}; that is finished now.`);
      await this.#settled(session).catch((error: unknown) => {
        if (!this.#disposed) log.warn(errorText(error));
      });
    }
  }

  /** Finishes the move of a session that nobody has in hand. */
  async finish(session: Session): Promise<void> {
    await this.#settled(session);
  }

  /** A move that is under way is left to itself: whatever of it is not done by then, the next window does. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#others);
  }

  /** The session as it is when no move of it is under way: one that nobody has in hand is finished first. */
  async #settled({ id }: Pick<Session, 'id'>): Promise<Session> {
    this.#context.store.refresh();
    const session = this.#need(id);
    const { move } = session;
    if (move === undefined) {
      return session;
    }
    if (this.#isHeld(move)) {
      throw new TreelineError(
        'archive-busy',
        `The worktree of “${session.name}” is being moved (process ${move.by.pid}). Try again in a moment.`,
      );
    }
    const { to, worktree, archive } = move;
    await this.#carryOut(this.#begin(session, to, { worktree, archive }, () => [], move.fact));
    return this.#need(id);
  }

  async #away(
    session: Pick<Session, 'id' | 'name' | 'worktree'>,
    before: () => readonly FactEntry[],
  ): Promise<Session> {
    const { repository, folder } = this.#context;
    const { worktree } = session;
    if (isInside(repository.root, worktree)) {
      throw new TreelineError(
        'worktree-in-use',
        `The worktree of “${session.name}” is open in this window. Archive it from a window with another folder.`,
      );
    }
    const plan = (beside: boolean): Promise<Archive> =>
      planArchive(repository, worktree, { trash: trashFolder(folder), name: session.id, beside });
    const archive = await plan(false);
    await refuseBusy(session);
    const begun = this.#begin(session, 'trash', { worktree, archive }, before);
    try {
      await this.#carryOut(begun);
    } catch (error) {
      if (!(error instanceof TreelineError && error.code === 'other-device')) {
        throw error;
      }
      // Two mounts of one device look alike until the rename is tried.
      await this.#carryOut(this.#begin(session, 'trash', { worktree, archive: await plan(true) }, () => []));
    }
    return this.#need(session.id);
  }

  /** Writes the intent. The journal is the arbiter: of two windows that ask at once, the first one's fact has made the move. */
  #begin(
    { id }: Pick<Session, 'id'>,
    to: MoveTo,
    { worktree, archive }: WorktreeMove,
    before: () => readonly FactEntry[],
    replaces?: string,
  ): Session {
    const { store } = this.#context;
    const facts = store.append(...before(), {
      type: 'session.moving',
      session: id,
      to,
      worktree,
      archive,
      ...(replaces !== undefined && { replaces }),
    });
    const fact = facts.at(-1);
    const now = this.#need(id);
    if (fact === undefined || now.move?.fact !== fact.id) {
      refuseOpenTurn(now);
      throw new TreelineError(
        'archive-busy',
        `Another window has just changed the worktree of “${now.name}”. Check the session again.`,
      );
    }
    this.#running.add(fact.id);
    return now;
  }

  /** Moves, and says how it ended. What fails is taken back, so that the session is what it was. */
  async #carryOut({ id, move }: Session): Promise<string | undefined> {
    if (move === undefined) {
      return undefined;
    }
    const { repository, store } = this.#context;
    const ended = (type: 'session.archived' | 'session.restored' | 'session.purged'): void =>
      void store.append({ type, session: id, move: move.fact });
    try {
      switch (move.to) {
        case 'trash':
          await this.#orBack(
            moveToTrash(repository, move),
            () => moveBack(repository, move),
            () => ended('session.restored'),
          );
          ended('session.archived');
          return undefined;
        case 'worktree': {
          const purged = store.get(id)?.archive?.purgedAt !== undefined;
          const note = await this.#orBack(
            purged ? Promise.resolve(undefined) : moveBack(repository, move),
            () => moveToTrash(repository, move),
            () => ended('session.archived'),
          );
          ended('session.restored');
          return note;
        }
        case 'nowhere':
          await purgeArchive(repository, move.archive);
          ended('session.purged');
          return undefined;
      }
    } finally {
      this.#running.delete(move.fact);
    }
  }

  async #orBack<T>(moved: Promise<T>, back: () => Promise<unknown>, ended: () => void): Promise<T> {
    try {
      return await moved;
    } catch (error) {
      await back().then(ended, (left: unknown) => {
        // The move stays open, and is finished by the next one that looks.
        this.#context.log.error(`A move that failed could not be taken back yet: ${errorText(left)}`);
      });
      throw error;
    }
  }

  /** Whether a window that lives carries the move out. */
  #isHeld({ fact, by }: Move): boolean {
    return isSame(by, this.#context.self) ? this.#running.has(fact) : isAliveNow(by);
  }

  #need(id: string): Session {
    const session = this.#context.store.get(id);
    if (session === undefined) {
      throw new TreelineError('no-session', `${this.#context.repository.name} has no session ${id}.`);
    }
    return session;
  }
}

/** Without what only the state knows of it. */
function bare({ files, registration, branch, commit }: Archive): Archive {
  return {
    files,
    ...(registration !== undefined && { registration }),
    ...(branch !== undefined && { branch }),
    ...(commit !== undefined && { commit }),
  };
}

function refuseOpenTurn(session: Session): void {
  const turn = lastTurn(session);
  if (turn !== undefined && isOpen(turn)) {
    throw new TreelineError(
      'turn-runs',
      `A turn of “${session.name}” is in progress. Stop it or wait for it to end, then archive the session.`,
    );
  }
}

/** Only Linux tells who works in a folder. On Windows the system itself refuses to move one that is in use (not run here). */
async function refuseBusy({ name, worktree }: Pick<Session, 'name' | 'worktree'>): Promise<void> {
  const users = await workingIn(worktree);
  if (users.length === 0) {
    return;
  }
  const names = users.slice(0, NAMED).map(({ id, command }) => `${command || 'a process'} (${id.pid})`);
  const more = users.length > NAMED ? ` and ${users.length - NAMED} more` : '';
  throw new TreelineError(
    'worktree-busy',
    `Processes are using the worktree of “${name}”: ${names.join(', ')}${more}. Stop them, then try again.`,
  );
}

function isInside(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === '' || (!path.isAbsolute(relative) && relative !== '..' && !relative.startsWith(`..${path.sep}`));
}

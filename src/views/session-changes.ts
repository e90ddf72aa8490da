import { sessionFiles } from '../sessions/session-files.ts';
import type { SessionFiles } from '../sessions/session-files.ts';
import { Emitter } from '../platform/emitter.ts';
import type { Dispose } from '../platform/emitter.ts';
import type { Found } from './services.ts';

/** A session's files are read anew at most this often while its agent works. */
const FRESH_MS = 3000;
/** More files than this are not listed under a session: the worktree is the place for them. */
const FILES_LIMIT = 1000;

interface Entry {
  at: number;
  /** The session did something since the files were read. */
  stale: boolean;
  files: Promise<SessionFiles>;
  timer?: NodeJS.Timeout;
}

/**
 * The changed files of the sessions that somebody looks at. Git runs only on demand: when a session is opened in the tree,
 * and, while it stays open, some seconds after its agent did something.
 */
export class SessionChanges {
  readonly #entries = new Map<string, Entry>();
  readonly #changed: Emitter<string>;

  constructor(onError: (error: unknown) => void) {
    this.#changed = new Emitter(onError);
  }

  /** Fires with a session's id when `get` would give something newer. */
  onDidChange(listener: (session: string) => void): Dispose {
    return this.#changed.event(listener);
  }

  get({ session, repository }: Found): Promise<SessionFiles> {
    const entry = this.#entries.get(session.id);
    if (entry !== undefined && (!entry.stale || Date.now() - entry.at < FRESH_MS)) {
      return entry.files;
    }
    clearTimeout(entry?.timer);
    const files = sessionFiles(repository.repository, session, FILES_LIMIT);
    this.#entries.set(session.id, { at: Date.now(), stale: false, files });
    // A failure is not kept: the next look tries again.
    files.catch(() => this.#entries.delete(session.id));
    return files;
  }

  /** The session's agent did something. */
  touch(session: string): void {
    const entry = this.#entries.get(session);
    if (entry === undefined) {
      return;
    }
    entry.stale = true;
    entry.timer ??= setTimeout(() => this.#changed.fire(session), Math.max(0, entry.at + FRESH_MS - Date.now()));
  }

  /** Forgets a session's files: nobody looks at them any more, or they are to be read again. */
  forget(session: string): void {
    clearTimeout(this.#entries.get(session)?.timer);
    this.#entries.delete(session);
  }

  dispose(): void {
    for (const session of [...this.#entries.keys()]) {
      this.forget(session);
    }
  }
}

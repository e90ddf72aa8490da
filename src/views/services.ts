import * as vscode from 'vscode';
import type { Treeline } from '../hosts/treeline.ts';
import type { RepositorySessions } from '../sessions/service-types.ts';
import type { Session } from '../store/model.ts';
import type { Settings } from '../sessions/settings.ts';
import type { Reader } from './session-words.ts';

/** What the views, commands and documents share. */
export interface Services {
  readonly treeline: Treeline;
  readonly log: vscode.LogOutputChannel;
  /** The settings as they are now. */
  readonly settings: () => Settings;
  readonly extensionUri: vscode.Uri;
  /** Resolves when the repositories of the workspace's folders are open and their sessions are loaded. */
  readonly loaded: () => Promise<void>;
}

/** A session with the repository that it belongs to. */
export interface Found {
  readonly session: Session;
  readonly repository: RepositorySessions;
}

export function findSession(treeline: Treeline, id: string): Found | undefined {
  const repository = treeline.of(id);
  const session = repository?.get(id);
  return repository === undefined || session === undefined ? undefined : { session, repository };
}

export function allSessions(treeline: Treeline): readonly Found[] {
  return treeline.repositories.flatMap((repository) => repository.list().map((session) => ({ session, repository })));
}

/** The reader of this window. */
export function reader(): Reader {
  return { t: vscode.l10n.t, locale: vscode.env.language, now: Date.now() };
}

/** Ties a subscription of our own to the editor's way of ending things. */
export function disposable(dispose: () => void): vscode.Disposable {
  return new vscode.Disposable(dispose);
}

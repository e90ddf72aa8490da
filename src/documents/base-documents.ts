import * as vscode from 'vscode';
import { blob, submoduleText } from '../git/diff.ts';
import { nonEmpty, parseJson, shape } from '../platform/check.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { Limiter } from '../platform/limiter.ts';
import { findSession } from '../views/services.ts';
import type { Services } from '../views/services.ts';
import { ReadOnlyFiles } from './read-only-files.ts';

export const BASE_SCHEME = 'treeline-base';

/** At most this many git processes read files at a time: a diff of 1,000 files asks for all of them at once. */
const CONCURRENT = 4;
/** The editor asks for a file's size and then for its content: both are answered from one reading within this time (ms). */
const KEPT_MS = 10_000;

/** The session that a document belongs to. */
interface Owner {
  readonly id: string;
  readonly worktree: string;
}

const readQuery = shape({ session: nonEmpty, commit: nonEmpty, path: nonEmpty });

/**
 * A file of a commit in a session's repository. Its path is that of the file in the worktree: where the paths of both sides
 * differ, the editor shows a renamed file.
 */
export function commitUri({ id, worktree }: Owner, commit: string, path: string): vscode.Uri {
  const query = JSON.stringify({ session: id, commit, path });
  return vscode.Uri.joinPath(vscode.Uri.file(worktree), path).with({ scheme: BASE_SCHEME, query });
}

/** A submodule of a session's worktree, as one line of text. */
export function submoduleUri(session: Owner, path: string): vscode.Uri {
  return commitUri(session, 'submodule', path);
}

/** No file: the side of a diff where there was none. */
export function emptyUri(session: Owner, path: string): vscode.Uri {
  return commitUri(session, 'none', path);
}

/** Read-only files as they were in a commit, of any kind of content. A file that is not in the commit is empty. */
export class BaseDocuments extends ReadOnlyFiles implements vscode.FileSystemProvider {
  readonly #services: Services;
  readonly #limiter = new Limiter(CONCURRENT);
  readonly #kept = new Map<string, Promise<Uint8Array>>();
  // What a commit holds never changes.
  readonly onDidChangeFile: vscode.Event<vscode.FileChangeEvent[]> = () => new vscode.Disposable(() => undefined);

  constructor(services: Services) {
    super();
    this.#services = services;
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { length } = await this.#content(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime: 0, size: length };
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.#content(uri);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  #content(uri: vscode.Uri): Promise<Uint8Array> {
    const key = uri.toString();
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      return kept;
    }
    const content = this.#limiter.run(() => this.#read(uri));
    this.#kept.set(key, content);
    const forget = (): void => void this.#kept.delete(key);
    content.then(() => setTimeout(forget, KEPT_MS), forget);
    return content;
  }

  async #read(uri: vscode.Uri): Promise<Uint8Array> {
    const { session, commit, path } = parseJson(uri.query, readQuery, 'document');
    await this.#services.loaded();
    const found = findSession(this.#services.treeline, session);
    if (found === undefined) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    if (commit === 'none') {
      return new Uint8Array();
    }
    if (commit === 'submodule') {
      return this.#submodule(found.session.worktree, path);
    }
    try {
      return await blob(found.repository.repository, commit, path);
    } catch (error) {
      if (error instanceof TreelineError && error.code === 'no-such-file') {
        return new Uint8Array();
      }
      throw error;
    }
  }

  /** A submodule that was removed, or was never checked out, has no commit to show. */
  async #submodule(worktree: string, path: string): Promise<Uint8Array> {
    try {
      return Buffer.from(await submoduleText(worktree, path));
    } catch (error) {
      this.#services.log.debug(`Submodule ${path} of ${worktree}: ${errorText(error)}`);
      return new Uint8Array();
    }
  }
}

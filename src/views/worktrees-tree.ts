import * as vscode from 'vscode';
import type { Repository, Worktree } from '../git/types.ts';
import { watchRepository } from '../git/watch-repository.ts';
import { worktreeStatus } from '../git/status.ts';
import { listWorktrees } from '../git/worktree-list.ts';
import { errorText } from '../platform/errors.ts';
import type { Dispose } from '../platform/emitter.ts';
import type { RepositorySessions } from '../sessions/service-types.ts';
import { isInside } from '../platform/paths.ts';
import { lastTurn, isLive } from '../store/lifecycle.ts';
import { Coalescer } from './coalescer.ts';
import { Limiter } from '../platform/limiter.ts';
import { markdownText } from './plain.ts';
import { disposable } from './services.ts';
import type { Services } from './services.ts';
import {
  compareWorktrees,
  worktreeAccessibleLabel,
  worktreeContext,
  worktreeDescription,
  worktreeLabel,
} from './worktree-words.ts';
import type { SeenWorktree } from './worktree-words.ts';

/** At most this many `git status` at a time. */
const CONCURRENT = 2;
/** Hints come in bursts: they are acted on this many ms after the last burst's start. */
const SETTLE_MS = 300;

export type WorktreesNode =
  | { readonly kind: 'worktrees'; readonly id: string }
  | { readonly kind: 'worktree'; readonly id: string; readonly repository: string; readonly worktree: Worktree };

export type WorktreeNode = Extract<WorktreesNode, { kind: 'worktree' }>;

/** What is known of one repository's worktrees. */
interface Known {
  readonly sessions: RepositorySessions;
  readonly watch: Dispose;
  /** By path, as last listed. */
  seen: Map<string, SeenWorktree>;
  /** The list is to be made anew, or the status of some worktrees. */
  listStale: boolean;
  readonly stale: Set<string>;
}

/**
 * The view of all worktrees. Git is asked when something happened (a hint from the repository, an agent's turn, a saved
 * file) and somebody looks; a hidden view only remembers what it would have to ask.
 */
export class WorktreesTree implements vscode.TreeDataProvider<WorktreesNode>, vscode.Disposable {
  readonly view: vscode.TreeView<WorktreesNode>;
  readonly #services: Services;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #known = new Map<string, Known>();
  readonly #nodes = new Map<string, WorktreesNode>();
  readonly #limiter = new Limiter(CONCURRENT);
  readonly #hints: Coalescer<string>;
  /** Which sessions run, to see a turn end. */
  readonly #running = new Set<string>();
  readonly #disposables: { dispose(): unknown }[] = [];

  constructor(services: Services) {
    this.#services = services;
    this.#hints = new Coalescer(SETTLE_MS, (keys) => void this.#read(keys));
    this.view = vscode.window.createTreeView('treeline.worktrees', { treeDataProvider: this });
    this.#disposables.push(
      this.view,
      this.#changed,
      disposable(() => this.#hints.dispose()),
      disposable(
        services.treeline.onDidChange(({ repositories, sessions }) => {
          if (repositories) {
            this.#open();
          }
          this.#noteSessions(sessions);
        }),
      ),
      this.view.onDidChangeVisibility(({ visible }) => {
        if (visible) {
          this.#hints.add(this.#known.keys());
        }
      }),
      vscode.workspace.onDidSaveTextDocument(({ uri }) => this.#noteSave(uri)),
    );
    this.#open();
  }

  dispose(): void {
    for (const { watch } of this.#known.values()) {
      watch();
    }
    this.#known.clear();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  /** Asks git about everything again. */
  refresh(): void {
    for (const [key, known] of this.#known) {
      this.#staleAll(key, known);
    }
  }

  getChildren(node?: WorktreesNode): WorktreesNode[] {
    if (node?.kind === 'worktree') {
      return [];
    }
    if (node === undefined && this.#known.size > 1) {
      return [...this.#known.keys()].map((id) => this.#node({ kind: 'worktrees', id }));
    }
    const shown = node === undefined ? [...this.#known] : [...this.#known].filter(([key]) => key === node.id);
    return shown.flatMap(([repository, known]) =>
      [...known.seen.values()]
        .sort(compareWorktrees)
        .map(({ worktree }) =>
          this.#node({ kind: 'worktree', id: `${repository}#${worktree.path}`, repository, worktree }),
        ),
    );
  }

  getParent(node: WorktreesNode): WorktreesNode | undefined {
    return node.kind === 'worktree' && this.#known.size > 1
      ? this.#node({ kind: 'worktrees', id: node.repository })
      : undefined;
  }

  getTreeItem(node: WorktreesNode): vscode.TreeItem {
    if (node.kind === 'worktrees') {
      const name = this.#known.get(node.id)?.sessions.repository.name ?? node.id;
      const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.Expanded);
      item.id = node.id;
      item.iconPath = new vscode.ThemeIcon('repo');
      return item;
    }
    const seen = this.#known.get(node.repository)?.seen.get(node.worktree.path) ?? { worktree: node.worktree };
    const item = new vscode.TreeItem(worktreeLabel(seen));
    item.id = node.id;
    item.description = worktreeDescription(seen, vscode.l10n.t);
    item.accessibilityInformation = { label: worktreeAccessibleLabel(seen, vscode.l10n.t) };
    item.iconPath = icon(seen);
    item.contextValue = worktreeContext(seen);
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, node: WorktreesNode): vscode.TreeItem {
    if (node.kind === 'worktree') {
      const seen = this.#known.get(node.repository)?.seen.get(node.worktree.path);
      const text = new vscode.MarkdownString();
      text.appendMarkdown(markdownText(node.worktree.path));
      for (const line of [
        seen?.status?.upstream === undefined ? undefined : vscode.l10n.t('Upstream: {0}', seen.status.upstream),
        node.worktree.locked === undefined ? undefined : vscode.l10n.t('Locked: {0}', node.worktree.locked),
        node.worktree.prunable,
        seen?.problem,
      ]) {
        if (line !== undefined && line !== '') {
          text.appendMarkdown(`  \n${markdownText(line)}`);
        }
      }
      item.tooltip = text;
    }
    return item;
  }

  /** Takes up new repositories and lets go of closed ones. */
  #open(): void {
    const repositories = new Map(this.#services.treeline.repositories.map((each) => [each.repository.commonDir, each]));
    for (const [key, { watch }] of this.#known) {
      if (!repositories.has(key)) {
        watch();
        this.#known.delete(key);
      }
    }
    for (const [key, sessions] of repositories) {
      if (!this.#known.has(key)) {
        this.#known.set(key, {
          sessions,
          watch: this.#watch(key, sessions.repository),
          seen: new Map(),
          listStale: true,
          stale: new Set(),
        });
        this.#hints.add([key]);
      }
    }
    this.#changed.fire(undefined);
  }

  #watch(key: string, repository: Repository): Dispose {
    const hint = (): void => {
      const known = this.#known.get(key);
      if (known !== undefined) {
        this.#staleAll(key, known);
      }
    };
    const onError = (error: unknown): void =>
      this.#services.log.warn(`${repository.commonDir} cannot be watched whole: ${errorText(error)}`);
    return watchRepository(repository, hint, { onError });
  }

  #staleAll(key: string, known: Known): void {
    known.listStale = true;
    for (const folder of known.seen.keys()) {
      known.stale.add(folder);
    }
    this.#hints.add([key]);
  }

  /** A turn's end is the moment at which an agent's work in its worktree counts; a rename changes a label. */
  #noteSessions(sessions: ReadonlySet<string>): void {
    for (const id of sessions) {
      const repository = this.#services.treeline.of(id);
      const session = repository?.get(id);
      if (repository === undefined || session === undefined) {
        continue;
      }
      const turn = lastTurn(session);
      const runs = turn !== undefined && isLive(turn);
      const ran = this.#running.has(id);
      if (runs === ran) {
        continue;
      }
      this.#running[runs ? 'add' : 'delete'](id);
      const key = repository.repository.commonDir;
      const known = this.#known.get(key);
      if (known !== undefined) {
        known.listStale ||= !known.seen.has(session.worktree);
        known.stale.add(session.worktree);
        this.#hints.add([key]);
      }
    }
  }

  #noteSave(uri: vscode.Uri): void {
    if (uri.scheme !== 'file') {
      return;
    }
    for (const [key, known] of this.#known) {
      for (const folder of known.seen.keys()) {
        if (uri.fsPath !== folder && isInside(uri.fsPath, folder)) {
          known.stale.add(folder);
          this.#hints.add([key]);
        }
      }
    }
  }

  async #read(keys: Iterable<string>): Promise<void> {
    if (!this.view.visible) {
      return;
    }
    await Promise.all([...keys].map((key) => this.#readOne(key)));
  }

  async #readOne(key: string): Promise<void> {
    const known = this.#known.get(key);
    if (known === undefined) {
      return;
    }
    if (known.listStale) {
      known.listStale = false;
      try {
        const worktrees = await listWorktrees(known.sessions.repository);
        const before = known.seen;
        known.seen = new Map(worktrees.map((worktree) => [worktree.path, { ...before.get(worktree.path), worktree }]));
        for (const { path: folder } of worktrees) {
          if (!before.has(folder)) {
            known.stale.add(folder);
          }
        }
      } catch (error) {
        this.#services.log.warn(`The worktrees of ${key} could not be listed: ${errorText(error)}`);
      }
    }
    const present = known.sessions.list().filter(({ archive }) => archive === undefined);
    const names = new Map(present.map((session) => [session.worktree, session.name]));
    for (const [folder, seen] of known.seen) {
      const session = names.get(folder);
      if (seen.session !== session) {
        known.seen.set(folder, session === undefined ? foreign(seen) : { ...seen, session });
      }
    }
    this.#changed.fire(undefined);
    const stale = [...known.stale].filter((folder) => known.seen.has(folder));
    known.stale.clear();
    await Promise.all(stale.map((folder) => this.#limiter.run(() => this.#readStatus(known, folder))));
    if (stale.length > 0) {
      this.#changed.fire(undefined);
    }
  }

  async #readStatus(known: Known, folder: string): Promise<void> {
    const seen = known.seen.get(folder);
    if (seen === undefined || seen.worktree.bare || seen.worktree.prunable !== undefined) {
      return;
    }
    if (!this.view.visible) {
      known.stale.add(folder);
      return;
    }
    // A session's branch has no upstream of its own: what it is ahead of is where it began.
    const base = known.sessions.list().find(({ worktree }) => worktree === folder)?.base.commit;
    const found = await worktreeStatus(folder, base === undefined ? {} : { base }).then(
      (status) => ({ status }),
      (error: unknown) => ({ problem: errorText(error) }),
    );
    // The list may have been made anew meanwhile.
    const now = known.seen.get(folder);
    if (now !== undefined) {
      const { worktree, session } = now;
      known.seen.set(folder, { worktree, ...(session !== undefined && { session }), ...found });
    }
  }

  #node(fresh: WorktreesNode): WorktreesNode {
    const known = this.#nodes.get(fresh.id);
    const same =
      known?.kind === fresh.kind && (fresh.kind !== 'worktree' || (known as WorktreeNode).worktree === fresh.worktree);
    if (known !== undefined && same) {
      return known;
    }
    this.#nodes.set(fresh.id, fresh);
    return fresh;
  }
}

/** Without the session that it no longer belongs to. */
function foreign({ worktree, status, problem }: SeenWorktree): SeenWorktree {
  return { worktree, ...(status !== undefined && { status }), ...(problem !== undefined && { problem }) };
}

function icon({ worktree, session, status }: SeenWorktree): vscode.ThemeIcon {
  const name = worktree.main ? 'repo' : session === undefined ? 'git-branch' : 'list-tree';
  return new vscode.ThemeIcon(
    name,
    status !== undefined && status.changed > 0
      ? new vscode.ThemeColor('gitDecoration.modifiedResourceForeground')
      : undefined,
  );
}

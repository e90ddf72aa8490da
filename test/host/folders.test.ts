import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { SessionsNode } from '../../src/views/sessions-nodes.ts';
import { activated, becomes, gitIn, steps, untilEvent, workspaceFolder } from './support.ts';
import type { Activated } from './support.ts';

describe('several folders in one window', () => {
  let api: Activated;
  let scratch: string;
  before(async () => {
    api = await activated();
    scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'treeline-folders-')));
  });
  // The first folder stays: the editor starts its extension host anew when that changes.
  afterEach(async () => {
    await change(1, []);
    await repositories([workspaceFolder()]);
  });

  const add = (folder: string): Promise<void> => change(0, [{ uri: vscode.Uri.file(folder) }]);
  const change = async (removed: number, added: { readonly uri: vscode.Uri }[]): Promise<void> => {
    const count = vscode.workspace.workspaceFolders!.length;
    const changed = new Promise((resolve) => {
      const subscription = vscode.workspace.onDidChangeWorkspaceFolders((event) => {
        subscription.dispose();
        resolve(event);
      });
    });
    assert.ok(vscode.workspace.updateWorkspaceFolders(count - removed, removed, ...added));
    await changed;
  };
  const made = (name: string): string => {
    const folder = path.join(scratch, name);
    mkdirSync(folder);
    return folder;
  };
  const init = (folder: string): void => {
    gitIn(folder, 'init', '--quiet', '--initial-branch=main');
    gitIn(folder, 'config', 'user.name', 'Test Author');
    gitIn(folder, 'config', 'user.email', 'author@example.invalid');
    writeFileSync(path.join(folder, 'README.md'), '# Second\n');
    gitIn(folder, 'add', '--all');
    gitIn(folder, 'commit', '--quiet', '--message', 'First commit');
  };
  const open = (): readonly string[] => api.parts.treeline.repositories.map(({ repository }) => repository.root);
  const repositories = (roots: readonly string[]): Promise<true> =>
    untilEvent(
      (look) => new vscode.Disposable(api.parts.treeline.onDidChange(look)),
      () => JSON.stringify(open()) === JSON.stringify(roots) || undefined,
      `the repositories are ${roots.join(', ')}`,
    );
  const finishedIn = async (repository: string, name: string): Promise<void> => {
    const { id } = await api.spawn({ agent: 'script', prompt: steps(['say', 'done']), name, repository });
    await becomes(api, id, ({ turns }) => turns.at(-1)?.outcome !== undefined, `the turn of ${name} is judged`);
  };
  const labelOf = ({ label }: vscode.TreeItem): string => (typeof label === 'string' ? label : (label?.label ?? ''));
  /** The tree below a node, as labels. */
  const labels = async (node?: SessionsNode): Promise<readonly string[]> => {
    const tree = api.parts.sessionsTree;
    const below = await Promise.all(
      (await tree.getChildren(node)).map(async (child) => [
        labelOf(tree.getTreeItem(child)),
        ...(child.kind === 'session' ? [] : await labels(child)),
      ]),
    );
    return below.flat();
  };

  it('shows two repositories as two groups, each with its own sessions', async () => {
    const second = made('second');
    init(second);
    await add(second);
    await repositories([workspaceFolder(), second]);
    await finishedIn(workspaceFolder(), 'In the first');
    await finishedIn(second, 'In the second');
    const roots = await api.parts.sessionsTree.getChildren();
    assert.deepEqual(
      roots.map(({ kind }) => kind),
      ['repository', 'repository'],
    );
    const [first, other] = await Promise.all(roots.map(labels));
    assert.ok(first!.includes('In the first') && !first!.includes('In the second'), first!.join(', '));
    assert.deepEqual(other, ['Idle', 'In the second']);
    const worktrees = api.parts.worktreesTree
      .getChildren()
      .map((node) => api.parts.worktreesTree.getTreeItem(node).label);
    assert.deepEqual(worktrees, [path.basename(workspaceFolder()), 'second']);
  });

  it('shows a repository that is open by two of its worktrees once', async () => {
    const worktree = path.join(scratch, 'beside');
    gitIn(workspaceFolder(), 'worktree', 'add', '--quiet', '-b', 'beside', worktree);
    await add(worktree);
    await api.parts.loaded();
    assert.deepEqual(open(), [workspaceFolder()]);
    assert.ok((await api.parts.sessionsTree.getChildren()).every(({ kind }) => kind === 'group'));
    gitIn(workspaceFolder(), 'worktree', 'remove', '--force', worktree);
  });

  it('opens a folder that becomes a repository, and lets go of it when it is none any more', async () => {
    const folder = made('later');
    await add(folder);
    await api.parts.loaded();
    assert.deepEqual(open(), [workspaceFolder()]);
    init(folder);
    await repositories([workspaceFolder(), folder]);
    await finishedIn(folder, 'In the new one');
    rmSync(path.join(folder, '.git'), { recursive: true });
    await repositories([workspaceFolder()]);
  });

  it('opens a repository whose making takes a while', async () => {
    const folder = made('slow');
    await add(folder);
    await api.parts.loaded();
    // git makes the folder first, and the editor may tell of it before there is anything in it.
    const { treeline } = api.parts;
    const setFolders = treeline.setFolders.bind(treeline);
    const looked = new Promise<void>((resolve) => {
      treeline.setFolders = (folders) => setFolders(folders).finally(resolve);
    });
    mkdirSync(path.join(folder, '.git'));
    await looked;
    treeline.setFolders = setFolders;
    assert.deepEqual(open(), [workspaceFolder()]);
    init(folder);
    await repositories([workspaceFolder(), folder]);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { WorktreesNode } from '../../src/views/worktrees-tree.ts';
import { activated, finished, gitIn, untilEvent, workspaceFolder } from './support.ts';
import type { Activated } from './support.ts';

describe('the worktrees view', () => {
  let api: Activated;
  before(async () => {
    api = await activated();
    await vscode.commands.executeCommand('treeline.worktrees.focus');
  });

  const shown = (): vscode.TreeItem[] =>
    api.parts.worktreesTree.getChildren().map((node: WorktreesNode) => api.parts.worktreesTree.getTreeItem(node));
  const until = (condition: () => boolean, what: string): Promise<true> =>
    untilEvent(
      (look) => api.parts.worktreesTree.onDidChangeTreeData(look),
      () => condition() || undefined,
      what,
    );

  it("lists Treeline's worktrees and foreign ones, the dirty first, and follows what git and agents do", async () => {
    const session = await finished(api, 'Dirty one', ['write', 'new.txt', 'x'], ['write', 'README.md', 'y']);
    await until(
      () =>
        shown().some(({ label, description }) => label === 'Dirty one' && String(description).startsWith('2 changed')),
      'the session and its changes are shown',
    );
    const foreign = path.join(realpathSync(mkdtempSync(path.join(os.tmpdir(), 'treeline-foreign-'))), 'mine');
    gitIn(workspaceFolder(), 'worktree', 'add', '--quiet', '-b', 'mine', foreign);
    await until(() => shown().some(({ description }) => String(description).endsWith('mine')), 'a new one is shown');
    const items = shown();
    const index = (label: string): number => items.findIndex((each) => each.label === label);
    assert.ok(index('Dirty one') < index('mine'));
    assert.match(items[index('mine')]!.contextValue!, /^worktree foreign present branch removable$/);
    assert.match(items[index('Dirty one')]!.contextValue!, /treeline/);
    assert.ok(String(items[index('Dirty one')]!.description).endsWith(session.branch));
    // A file that is saved in the editor counts at once.
    const document = await vscode.workspace.openTextDocument(path.join(foreign, 'README.md'));
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), 'saved ');
    await vscode.workspace.applyEdit(edit);
    await document.save();
    await until(
      () => shown().some(({ label, description }) => label === 'mine' && String(description).startsWith('1 changed')),
      'the saved file is counted',
    );
    writeFileSync(path.join(foreign, 'README.md'), gitIn(foreign, 'show', 'HEAD:README.md') + '\n');
    gitIn(workspaceFolder(), 'worktree', 'remove', '--force', foreign);
    await until(() => !shown().some(({ label }) => label === 'mine'), 'a removed one is gone');
  });

  it('counts the commits of a session from where it began', async () => {
    const commit = ['commit', '--quiet', '--allow-empty', '--message'];
    const { worktree, base } = await finished(api, 'Ahead', ['git', ...commit, 'one'], ['git', ...commit, 'two']);
    const says = (start: string): Promise<true> =>
      until(
        () => shown().some(({ label, description }) => label === 'Ahead' && String(description).startsWith(start)),
        `Ahead shows ${start}`,
      );
    await says('↑2 · treeline/');
    // A history that is rewritten loses the commit that it began with.
    gitIn(worktree, 'reset', '--quiet', '--soft', base.commit);
    gitIn(worktree, 'commit', '--quiet', '--amend', '--allow-empty', '--message', 'instead');
    await says('↑1 · ↓1 · treeline/');
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ApiSession } from '../../src/api.ts';
import { commitUri } from '../../src/documents/base-documents.ts';
import type { FileNode, SessionsNode } from '../../src/views/sessions-nodes.ts';
import { activated, closeEditors, finished, gitIn, untilEvent, workspaceFolder } from './support.ts';
import type { Activated } from './support.ts';

/** A repository to be a submodule. */
function smallRepository(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'treeline-submodule-'));
  gitIn(folder, 'init', '--quiet');
  writeFileSync(path.join(folder, 'inside.txt'), 'inside\n');
  gitIn(folder, 'add', '--all');
  gitIn(folder, '-c', 'user.name=T', '-c', 'user.email=t@example.invalid', 'commit', '--quiet', '--message', 'Inside');
  return folder;
}

describe('the diff of a messy worktree', () => {
  let api: Activated;
  let session: ApiSession;
  before(async () => {
    api = await activated();
    const repository = workspaceFolder();
    const files = { 'deleted.txt': 'gone\n', 'moved.txt': 'one\ntwo\nthree\nfour\n', 'edited name.txt': 'old\n' };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(repository, name), text);
    gitIn(repository, 'add', '--all');
    gitIn(repository, 'commit', '--quiet', '--message', 'Files to change');
    session = await finished(
      api,
      'Messy',
      ['write', 'edited name.txt', 'new\n'],
      ['git', 'commit', '--quiet', '--all', '--message', 'Committed by the agent'],
      ['delete', 'deleted.txt'],
      ['move', 'moved.txt', 'moved away.txt'],
      ['git', 'add', '--all'],
      ['binary', 'binary.bin'],
      ['write', 'untracked/#odd?.txt', 'odd\n'],
      ['git', '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', smallRepository(), 'module'],
    );
  });
  afterEach(closeEditors);

  const bytes = async (uri: vscode.Uri): Promise<string> =>
    Buffer.from(await vscode.workspace.fs.readFile(uri)).toString('utf8');

  async function files(): Promise<FileNode[]> {
    const node: SessionsNode = { kind: 'session', id: session.id, session: session.id };
    const nodes = await api.parts.sessionsTree.getChildren(node);
    return nodes.filter((each) => each.kind === 'file');
  }

  it('lists each file once, whatever became of it', async () => {
    const kinds = Object.fromEntries((await files()).map(({ change }) => [change.path, change.kind]));
    assert.deepEqual(kinds, {
      '.gitmodules': 'added',
      'binary.bin': 'untracked',
      'deleted.txt': 'deleted',
      'edited name.txt': 'modified',
      module: 'submodule',
      'moved away.txt': 'renamed',
      'untracked/#odd?.txt': 'untracked',
    });
  });

  it('reads the base from git, also what is not there', async () => {
    const { commit } = session.base;
    assert.equal(await bytes(commitUri(session, commit, 'edited name.txt')), 'old\n');
    assert.equal(await bytes(commitUri(session, commit, 'untracked/#odd?.txt')), '');
    assert.equal(vscode.workspace.fs.isWritableFileSystem('treeline-base'), false);
  });

  it('opens all of it in one multi-file diff', async () => {
    const before = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length;
    await vscode.commands.executeCommand('treeline.openDiff', session.id);
    const label = await untilEvent(
      (look) => vscode.window.tabGroups.onDidChangeTabs(look),
      () => vscode.window.tabGroups.activeTabGroup.activeTab?.label,
      'the diff is open',
    );
    assert.match(label, /^Changes of Messy/);
    assert.equal(vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length, before + 1);
  });

  it('opens each file by itself', async () => {
    for (const node of await files()) {
      await vscode.commands.executeCommand('treeline.openFileDiff', node);
      const input = await untilEvent(
        (look) => vscode.window.tabGroups.onDidChangeTabs(look),
        () => {
          const found = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
          return found instanceof vscode.TabInputTextDiff ? found : undefined;
        },
        `the diff of ${node.change.path} is open`,
      );
      if (node.change.kind === 'submodule') {
        assert.match(await bytes(input.modified), /^Subproject commit [0-9a-f]{40}/);
      }
      if (node.change.kind === 'renamed') {
        assert.equal(await bytes(input.original), 'one\ntwo\nthree\nfour\n');
        assert.equal(input.modified.scheme, 'file');
      }
      await closeEditors();
    }
  });

  it('compares the branch where the worktree is gone', async () => {
    execFileSync('git', ['worktree', 'remove', '--force', '--force', session.worktree], { cwd: workspaceFolder() });
    rmSync(session.worktree, { recursive: true, force: true });
    api.parts.sessionsTree.refresh();
    assert.deepEqual(
      (await files()).map(({ change }) => [change.path, change.kind]),
      [['edited name.txt', 'modified']],
    );
    await vscode.commands.executeCommand('treeline.openDiff', session.id);
    assert.match(vscode.window.tabGroups.activeTabGroup.activeTab?.label ?? '', /^Changes of Messy/);
  });
});

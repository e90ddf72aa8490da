import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Examined } from '../../src/sessions/health-report.ts';
import type { SessionsNode } from '../../src/views/sessions-nodes.ts';
import type { WorktreesNode } from '../../src/views/worktrees-tree.ts';
import { activated, finished, gitIn, reaches, steps, untilEvent, workspaceFolder } from './support.ts';
import type { Activated } from './support.ts';

const run = <T>(command: string, ...args: unknown[]): Thenable<T> =>
  vscode.commands.executeCommand<T>(command, ...args);

describe('archive', () => {
  let api: Activated;
  before(async () => (api = await activated()));
  after(() => run('treeline.hideArchived'));

  /** The ids of the sessions that the view shows, with their groups. */
  async function shown(): Promise<Map<string, unknown>> {
    const { sessionsTree } = api.parts;
    const found = new Map<string, unknown>();
    for (const group of await sessionsTree.getChildren()) {
      for (const node of group.kind === 'group' ? await sessionsTree.getChildren(group) : []) {
        if (node.kind === 'session') found.set(node.session, sessionsTree.getTreeItem(group).label);
      }
    }
    return found;
  }
  const node = (id: string): SessionsNode => ({ kind: 'session', id, session: id });

  it('takes selected sessions out of sight, shows them on demand, and brings one back', async () => {
    const first = await finished(api, 'First to go', ['write', 'draft.txt', 'mine']);
    const second = await finished(api, 'Second to go', ['say', 'done']);
    await run('treeline.archive', node(first.id), [node(first.id), node(second.id)]);
    assert.equal((await api.session(first.id))?.status, 'archived');
    assert.equal((await api.session(second.id))?.status, 'archived');
    assert.equal(existsSync(first.worktree), false);
    assert.equal((await shown()).has(first.id), false);

    await run('treeline.showArchived');
    await untilEvent(
      (look) => api.parts.sessionsTree.onDidChangeTreeData(look),
      async () => ((await shown()).get(first.id) === 'Archived' ? true : undefined),
      'the archived session is shown',
    );
    const item = api.parts.sessionsTree.getTreeItem(node(first.id));
    assert.equal(item.contextValue, 'session archived restorable purgeable');
    assert.equal(item.collapsibleState, vscode.TreeItemCollapsibleState.None);

    const restored = await run<{ status: string } | undefined>('treeline.unarchive', node(first.id));
    assert.equal(restored?.status, 'idle');
    assert.equal(readFileSync(path.join(first.worktree, 'draft.txt'), 'utf8'), 'mine');
    assert.equal((await shown()).get(first.id), 'Idle');
    await run('treeline.unarchive', second.id, { to: `${second.worktree}-elsewhere` });
    assert.ok(existsSync(`${second.worktree}-elsewhere`));
  });

  it('leaves a session alone whose turn runs', async () => {
    const { id } = await api.spawn({ agent: 'script', prompt: steps(['wait']), name: 'Still at work' });
    const { worktree } = await reaches(api, id, 'working');
    await run('treeline.archive', id);
    assert.equal((await api.session(id))?.status, 'working');
    assert.ok(existsSync(worktree));
    await api.stop(id);
  });

  it('removes a foreign worktree only by its name, and lists it until it is restored', async () => {
    await run('treeline.worktrees.focus');
    const foreign = path.join(realpathSync(mkdtempSync(path.join(os.tmpdir(), 'treeline-foreign-'))), 'my-own');
    gitIn(workspaceFolder(), 'worktree', 'add', '--quiet', '-b', 'my-own', foreign);
    writeFileSync(path.join(foreign, 'draft.txt'), 'mine');
    const { worktreesTree } = api.parts;
    const item = await untilEvent<WorktreesNode>(
      (look) => worktreesTree.onDidChangeTreeData(look),
      () => worktreesTree.getChildren().find((each) => each.kind === 'worktree' && each.worktree.path === foreign),
      'the worktree is shown',
    );
    await run('treeline.removeWorktree', item, { confirm: 'another' });
    assert.ok(existsSync(foreign));
    await run('treeline.removeWorktree', item, { confirm: 'my-own' });
    assert.equal(existsSync(foreign), false);
    const entry = (await api.sessions()).find(({ worktree }) => worktree === foreign);
    assert.equal(entry?.status, 'archived');
    await run('treeline.unarchive', entry.id);
    assert.equal(readFileSync(path.join(foreign, 'draft.txt'), 'utf8'), 'mine');
    gitIn(workspaceFolder(), 'worktree', 'remove', '--force', foreign);
  });

  it('is looked after by a health check that finds what is left over', async () => {
    const session = await finished(api, 'Healthy', ['say', 'done']);
    const stranger = path.join(path.dirname(session.worktree), 'stranger');
    mkdirSync(stranger);
    const examined = await run<readonly Examined[]>('treeline.checkHealth', { show: false });
    const findings = examined.flatMap((each) => each.findings);
    const left = findings.find(({ evidence, kind }) => kind === 'worktree-left' && evidence[0] === 'It is empty.');
    assert.match(left?.sentence ?? '', /stranger/);
    assert.ok(findings.some(({ kind }) => kind === 'disk'));
    await left?.repair?.run();
    assert.equal(existsSync(stranger), false);
  });
});

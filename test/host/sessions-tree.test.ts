import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { factId, sessionId } from '../../src/platform/ids.ts';
import type { SessionsNode } from '../../src/views/sessions-nodes.ts';
import { activated, finished, reaches, steps, untilEvent, workspaceFolder } from './support.ts';
import type { Activated } from './support.ts';

describe('the sessions view', () => {
  let api: Activated;
  before(async () => (api = await activated()));

  const children = async (node?: SessionsNode): Promise<SessionsNode[]> => api.parts.sessionsTree.getChildren(node);
  const item = (node: SessionsNode): vscode.TreeItem => api.parts.sessionsTree.getTreeItem(node);

  /** The node of a session and the label of its group, as the tree has them now. */
  async function find(id: string): Promise<{ node: SessionsNode; group: unknown } | undefined> {
    for (const group of await children()) {
      if (group.kind === 'session') {
        if (group.session === id) return { node: group, group: undefined };
        continue;
      }
      for (const node of await children(group)) {
        if (node.kind === 'session' && node.session === id) return { node, group: item(group).label };
      }
    }
    return undefined;
  }

  /** An editor that shows the tree may ask for a row in between, has what is new then, and is not told of it. */
  async function hideView(): Promise<void> {
    const { view } = api.parts.sessionsTree;
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    await untilEvent(
      (look) => view.onDidChangeVisibility(look),
      () => !view.visible || undefined,
      'the view is hidden',
    );
  }

  it('shows a working session in its group, with words for the eye, the ear and the menus', async () => {
    const { id } = await api.spawn({ agent: 'script', prompt: steps(['wait']), name: 'Busy $(bug) bee' });
    const session = await reaches(api, id, 'working');
    const found = await find(id);
    assert.equal(found?.group, 'Working');
    const shown = item(found.node);
    assert.equal(shown.id, id);
    assert.equal(shown.label, 'Busy $(bug) bee');
    assert.equal(shown.description, `now · Script · turn 1 · ${session.branch}`);
    assert.match(shown.accessibilityInformation!.label, /^Working: Busy /);
    assert.match(shown.contextValue!, /^session working live stoppable sendable diff/);
    assert.equal(shown.command!.command, 'treeline.openTimeline');
    assert.ok(shown.iconPath instanceof vscode.ThemeIcon);
    assert.equal(shown.tooltip, undefined);
    const { tooltip } = api.parts.sessionsTree.resolveTreeItem(shown, found.node);
    assert.ok(tooltip instanceof vscode.MarkdownString);
    assert.match(tooltip.value, /Evidence: The agent is running \\\(process \d+/);
    assert.ok(tooltip.value.includes(session.worktree));
    assert.equal(tooltip.isTrusted, undefined);
    await api.stop(id);
  });

  it('tells the editor of the changed items alone, and moves a session from group to group', async () => {
    await hideView();
    const told = new Promise<void>((resolve) => {
      const first = api.parts.sessionsTree.onDidChangeTreeData(() => {
        first.dispose();
        resolve();
      });
    });
    const { id } = await api.spawn({ agent: 'script', prompt: steps(['wait']), name: 'Mover' });
    await reaches(api, id, 'working');
    // That there is one session more is told first.
    await told;
    // The end of the session before may still be told of.
    const changed = new Set<string>();
    const changes = api.onDidChange((ids) => ids.forEach((each) => changed.add(each)));
    const fired: (SessionsNode[] | undefined)[] = [];
    const subscription = api.parts.sessionsTree.onDidChangeTreeData((nodes) => fired.push(nodes));
    try {
      let name = '';
      // A change that comes together with the session itself is told of its group.
      for (let n = 1; !fired.some((nodes) => nodes?.some((node) => node.id === id)); n += 1) {
        // The editor knows of the items that it has asked for: again, where the whole tree was told of.
        item((await find(id))!.node);
        fired.length = 0;
        name = `Renamed ${n}`;
        await api.parts.treeline.of(id)!.rename(id, name);
        await untilEvent(
          (look) => api.parts.sessionsTree.onDidChangeTreeData(look),
          () => fired.length > 0 || undefined,
          'something is refreshed',
        );
      }
      assert.ok(fired.every((nodes) => nodes?.every((node) => changed.has(node.id))));
      assert.ok(changed.size < (await api.sessions()).length);
      assert.equal(item((await find(id))!.node).label, name);
      await api.stop(id);
      await reaches(api, id, 'stopped');
      assert.equal((await find(id))!.group, 'Ended');
    } finally {
      subscription.dispose();
      changes.dispose();
    }
  });

  it('is kept up to date by the editor while another agent prints without a pause', async () => {
    await vscode.commands.executeCommand('treeline.sessions.focus');
    const { sessionsTree } = api.parts;
    const asked = new vscode.EventEmitter<string>();
    const original = sessionsTree.getTreeItem.bind(sessionsTree);
    sessionsTree.getTreeItem = (node) => {
      const made = original(node);
      asked.fire(`${made.id} ${made.contextValue}`);
      return made;
    };
    const quiet = await api.spawn({ agent: 'script', prompt: steps(['wait']), name: 'Quiet' });
    const talker = await api.spawn({ agent: 'script', prompt: steps(['chatter', 20]), name: 'Talker' });
    try {
      await reaches(api, talker.id, 'working');
      let changes = 0;
      await untilEvent(
        (look) => api.onDidChange(look),
        () => (changes += 1) > 20 || undefined,
        'the talker is in full flow',
      );
      let shown = '';
      const subscription = asked.event((item) => (shown = item.startsWith(quiet.id) ? item : shown));
      await api.send(quiet.id, 'go');
      await reaches(api, quiet.id, 'idle');
      await untilEvent(
        (look) => asked.event(look),
        () => shown.includes(' idle ') || undefined,
        'the editor asks for the item of the session that ended',
      );
      subscription.dispose();
      assert.equal((await api.session(talker.id))?.status, 'working');
    } finally {
      sessionsTree.getTreeItem = original;
      await api.stop(talker.id);
    }
  });

  it('leaves a row alone that looks the same as before, unless its tooltip was read', async () => {
    await hideView();
    const { id } = await api.spawn({ agent: 'script', prompt: steps(['wait']), name: 'Steady' });
    const other = await api.spawn({ agent: 'script', prompt: steps(['wait']), name: 'Other' });
    await reaches(api, id, 'working');
    await reaches(api, other.id, 'working');
    const { node } = (await find(id))!;
    const shown = item(node);
    item((await find(other.id))!.node);
    const told: string[] = [];
    const listen = (look: () => void) => api.parts.sessionsTree.onDidChangeTreeData(look);
    const subscription = api.parts.sessionsTree.onDidChangeTreeData((nodes) =>
      told.push(...(nodes ?? [{ id: 'all' }]).map((each) => each.id)),
    );
    const hears = async (word: string): Promise<void> => {
      await api.send(id, word);
      const heard = () => api.parts.treeline.of(id)!.activity(id)?.lastLine === `heard ${word}` || undefined;
      await untilEvent((look) => api.onDidChange(look), heard, `it heard ${word}`);
    };
    try {
      await hears('one');
      // What is told of the other one (or of its group, if it is new there) is told with it or later.
      await api.parts.treeline.of(other.id)!.rename(other.id, 'Another');
      await untilEvent(listen, () => told.length > 0 || undefined, 'the other one is refreshed');
      assert.ok(!told.includes(id), 'nothing of the row has changed');
      api.parts.sessionsTree.resolveTreeItem(shown, node);
      await hears('two');
      await untilEvent(listen, () => told.includes(id) || undefined, 'the tooltip is made anew');
    } finally {
      subscription.dispose();
      await api.stop(id);
      await api.stop(other.id);
      await vscode.commands.executeCommand('treeline.sessions.focus');
    }
  });

  it('lists the changed files below a session', async () => {
    const { id } = await finished(api, 'Filer', ['write', 'src/new.txt', 'x\n'], ['write', 'README.md', '# Other\n']);
    const { node } = (await find(id))!;
    const files = await children(node);
    const shown = files.map((file) => item(file));
    assert.deepEqual(
      shown.map(({ label, description }) => [label, description]).sort(),
      [
        ['README.md', 'modified · +1 −1'],
        ['new.txt', 'src · untracked'],
      ].sort(),
    );
    assert.ok(shown.every(({ command }) => command?.command === 'treeline.openFileDiff'));
    assert.deepEqual(api.parts.sessionsTree.getParent(files[0]!), node);
  });

  it('is flat when the setting says so', async () => {
    await vscode.commands.executeCommand('treeline.showFlat');
    try {
      assert.ok((await children()).every(({ kind }) => kind === 'session'));
    } finally {
      await vscode.commands.executeCommand('treeline.showGrouped');
    }
    assert.ok((await children()).every(({ kind }) => kind === 'group'));
  });

  it('lists those that ended last, and the others when they are asked for or gone to', async () => {
    const [repository] = api.parts.treeline.repositories;
    const ids = Array.from({ length: 120 }, () => sessionId());
    // As another window would write them; the first is the one that ended last.
    const by = { role: 'window', process: { pid: 4_000_000, start: 'another boot' } };
    const facts = ids.flatMap((session, n) => {
      const common = { v: 1, session, by, at: Date.now() - n * 1000 };
      const base = { ref: 'main', commit: 'a'.repeat(40) };
      const place = { worktree: `${workspaceFolder()}.worktrees/old-${n}`, branch: `treeline/old-${n}` };
      const agent = { id: 'script', name: 'Script', format: 'text' };
      return [
        { ...common, id: factId(), type: 'session.created', name: `Old ${n}`, agent, base, ...place, expects: [] },
        { ...common, id: factId(), type: 'turn.requested', turn: 1, prompt: 'p', resumes: false },
        { ...common, id: factId(), type: 'turn.withdrawn', turn: 1, reason: 'cancelled', message: 'Enough.' },
      ];
    });
    const known = untilEvent(
      (look) => api.onDidChange(look),
      async () => ((await api.session(ids.at(-1)!)) === undefined ? undefined : true),
      'the old sessions are known',
    );
    appendFileSync(
      path.join(repository!.store, 'journal.jsonl'),
      facts.map((fact) => `${JSON.stringify(fact)}\n`).join(''),
    );
    await known;
    const found = (await find(ids[0]!))!;
    const group = api.parts.sessionsTree.getParent(found.node)!;
    const count = Number(item(group).description);
    assert.ok(count >= 120);
    const first = await children(group);
    assert.equal(first.length, 51);
    assert.ok(first.some((node) => node.kind === 'session' && node.session === ids[0]));
    assert.equal(await find(ids.at(-1)!), undefined);
    assert.equal(item(first.at(-1)!).label, `Show ${count - 50} More`);

    await vscode.commands.executeCommand('treeline.sessions.focus');
    const { command, arguments: args = [] } = item(first.at(-1)!).command!;
    await vscode.commands.executeCommand(command, ...(args as unknown[]));
    assert.equal((await children(group)).length, count);
    assert.deepEqual(
      (await children(group)).flatMap((node) =>
        node.kind === 'session' && ids.includes(node.session) ? [node.session] : [],
      ),
      ids,
    );

    await vscode.commands.executeCommand('treeline.refresh');
    assert.equal((await children(group)).length, 51);
    await api.parts.sessionsTree.reveal(ids[100]!);
    assert.deepEqual(
      api.parts.sessionsTree.view.selection.map(({ id }) => id),
      [ids[100]],
    );
    assert.equal((await children(group)).length, count);
  });

  it('has no badge while nobody is needed', () => {
    assert.equal(api.parts.sessionsTree.view.badge, undefined);
  });
});

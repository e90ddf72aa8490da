import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { ApiSession } from '../../src/api.ts';
import { activated, becomes, closeEditors, finished, reaches, steps, untilEvent } from './support.ts';
import type { Activated } from './support.ts';

const run = <T>(command: string, ...args: unknown[]): Thenable<T> =>
  vscode.commands.executeCommand<T>(command, ...args);

/** The open tabs, and their changes. */
const tabs = (): readonly vscode.Tab[] => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs);
function tab<T>(find: (tab: vscode.Tab) => T | undefined, what: string): Promise<T> {
  return untilEvent(
    (look) => vscode.window.tabGroups.onDidChangeTabs(look),
    () =>
      tabs()
        .map(find)
        .find((found) => found !== undefined),
    what,
  );
}

describe('commands with arguments', () => {
  let api: Activated;
  let session: ApiSession;
  before(async () => {
    api = await activated();
    session = await finished(api, 'Commanded', ['say', 'done'], ['write', 'a.txt', 'a\n']);
  });
  afterEach(closeEditors);

  it('spawn, resume and stop by themselves, asking nothing', async () => {
    const made = await run<{ id: string }>('treeline.spawn', {
      agent: 'script',
      prompt: steps(['say', 'report'], ['write', 'report.md', 'r']),
      name: 'By command',
      base: 'main',
      expects: ['report.md', 'missing.md'],
    });
    const done = await becomes(api, made.id, ({ turns }) => turns[0]?.exit !== undefined, 'the turn ends');
    assert.equal(done.name, 'By command');
    assert.equal(done.base.ref, 'main');
    assert.deepEqual(done.turns[0]!.exit!.expected, [
      { path: 'report.md', present: true },
      { path: 'missing.md', present: false },
    ]);
    await becomes(api, made.id, ({ turns }) => turns[0]?.outcome !== undefined, 'the turn is judged');
    await run('treeline.resume', made.id, { prompt: steps(['wait']) });
    await reaches(api, made.id, 'working');
    await run('treeline.send', made.id, 'go');
    const second = await becomes(api, made.id, ({ turns }) => turns[1]?.exit !== undefined, 'it heard the message');
    assert.equal(second.turns[1]!.exit!.code, 0);
  });

  it('takes a session id or a tree item, and tells of an unknown id without throwing', async () => {
    await run('treeline.rename', session.id, { name: 'Another name' });
    await becomes(api, session.id, ({ name }) => name === 'Another name', 'it is renamed');
    await run('treeline.copyBranch', { kind: 'session', id: session.id, session: session.id });
    assert.equal(await vscode.env.clipboard.readText(), session.branch);
    assert.equal(await run('treeline.stop', 'ses_unknown'), undefined);
    assert.equal(await run('treeline.spawn', { agent: 'nobody', prompt: 'x' }), undefined);
  });

  it('opens one timeline for each session', async () => {
    const isTimeline = (each: vscode.Tab): true | undefined =>
      (each.input instanceof vscode.TabInputWebview && each.input.viewType.endsWith('treeline.timeline')) || undefined;
    await run('treeline.openTimeline', session.id);
    await tab(isTimeline, 'a timeline is open');
    await run('treeline.openTimeline', session.id);
    assert.equal(tabs().filter(isTimeline).length, 1);
    assert.ok(api.parts.panels.shows(session.id));
    await run('treeline.followSelection');
    await untilEvent(
      (look) => vscode.window.tabGroups.onDidChangeTabs(look),
      () => tabs().filter(isTimeline).length === 2 || undefined,
      'the following timeline is open',
    );
  });

  it('opens a prompt in an editor with the action that uses it', async () => {
    let used: string | undefined;
    const uri = await api.parts.prompts.open('Line one\nline two', {
      title: 'Use',
      run: (text) => {
        used = text;
        return Promise.resolve(true);
      },
    });
    const lenses = await run<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri);
    assert.deepEqual(
      lenses.map(({ command }) => command?.command),
      ['treeline.submitPrompt'],
    );
    await run('treeline.submitPrompt', uri);
    assert.equal(used, 'Line one\nline two');
    assert.ok(!tabs().some(({ input }) => input instanceof vscode.TabInputText && input.uri.scheme === 'untitled'));
  });
});

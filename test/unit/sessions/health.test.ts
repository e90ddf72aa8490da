import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { suite, test, type TestContext } from 'node:test';

import { Detector } from '../../../src/agents/detect.ts';
import { adapters } from '../../../src/agents/registry.ts';
import { factId, sessionId } from '../../../src/platform/ids.ts';
import { processIdSync, selfId } from '../../../src/platform/process-id.ts';
import type { Context } from '../../../src/sessions/context.ts';
import { unfinishedMoves } from '../../../src/sessions/health-journal.ts';
import { goneProcesses } from '../../../src/sessions/health-processes.ts';
import { examinePrograms } from '../../../src/sessions/health-programs.ts';
import { healthReport } from '../../../src/sessions/health-report.ts';
import type { Finding, FindingKind } from '../../../src/sessions/finding.ts';
import type { RepositorySessions } from '../../../src/sessions/service-types.ts';
import { Store } from '../../../src/store/store.ts';
import { quoted } from '../../../src/words/saying.ts';
import { agentStarted, claimed, created, exited, keeperStarted, leads, requested } from '../store/facts.ts';
import { git, tempDir, until } from '../support.ts';
import { BOUND, LOG, judged, reached, world } from './support.ts';
import { WindowProcess } from './window-process.ts';

/** The findings of a kind; those about the user's sockets aside, of which other tests leave some. */
async function find(sessions: RepositorySessions, kind: FindingKind): Promise<readonly Finding[]> {
  return (await sessions.examine()).filter((finding) => finding.kind === kind && !finding.sentence.includes('sockets'));
}

async function theOne(sessions: RepositorySessions, kind: FindingKind): Promise<Finding> {
  const [first, ...others] = await find(sessions, kind);
  assert.ok(first, `something of kind ${kind} is found`);
  assert.deepEqual(others, []);
  return first;
}

/** That the repair says what it does, and that what was found is gone after it. */
async function repairs(sessions: RepositorySessions, kind: FindingKind): Promise<Finding> {
  const finding = await theOne(sessions, kind);
  assert.ok(finding.repair, 'there is a repair');
  assert.ok(finding.repair.plan.length > 0 && finding.repair.plan.every((line) => line.endsWith('.')));
  await finding.repair.run();
  assert.deepEqual(await find(sessions, kind), [], 'it is repaired');
  return finding;
}

const DAY = 24 * 3600 * 1000;
const old = new Date(Date.now() - 3600_000 * 2);

suite('health', () => {
  test('finds nothing but the disk that is used where all is well', BOUND, async (t) => {
    const { open } = await world(t);
    const { sessions } = await open();
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'write a.txt hello' });
    await reached(sessions, id, judged);
    const findings = (await sessions.examine()).filter(({ sentence }) => !sentence.includes('sockets'));
    assert.deepEqual(
      findings.map(({ kind }) => kind),
      ['disk'],
    );
    assert.match(findings[0]?.sentence ?? '', /1 sessions use \d/);
  });

  test('worktrees without session go to the trash, and can come back; an empty folder goes', BOUND, async (t) => {
    const { repo, sessions } = await opened(t);
    const place = path.join(repo, '..', 'repo.worktrees');
    await git(repo, 'worktree', 'add', '--quiet', '-b', 'left', path.join(place, 'left'));
    writeFileSync(path.join(place, 'left', 'draft.txt'), 'draft');
    const finding = await repairs(sessions, 'worktree-left');
    assert.match(finding.sentence, /left/);
    const [entry] = sessions.list().filter(({ foreign }) => foreign);
    await sessions.unarchive(entry!.id);
    assert.ok(existsSync(path.join(place, 'left', 'draft.txt')));
    await git(repo, 'worktree', 'remove', '--force', path.join(place, 'left'));

    mkdirSync(path.join(place, 'empty'));
    await repairs(sessions, 'worktree-left');
    mkdirSync(path.join(place, 'full'));
    writeFileSync(path.join(place, 'full', 'mine.txt'), 'mine');
    const full = await theOne(sessions, 'worktree-left');
    assert.equal(full.repair, undefined, 'what is not Treeline’s and not git’s is the user’s to judge');

    await rm(path.join(place, 'full'), { recursive: true });
    await git(repo, 'worktree', 'add', '--quiet', '-b', 'gone', path.join(place, 'gone'));
    await rm(path.join(place, 'gone'), { recursive: true });
    assert.match((await repairs(sessions, 'worktree-left')).sentence, /its folder is missing/);

    // As a git leaves it that is killed in its first millisecond.
    const record = path.join(repo, '.git/worktrees/killed');
    mkdirSync(record, { recursive: true });
    writeFileSync(path.join(record, 'locked'), 'initializing');
    utimesSync(record, old, old);
    assert.match((await repairs(sessions, 'worktree-left')).sentence, /incomplete record/);
    assert.equal(existsSync(record), false);
  });

  test(
    'a session whose worktree is gone gets it back from its branch, or goes to the archived ones',
    BOUND,
    async (t) => {
      const { repo, sessions } = await opened(t);
      const prompt = 'write a.txt 1\nrun git add .\nrun git -c user.name=T -c user.email=t@example.org commit -qm kept';
      const { id, worktree, branch } = await sessions.spawn({ agent: 'scripted', prompt });
      await reached(sessions, id, judged);
      await rm(worktree, { recursive: true });
      await repairs(sessions, 'worktree-missing');
      assert.ok(existsSync(path.join(worktree, 'a.txt')));
      await git(repo, 'worktree', 'remove', '--force', worktree);
      await git(repo, 'branch', '-D', branch);
      assert.equal((await repairs(sessions, 'worktree-missing')).severity, 'error');
      assert.equal(sessions.get(id)?.status, 'archived');
    },
  );

  test('branches without session are deleted only where their commits are held elsewhere', BOUND, async (t) => {
    const { repo, sessions } = await opened(t);
    await git(repo, 'branch', 'treeline/held');
    await git(repo, 'branch', 'mine/held');
    await git(
      repo,
      'branch',
      'treeline/alone',
      await git(repo, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'alone'),
    );
    const { id, branch } = await sessions.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(sessions, id, judged);
    await sessions.archive(id);
    const [held, alone] = await find(sessions, 'branch-left');
    assert.equal(alone?.repair, undefined);
    assert.match(alone?.evidence[0] ?? '', /^treeline\/alone at /);
    // Since the look, somebody has worked on it.
    const more = await git(repo, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'more');
    await git(repo, 'branch', '-f', 'treeline/held', more);
    await held?.repair?.run();
    assert.equal(await git(repo, 'rev-parse', 'treeline/held'), more, 'a branch that moved on stays');
    await git(repo, 'branch', '-f', 'treeline/held', 'main');
    await (await find(sessions, 'branch-left'))[0]?.repair?.run();
    const left = await git(repo, 'branch', '--format=%(refname:short)');
    assert.deepEqual(left.split('\n').sort(), ['main', 'mine/held', 'treeline/alone', branch].sort());
  });

  test('processes of a turn that is over are named and ended, and nobody else’s', BOUND, async (t) => {
    const { sessions } = await opened(t);
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(sessions, id, judged);
    const start = async (mark: string): Promise<number> => {
      const child = spawn('sleep', ['300'], {
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, TREELINE_MARK: mark },
      });
      t.after(() => child.kill('SIGKILL'));
      await once(child, 'spawn');
      return child.pid!;
    };
    const ours = await start(`${id}/1`);
    const others = await start(`${sessionId()}/1`);
    const finding = await until(async () => (await find(sessions, 'process-left'))[0], {
      what: 'the process is found, once the turn is over for a while',
    });
    assert.deepEqual(finding.evidence, [`Process ${ours}: sleep 300`]);
    await finding.repair?.run();
    assert.equal(processIdSync(ours), undefined);
    assert.ok(processIdSync(others));
    assert.deepEqual(await find(sessions, 'process-left'), []);
  });

  test(
    'processes of a session that the journal has lost while no window was open are named and ended',
    BOUND,
    async (t) => {
      const made = await world(t);
      const first = await made.openProcess();
      const { id } = await first.spawn({ agent: 'scripted', prompt: 'wait' });
      await first.kill();
      const [key = ''] = await readdir(path.join(made.storage, 'repos'));
      await rm(path.join(made.storage, 'repos', key, 'journal.jsonl'));
      const { sessions } = await made.open();
      assert.equal(sessions.get(id), undefined);
      const [finding] = await find(sessions, 'process-left');
      assert.match(finding?.sentence ?? '', /^2 processes of an unknown session are still running\.$/);
      await finding?.repair?.run();
      assert.deepEqual(await find(sessions, 'process-left'), []);
    },
  );

  test('a move that a window left in the middle is named, and finished', BOUND, async (t) => {
    const made = await world(t);
    const first = await made.open();
    const { id, worktree } = await first.sessions.spawn({ agent: 'scripted', prompt: 'write a.txt hello' });
    await reached(first.sessions, id, judged);
    await first.treeline.dispose();
    const dieAt = new URL('die-at.mjs?step=1&of=rename&on=.worktrees', import.meta.url);
    const window = await WindowProcess.open(made, { execArgv: ['--import', dieAt.href] });
    await assert.rejects(window.archive(id));
    await window.kill();

    const store = Store.open(first.sessions.store, { role: 'window', process: await selfId() }, LOG);
    t.after(() => store.dispose());
    await store.ready;
    const unasked = (): never => assert.fail('nothing else is done');
    const opened = Promise.withResolvers<RepositorySessions>();
    const patient = {
      context: { store } as Context,
      sessions: { archive: unasked, purge: unasked, removeWorktree: unasked },
      expired: () => [],
      // Whoever acts does it by itself.
      nudge: () => void made.open().then((again) => opened.resolve(again.sessions), opened.reject),
    };
    const [finding, ...others] = unfinishedMoves(patient);
    assert.deepEqual([finding?.kind, others], ['move-unfinished', []]);
    await finding?.repair?.run();
    assert.deepEqual(unfinishedMoves(patient), []);
    const sessions = await opened.promise;
    assert.deepEqual(await find(sessions, 'move-unfinished'), []);
    assert.equal(existsSync(worktree), false);
    await sessions.unarchive(id);
    assert.ok(existsSync(path.join(worktree, 'a.txt')));
  });

  test('damage in the journal is named, with where its copy is; facts of a newer version, too', BOUND, async (t) => {
    const { sessions } = await opened(t);
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(sessions, id, judged);
    const by = { role: 'window', process: await selfId() };
    const newer = JSON.stringify({ v: 1, id: factId(), at: 1, by, type: 'session.dreamt' });
    appendFileSync(path.join(sessions.store, 'journal.jsonl'), `this is no fact\n${newer}\n`);
    await sessions.rename(id, 'Something after it');
    const damaged = await theOne(sessions, 'journal-damaged');
    assert.match(damaged.evidence.join('\n'), /journal\.damaged\.jsonl[^]*Byte \d+/);
    assert.match((await theOne(sessions, 'journal-newer')).sentence, /1 entries .* by another version .* update/);
  });

  test(
    'temporary files, dead sockets, unreadable indexes and folders of no session are cleared away',
    BOUND,
    async (t) => {
      const { sessions } = await opened(t);
      const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'print done' });
      await reached(sessions, id, judged);
      const gone = spawn('true');
      await once(gone, 'exit');
      const left = path.join(sessions.store, `catalogue.jsonl.${gone.pid}-0123456789ab.tmp`);
      const current = path.join(sessions.store, `catalogue.jsonl.${process.pid}-0123456789ab.tmp`);
      writeFileSync(left, '');
      writeFileSync(current, '');
      assert.deepEqual((await repairs(sessions, 'file-stale')).evidence, [left]);
      assert.ok(existsSync(current), 'what is being written stays');

      writeFileSync(path.join(sessions.store, 'sessions', id, 'timeline.db'), '');
      assert.equal((await repairs(sessions, 'index-unreadable')).evidence.length, 1);

      const never = path.join(sessions.store, 'sessions', sessionId());
      await mkdir(path.join(never, 'texts'), { recursive: true });
      await writeFile(path.join(never, 'texts/a.md'), 'never sent');
      utimesSync(path.join(never, 'texts'), old, old);
      assert.deepEqual((await repairs(sessions, 'file-stale')).evidence, [never]);
    },
  );

  test('a socket that nobody listens on is found, one that is listened on is not', BOUND, async (t) => {
    const { sessions } = await opened(t);
    const runtime = await tempDir(t);
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = runtime;
    t.after(() => (before === undefined ? delete process.env['TMPDIR'] : (process.env['TMPDIR'] = before)));
    const folder = path.join(runtime, `treeline-${process.getuid?.()}`);
    await mkdir(folder, { mode: 0o700 });
    const bind = async (name: string): Promise<string> => {
      const file = path.join(folder, name);
      // Bound by a process that is killed: the file stays, and nobody listens.
      const code = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
      await once(spawn(process.execPath, ['-e', code]), 'exit');
      utimesSync(file, old, old);
      return file;
    };
    const dead = await bind('dead-1.sock');
    const live = net.createServer().listen(path.join(folder, 'live-1.sock'));
    t.after(() => live.close());
    await once(live, 'listening');
    utimesSync(path.join(folder, 'live-1.sock'), old, old);
    const [finding] = (await sessions.examine()).filter(({ kind }) => kind === 'file-stale');
    assert.deepEqual(finding?.evidence, [dead]);
    await finding.repair?.run();
    assert.equal(existsSync(dead), false);
    assert.ok(existsSync(path.join(folder, 'live-1.sock')));
  });

  test('agents that are missing or older than what was tried are named', BOUND, async (t) => {
    const bin = await tempDir(t);
    const program = (name: string, version: string): Promise<void> =>
      writeFile(path.join(bin, name), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
    // What this machine has installed elsewhere must not count.
    const two = adapters([]).filter(({ id }) => id === 'claude' || id === 'codex');
    const builtIn = two.map((one) => ({ ...one, detection: { ...one.detection, places: [] } }));
    const look = (used: readonly string[] = []): Promise<readonly Finding[]> =>
      examinePrograms(new Detector(() => ({ PATH: bin })), builtIn, new Set(used));
    assert.deepEqual(
      (await look(['codex'])).map(({ severity }) => severity),
      ['info', 'warning'],
    );
    await program('claude', '1.0.9 (Claude Code)');
    await program('codex', 'codex-cli 0.169.0');
    const [old, ...others] = await look();
    assert.deepEqual(others, []);
    assert.match(old?.sentence ?? '', /Claude Code 1\.0\.9 is older than the oldest tested version \(2\.1\.197/);
    await program('claude', '2.1.329 (Claude Code)');
    assert.deepEqual(await look(), []);
  });

  test('a git that is missing or too old is an error, and one that is new enough is none', BOUND, async (t) => {
    const bin = await tempDir(t);
    const program = new URL('../../../src/sessions/health-programs.ts', import.meta.url).href;
    const detector = new URL('../../../src/agents/detect.ts', import.meta.url).href;
    // In a process of its own: the version is asked once.
    const code = `
      const { examinePrograms } = await import(${JSON.stringify(program)});
      const { Detector } = await import(${JSON.stringify(detector)});
      console.log(JSON.stringify(await examinePrograms(new Detector(() => ({})), [], new Set())));`;
    const look = async (PATH: string): Promise<readonly Finding[]> => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        env: { PATH },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      return JSON.parse(said) as Finding[];
    };
    assert.match((await look(bin))[0]?.sentence ?? '', /^git was not found/);
    await writeFile(path.join(bin, 'git'), "#!/bin/sh\necho 'git version 2.30.9'\n", { mode: 0o755 });
    assert.deepEqual(await look(bin), [
      {
        kind: 'git',
        severity: 'error',
        sentence: 'git 2.30.9 is too old. Install git 2.31 or newer.',
        evidence: [],
      },
    ]);
    await writeFile(path.join(bin, 'git'), "#!/bin/sh\necho 'git version 2.31.0'\n");
    assert.deepEqual(await look(bin), []);
  });

  test('archives that are older than the trash keeps are deleted for good, on request', BOUND, async (t) => {
    const made = await world(t);
    made.settings.trashDays = 0;
    const first = await made.open();
    const { id, worktree, branch } = await first.sessions.spawn({ agent: 'scripted', prompt: 'write a.txt hello' });
    await reached(first.sessions, id, judged);
    await first.sessions.archive(id);
    assert.deepEqual(await find(first.sessions, 'trash-old'), []);
    await first.treeline.dispose();
    // Twenty days go by, and Treeline runs on each.
    const day = Math.floor(Date.now() / DAY);
    const days = Array.from({ length: 20 }, (_, n) => day - n);
    writeFileSync(path.join(first.sessions.store, 'trash.json'), JSON.stringify({ days, answer: 'keep' }));
    const journal = path.join(first.sessions.store, 'journal.jsonl');
    const facts = readFileSync(journal, 'utf8').trimEnd().split('\n');
    const aged = facts
      .map((line) => JSON.parse(line) as { at: number })
      .map((fact) => ({ ...fact, at: fact.at - 20 * DAY }));
    writeFileSync(journal, aged.map((fact) => `${JSON.stringify(fact)}\n`).join(''));
    const { sessions } = await made.open();
    assert.deepEqual(await find(sessions, 'trash-old'), [], 'as long as the trash keeps everything');
    made.settings.trashDays = 21;
    assert.deepEqual(await find(sessions, 'trash-old'), []);
    made.settings.trashDays = 14;
    const files = sessions.get(id)?.archive?.files ?? '';
    assert.ok(existsSync(path.join(files, 'a.txt')));
    const finding = await repairs(sessions, 'trash-old');
    assert.match(finding.sentence, /has been kept for more than 14 days on which Treeline ran\.$/);
    assert.deepEqual(finding.evidence, [files]);
    assert.ok(finding.repair?.plan.some((step) => step.includes(files) && step.includes('cannot be undone')));
    assert.deepEqual([existsSync(files), existsSync(worktree)], [false, false]);
    assert.equal(await git(made.repo, 'branch', '--list', '--format=%(refname:short)', branch), branch);
  });

  test('what lies in the trash and belongs to no session is named, and left to the user', BOUND, async (t) => {
    const { sessions } = await opened(t);
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'write a.txt hello' });
    await reached(sessions, id, judged);
    await sessions.archive(id);
    assert.deepEqual(await find(sessions, 'trash-unknown'), [], 'an archived session’s own folder is known');
    const strange = path.join(sessions.store, 'trash', 'strange');
    await mkdir(path.join(strange, 'worktree'), { recursive: true });
    const finding = await theOne(sessions, 'trash-unknown');
    assert.deepEqual(finding.evidence, [strange]);
    assert.equal(finding.repair, undefined);
  });

  test('a check that fails is a finding itself, and the others still tell theirs', BOUND, async (t) => {
    const { repo, sessions } = await opened(t);
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'print done' });
    await reached(sessions, id, judged);
    await sessions.archive(id);
    // What should be a folder is a file.
    await rm(path.join(repo, '..', 'repo.worktrees'), { recursive: true });
    writeFileSync(path.join(repo, '..', 'repo.worktrees'), '');
    const finding = await theOne(sessions, 'check-failed');
    assert.deepEqual([finding.severity, finding.sentence], ['warning', 'Treeline could not check the worktrees.']);
    assert.match(finding.evidence.join('\n'), /ENOTDIR.*repo\.worktrees.*\.$/);
    assert.equal((await find(sessions, 'disk')).length, 1);
  });

  test('can be given up in the middle', BOUND, async (t) => {
    const { sessions } = await opened(t);
    await assert.rejects(sessions.examine(AbortSignal.abort(new Error('enough'))), /enough/);
  });

  test('the report shows every text as it is, and lets none of it become markup', BOUND, () => {
    const finding: Finding = {
      kind: 'disk',
      severity: 'info',
      sentence: '`code` <img src=x> [a](command:evil)\n# title',
      evidence: ['``two'],
      repair: { title: 'Do It', plan: ['Delete x.'], run: () => Promise.resolve() },
    };
    const report = healthReport(
      [
        { where: 'repo', findings: [finding] },
        { where: 'other', findings: [] },
      ],
      '1.2.3',
      0,
    );
    assert.ok(report.includes('`` `code` <img src=x> [a](command:evil) # title ``'));
    assert.ok(report.includes('``` ``two ```'));
    assert.match(report, /Repair: Do It\n {4}- `Delete x\.`/);
    assert.match(report, /No problems found\./);
  });
});

async function opened(t: TestContext) {
  const made = await world(t);
  return { repo: made.repo, ...(await made.open()) };
}

test(
  'a live turn whose keeper is gone is an error; its repair has whoever acts look, and waits for the end',
  BOUND,
  async (t) => {
    const folder = await tempDir(t);
    const self = await selfId();
    const store = Store.open(folder, { role: 'window', process: self }, LOG);
    t.after(() => store.dispose());
    await store.ready;
    const session = sessionId();
    const gone = { pid: 999_999_9, start: 'another boot' };
    store.append(
      leads(),
      { ...created, session },
      { ...requested(1), session },
      { ...claimed(1), session },
      { ...keeperStarted(1), session, keeper: gone },
      { ...agentStarted(1), session, agent: gone },
    );
    const nudge = (): void => void store.append({ ...exited(1, { code: null, problem: quoted('gone') }), session });
    const unasked = (): never => assert.fail('nothing is moved');
    const sessions = { archive: unasked, purge: unasked, removeWorktree: unasked };
    const patient = { context: { store } as Context, sessions, expired: () => [], nudge };
    const [finding, ...others] = await goneProcesses(patient);
    assert.deepEqual(others, []);
    assert.equal(finding?.severity, 'error');
    assert.match(finding.sentence, /shown as working, but the process that recorded it is gone/);
    await finding.repair?.run();
    assert.deepEqual(await goneProcesses(patient), []);
  },
);

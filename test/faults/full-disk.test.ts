/** A disk that is full, or fails, in the middle of a turn: it is told, it kills no agent, and nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { TreelineError, errorText } from '../../src/platform/errors.ts';
import { journalFile } from '../../src/platform/paths.ts';
import type { SessionFact } from '../../src/store/facts.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { tempDir, until } from '../unit/support.ts';
import {
  type FaultWindow,
  assertConsistent,
  faultWorld,
  rows,
  scriptAgents,
  seeded,
  session,
  smallDisk,
  stdout,
  storeOf,
  told,
  trials,
} from './support.ts';
import { keepers, marked } from './truth.ts';
import { FAILING } from './failing.ts';
import { quoted } from '../../src/words/saying.ts';

const FAILING_KEEPER = path.join(import.meta.dirname, 'failing-keeper.ts');

const LINES = 60_000;
/** 6 MB in lines that are all different, as fast as they are taken. */
const MUCH = `const fs = require('node:fs');
  for (let i = 0; i < ${LINES}; i++) fs.writeSync(1, String(i).padStart(99, '.') + '\\n');
  fs.writeSync(1, 'all said\\n');`;
const ALL = Array.from({ length: LINES }, (_, i) => `${String(i).padStart(99, '.')}\n`).join('') + 'all said\n';

/** Gives the disk so many KiB beyond what is on it. */
function leave(disk: string, kib: number): void {
  const { blocks, bfree, bsize } = statfsSync(disk);
  const used = Math.ceil(((blocks - bfree) * bsize) / 1024);
  execFileSync('mount', ['-o', `remount,size=${used + kib}k`, disk]);
}

const isFull = (disk: string): boolean => statfsSync(disk).bavail === 0;

/** Takes all that is left of a disk; returns how to give it back. */
function fill(disk: string): () => void {
  const file = path.join(disk, 'filler');
  const fd = openSync(file, 'a');
  for (let size = 1 << 20; size >= 1;) {
    try {
      if (writeSync(fd, Buffer.alloc(size)) < size) size >>= 1;
    } catch {
      size >>= 1;
    }
  }
  closeSync(fd);
  return () => rmSync(file);
}

/** The journal's last page still has room on a full disk. */
async function fillJournal({ sessions }: FaultWindow, id: string): Promise<void> {
  await assert.rejects(async () => {
    for (;;) await sessions.rename(id, 'A longer name');
  }, /could not be written/);
}

suite('a full disk', { timeout: 300_000 }, () => {
  test('an agent fills it in the middle of its turn: told, waited for, and nothing is missing', async (t) => {
    const random = seeded(t);
    const disk = await smallDisk(t, 3072);
    if (disk === undefined) return;
    const { repo, open, settings } = await faultWorld(t, { storage: disk });
    settings.customAgents = scriptAgents({ much: MUCH });
    const window = await open();
    for (let trial = 0; trial < trials(2); trial++) {
      leave(disk, 3072);
      const { id } = await window.sessions.spawn({ agent: 'much', prompt: 'Go.' });
      await until(() => isFull(disk), { what: 'the disk is full' });
      await sleep(random.between(0, 1500));
      assert.ok(marked([id]).length > 0, 'the agent is not killed by it');
      assert.equal(session(window, id).status, 'working');
      assert.equal(session(window, id).evidence.type, 'agent.started');

      leave(disk, 32_768);
      const ended = await reached(window.sessions, id, judged);
      assert.equal(ended.status, 'idle');
      assert.deepEqual(ended.turns[0]?.judgement?.summary, quoted('all said'));
      assert.ok(stdout(window, id).equals(Buffer.from(ALL)), 'every byte is there, once and in order');
      const timeline = await rows(window, id);
      assert.equal(timeline.filter(({ kind }) => kind === 'output').length, LINES + 1);
      const notes = timeline.filter(({ kind }) => kind === 'keeper').map(({ text }) => text.text);
      assert.match(notes.join('\n'), /Could not write the agent's output \(ENOSPC\)[^]*output is being written again/);
    }
    await assertConsistent(repo, window.sessions);
  });

  test('a user on a full disk is refused in one sentence, and nothing half made stays', async (t) => {
    const random = seeded(t);
    const disk = await smallDisk(t, 4096);
    if (disk === undefined) return;
    const { repo, open } = await faultWorld(t, { storage: disk });
    const window = await open();
    const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print ready\nwait' });
    const { id: over } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print over' });
    await reached(window.sessions, over, judged);
    const facts = readFileSync(journalFile(storeOf(disk)));
    for (let trial = 0; trial < trials(3); trial++) {
      const free = fill(disk);
      const asked = await Promise.allSettled([
        window.sessions.spawn({ agent: 'scripted', prompt: 'wait' }),
        window.sessions.resume(over, { prompt: 'print '.repeat(2000) }),
      ]);
      for (const [n, one] of asked.entries()) {
        assert.ok(one.status === 'rejected', `${n} is refused`);
        const error = one.reason as unknown;
        assert.ok(error instanceof TreelineError, `${n}: ${String(error)}`);
        assert.match(error.message, /Free some space/);
      }
      assert.ok(marked([id]).length > 0, 'what ran goes on');
      await sleep(random.between(0, 300));
      free();
      // What the journal had space for only now: the turn that was asked for has no prompt, and does not hold up others.
      await reached(window.sessions, over, ({ status }) => status !== 'queued');
    }
    assert.ok(
      readFileSync(journalFile(storeOf(disk)))
        .subarray(0, facts.length)
        .equals(facts),
      'no fact was touched',
    );
    // With space again, all is as before.
    const { id: next } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print works' });
    assert.equal((await reached(window.sessions, next, judged)).status, 'idle');
    const exit = await window.sessions.stop(id);
    assert.ok(exit);
    await assertConsistent(repo, window.sessions);
    await window.treeline.dispose();
    const again = await open();
    assert.deepEqual(
      again.sessions.list().map(({ id, status }) => [id, status]),
      window.sessions.list().map(({ id, status }) => [id, status]),
    );
  });

  test('turns that end, are stopped or lose their keeper while it is full are closed when there is space', async (t) => {
    const disk = await smallDisk(t, 4096);
    if (disk === undefined) return;
    const { repo, storage, open, settings } = await faultWorld(t, { storage: disk });
    settings.customAgents = scriptAgents({
      ends: `process.on('SIGUSR2', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready')`,
    });
    const window = await open();
    const spawned = await Promise.all(
      Array.from({ length: 3 }, () => window.sessions.spawn({ agent: 'ends', prompt: 'Go.' })),
    );
    const [ends, stopped, lost] = spawned.map(({ id }) => id) as [string, string, string];
    for (const { id } of spawned) {
      await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'ready');
    }
    const free = fill(disk);
    await fillJournal(window, lost);
    for (const { pid } of marked([ends])) process.kill(pid, 'SIGUSR2');
    const stop = window.sessions.stop(stopped).then(
      () => undefined,
      (error: unknown) => errorText(error),
    );
    const keeper = keepers(storage).find((one) => one.session === lost);
    process.kill(keeper!.pid, 'SIGKILL');
    await until(() => marked([ends, lost, stopped]).length === 0, { what: 'nothing of the three runs any more' });
    await sleep(1500);
    free();
    const refused = await stop;
    // The journal could not take that a stop is wanted: that is told, and the agent is ended all the same.
    assert.match(refused ?? '', /is being stopped.* could not be written .*space/);
    assert.equal((await reached(window.sessions, ends, judged)).status, 'idle');
    assert.equal((await reached(window.sessions, stopped, judged)).status, 'stopped');
    await reached(window.sessions, lost, ({ status }) => status === 'lost');
    for (const id of [ends, stopped, lost]) assert.match(await told(window, id), /output: ready[^]*turn-end: /);
    assert.deepEqual(marked([ends, stopped, lost]), []);
    await assertConsistent(repo, window.sessions);
  });

  test('what a window tries again and again is told once, and once that it goes on', async (t) => {
    const disk = await smallDisk(t, 4096);
    if (disk === undefined) return;
    const { repo, storage, open } = await faultWorld(t, { storage: disk });
    const window = await open();
    const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print ready\nwait' });
    await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'ready');
    const free = fill(disk);
    await fillJournal(window, id);
    process.kill(keepers(storage)[0]!.pid, 'SIGKILL');
    const about = (what: string): readonly string[] =>
      window.log.filter((line) => line.includes(id) && line.includes(what));
    await until(() => about('is tried again').length > 0, { what: 'the trouble is told' });
    // Two more trials, 2 s each.
    await sleep(5000);
    assert.deepEqual(about('goes on'), []);
    free();
    await reached(window.sessions, id, ({ status }) => status === 'lost');
    await until(() => about('goes on').length > 0, { what: 'the end of the trouble is told' });
    assert.equal(about('is tried again').length, 1, window.log.join('\n'));
    assert.match(
      about('is tried again')[0]!,
      /^error: ses_.* could not go on, which is tried again: .*could not be written/,
    );
    assert.deepEqual(about('goes on'), [`info: ${id} goes on.`]);
    await assertConsistent(repo, window.sessions);
  });
});

suite('a disk that fails', { timeout: 120_000 }, () => {
  test('every write of the keeper meets EIO for a while: told, the agent goes on, and nothing is missing', async (t) => {
    const random = seeded(t);
    const flag = path.join(await tempDir(t), 'eio');
    process.env[FAILING] = flag;
    t.after(() => Reflect.deleteProperty(process.env, FAILING));
    const { repo, storage, open, settings } = await faultWorld(t, { keeper: FAILING_KEEPER });
    settings.customAgents = scriptAgents({
      steady: `let n = 0; const timer = setInterval(() => { console.log('line ' + n++); if (n === 100) process.exit(0) }, 20)`,
    });
    const window = await open();
    for (let trial = 0; trial < trials(2); trial++) {
      const { id } = await window.sessions.spawn({ agent: 'steady', prompt: 'Go.' });
      await sleep(random.between(0, 1500));
      writeFileSync(flag, '');
      // Now and then over the end of the agent.
      await sleep(random.between(300, 1500));
      rmSync(flag);
      assert.equal((await reached(window.sessions, id, judged)).status, 'idle');
      assert.deepEqual(
        stdout(window, id).toString().trimEnd().split('\n'),
        Array.from({ length: 100 }, (_, n) => `line ${n}`),
      );
      assert.match(
        await told(window, id),
        /Could not write the agent's output \(EIO\)[^]*output is being written again/,
      );
      const facts = readFileSync(journalFile(storeOf(storage)), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as SessionFact);
      assert.equal(facts.filter((fact) => fact.session === id && fact.type === 'run.exited').length, 1);
    }
    await assertConsistent(repo, window.sessions);
  });
});

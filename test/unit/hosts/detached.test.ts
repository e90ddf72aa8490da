import assert from 'node:assert/strict';
import { statSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { settingsFile, stewardLogFile } from '../../../src/platform/paths.ts';
import { isAlive } from '../../../src/platform/process-id.ts';
import { until } from '../support.ts';
import { judged, world } from '../sessions/support.ts';
import { end, Onlooker } from './support.ts';

test('windows that are closed change nothing: eight queued sessions with a limit of two come to their end', async (t) => {
  const place = await world(t);
  place.settings.maxConcurrent = 2;
  const window = await place.openProcess();
  for (let n = 1; n <= 8; n++) {
    await window.spawn({ agent: 'scripted', prompt: `sleep 400\nwrite done.txt ${n}\nprint ${n}` });
  }
  const onlooker = await Onlooker.open(t, place);
  await window.close();
  const lead = await onlooker.leads((one) => one?.host === 'detached');
  const sessions = await onlooker.all(judged, 60_000);
  assert.deepEqual(
    sessions.map(({ turns: [turn] }) => turn?.judgement?.outcome),
    sessions.map(() => 'completed'),
  );
  for (const { worktree } of sessions) assert.ok(readFileSync(path.join(worktree, 'done.txt'), 'utf8') !== '');
  // Two at most ran at a time.
  const spans = sessions.map(({ turns: [turn] }) => ({ from: turn!.begunAt!, to: turn!.endedAt! }));
  for (const { from } of spans) assert.ok(spans.filter((one) => one.from <= from && from < one.to).length <= 2);

  assert.ok(lead !== undefined);
  await until(async () => !(await isAlive(lead.by)), { what: 'it ends when nothing is open any more' });
  assert.equal(await onlooker.leads((one) => one === undefined), undefined);
  const folder = onlooker.store.folder;
  assert.match(readFileSync(stewardLogFile(folder), 'utf8'), /Nothing is left to be done/);
  for (const file of [stewardLogFile(folder), settingsFile(folder)]) assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a window that has nothing left to do leaves nobody behind', async (t) => {
  const place = await world(t);
  const window = await place.openProcess();
  await window.spawn({ agent: 'scripted', prompt: 'print hello' });
  const onlooker = await Onlooker.open(t, place);
  await onlooker.all(judged, 20_000);
  await window.close();
  assert.equal(onlooker.lead === undefined ? undefined : await onlooker.leads((one) => one === undefined), undefined);
  assert.throws(() => statSync(stewardLogFile(onlooker.store.folder)), { code: 'ENOENT' });
});

test('what acts without a window gives way to one that opens, and follows it again', async (t) => {
  const place = await world(t);
  const first = await place.openProcess();
  const { id } = await first.spawn({ agent: 'lines', prompt: 'print hello' });
  const onlooker = await Onlooker.open(t, place);
  await first.close();
  const alone = await onlooker.leads((one) => one?.host === 'detached');
  const second = await place.openProcess();
  const lead = await onlooker.leads((one) => one?.host === 'window');
  assert.equal(lead?.by.pid, second.pid);
  await until(async () => !(await isAlive(alone!.by)), { what: 'the other one has ended' });
  await second.send(id, 'write said.txt yes');
  const { worktree } = (await second.list())[0]!;
  await until(() => statSync(path.join(worktree, 'said.txt'), { throwIfNoEntry: false }), {
    what: 'the agent goes on',
  });

  await second.close();
  await onlooker.leads((one) => one?.host === 'detached');
  const third = await place.openProcess();
  await third.stop(id);
});

test('what acts without a window may be killed: the next window goes on', async (t) => {
  const place = await world(t);
  const window = await place.openProcess();
  const { id } = await window.spawn({ agent: 'lines', prompt: 'print hello' });
  const onlooker = await Onlooker.open(t, place);
  await window.close();
  const alone = await onlooker.leads((one) => one?.host === 'detached');
  await end(alone!.by);
  const next = await place.openProcess();
  await next.send(id, 'exit 0');
  const [session] = await onlooker.all(judged, 20_000);
  assert.equal(session?.turns[0]?.judgement?.outcome, 'completed');
});

test('another window goes on where one is closed or killed, and no process is started for it', async (t) => {
  const place = await world(t);
  const windows = [await place.openProcess(), await place.openProcess(), await place.openProcess()] as const;
  const { id } = await windows[0].spawn({ agent: 'lines', prompt: 'print hello' });
  const onlooker = await Onlooker.open(t, place);
  assert.equal(onlooker.lead?.by.pid, windows[0].pid);
  await windows[0].close();
  const second = await onlooker.leads((one) => one !== undefined && one.by.pid !== windows[0].pid, 2000);
  assert.equal(second?.host, 'window');
  const [killed, last] = second.by.pid === windows[1].pid ? [windows[1], windows[2]] : [windows[2], windows[1]];
  await killed.kill();
  const third = await onlooker.leads((one) => one?.by.pid === last.pid, 2000);
  assert.equal(third?.host, 'window');
  await last.stop(id);
});

test('where everything is killed at once, the agents see to it that the queue goes on', async (t) => {
  const place = await world(t);
  place.settings.maxConcurrent = 2;
  const windows = [await place.openProcess(), await place.openProcess()] as const;
  for (let n = 1; n <= 8; n++) {
    // The first two are still at work when nobody has acted for a while.
    await windows[0].spawn({ agent: 'scripted', prompt: `sleep ${n <= 2 ? 8000 : 200}\nprint ${n}` });
  }
  const onlooker = await Onlooker.open(t, place);
  await Promise.all(windows.map((window) => window.kill()));
  const lead = await onlooker.leads((one) => one?.host === 'detached', 20_000);
  const sessions = await onlooker.all(judged, 60_000);
  assert.deepEqual(
    sessions.map(({ turns: [turn] }) => turn?.judgement?.outcome),
    sessions.map(() => 'completed'),
  );
  await until(async () => !(await isAlive(lead!.by)), { what: 'it ends when nothing is open any more' });
});

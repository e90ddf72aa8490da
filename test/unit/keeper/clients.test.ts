/** What clients of the keeper's socket may do, and what not. */
import assert from 'node:assert/strict';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connectKeeper, readSpec } from '../../../src/keeper/client.ts';
import type { KeeperNote, Message } from '../../../src/keeper/protocol.ts';
import { factId } from '../../../src/platform/ids.ts';
import { isAlive } from '../../../src/platform/process-id.ts';
import { until } from '../support.ts';
import { prepare, started } from './support.ts';

const WAIT = `console.log('ready'); setInterval(() => {}, 1000)`;

/** Says what it reads. */
const ECHO = `require('readline').createInterface({ input: process.stdin }).on('line', (l) => { console.log('got ' + l); if (l === 'quit') process.exit(0) })`;

const message = (text: string): Message => ({ key: factId(), text });

/** Says `text` to the socket and returns what it answers until it closes, be it in the middle of the text. */
function say(socket: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const client = net.connect(socket, () => client.write(text));
    client.on('data', (chunk) => (heard += chunk.toString()));
    client.once('error', () => client.destroy());
    client.once('close', () => resolve(heard));
  });
}

test('who does not say the token is sent away', async (t) => {
  const { run, keeper } = await started(t, WAIT);
  const wrong = { socket: run.spec.socket, token: 'f'.repeat(32) };
  await assert.rejects(connectKeeper(wrong, { timeoutMs: 1000 }), { code: 'protocol' });
  for (const text of [
    '{"id":1,"do":"stop"}\n',
    'nonsense\n',
    '{"id":1,"do":"hello"}\n',
    '{"id":1,"do":"hello","token":"é"}\n',
  ]) {
    assert.match(await say(run.spec.socket, text), /"ok":false,"code":"protocol"/);
  }
  await keeper.start();
  assert.equal(run.exitExists(), false);
  assert.equal(statSync(run.spec.socket).mode & 0o777, 0o600);
  assert.equal(statSync(path.dirname(run.spec.socket)).mode & 0o777, 0o700);
  await keeper.stop();
});

test('a request longer than 2 MB ends the connection, not the run', async (t) => {
  const { run, keeper } = await started(t, WAIT);
  assert.doesNotMatch(await say(run.spec.socket, `${'x'.repeat(4_000_000)}\n`), /"ok":true/);
  await keeper.start();
  await keeper.stop();
});

test('a keeper that nobody asks for the agent ends with its client, and leaves a note', async (t) => {
  const run = await prepare(t, WAIT);
  const keeper = await run.open();
  const { keeper: id } = run.fact('keeper.started');
  keeper.dispose();
  await until(async () => !(await isAlive(id)), { what: 'the keeper ends' });
  assert.match(run.notes(), /not started, because Treeline closed before it could start it/);
  assert.deepEqual(
    run.facts().map(({ type }) => type),
    ['keeper.started'],
  );
  assert.equal(run.exitExists(), false);
  assert.equal(statSync(run.spec.socket, { throwIfNoEntry: false }), undefined);
});

test('a keeper without a client gives up; one whose client waits for a long checkout does not', async (t) => {
  const entry = path.join(import.meta.dirname, 'impatient.ts');
  const alone = await prepare(t, WAIT, { entry });
  const awaited = await prepare(t, WAIT, { entry });
  const id = await alone.launch();
  const keeper = await awaited.open();
  await until(async () => !(await isAlive(id)), { what: 'the keeper without a client ends' });
  assert.match(alone.notes(), /not started, because Treeline did not ask for it/);
  // By now the other one's time is over as well, for it started at the same moment; asked once more, to be certain.
  await delay(300);
  await keeper.start();
  await awaited.printed('ready');
  await keeper.stop();
});

test('a stop before the start ends the run without an agent', async (t) => {
  const run = await prepare(t, WAIT);
  const keeper = await run.open();
  const exit = await keeper.stop();
  assert.equal(exit.startedAt, null);
  assert.ok(exit.stop);
  assert.deepEqual(
    run.facts().map(({ type }) => type),
    ['keeper.started', 'run.exited'],
  );
  await assert.rejects(keeper.start(), { code: /ended|keeper-gone/ });
});

test('losing every client after the start changes nothing; a later one finds the run by its spec', async (t) => {
  const { run, keeper } = await started(
    t,
    `console.log('ready'); process.stdin.resume(); setTimeout(() => process.exit(4), 600)`,
    {
      stdin: 'lines',
    },
  );
  await run.printed('ready');
  keeper.dispose();
  await keeper.closed;
  const later = await connectKeeper(await readSpec(run.folder), { timeoutMs: 5000 });
  const { pid } = await later.start();
  assert.equal(pid, run.fact('agent.started').agent.pid);
  assert.equal((await later.ended).code, 4);
  await later.closed;
  await assert.rejects(connectKeeper(run.spec, { timeoutMs: 100 }), { code: 'keeper-gone' });
});

test('a stale socket file does not keep the keeper from starting, a living keeper does', async (t) => {
  const run = await prepare(t, WAIT);
  const dead = net.createServer();
  const { mkdirSync, renameSync } = await import('node:fs');
  mkdirSync(path.dirname(run.spec.socket));
  await new Promise<void>((resolve) => dead.listen(`${run.spec.socket}.old`, resolve));
  // A socket file whose process is gone.
  renameSync(`${run.spec.socket}.old`, run.spec.socket);
  await new Promise((resolve) => dead.close(resolve));
  assert.ok(statSync(run.spec.socket).isSocket());
  const keeper = await run.open();
  await keeper.start();

  const second = await run.launch();
  await until(async () => !(await isAlive(second)), { what: 'the second keeper gives up' });
  assert.equal((await keeper.start()).pid, run.fact('agent.started').agent.pid);
  await keeper.stop();
});

test('a socket that somebody removes or replaces is put back; who is connected notices nothing', async (t) => {
  const { run, keeper } = await started(t, WAIT);
  const { socket } = run.spec;
  for (const remove of [
    () => rmSync(socket),
    () => rmSync(path.dirname(socket), { recursive: true }),
    () => {
      rmSync(socket);
      writeFileSync(socket, 'a file');
    },
  ]) {
    remove();
    const { pid } = await keeper.start();
    await until(() => statSync(socket, { throwIfNoEntry: false })?.isSocket(), { what: 'the socket is there again' });
    const later = await run.connect();
    assert.equal((await later.start()).pid, pid);
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    assert.equal(statSync(path.dirname(socket)).mode & 0o777, 0o700);
    later.dispose();
  }
  await keeper.stop();
  await keeper.closed;
  await until(() => statSync(socket, { throwIfNoEntry: false }) === undefined, { what: 'the socket goes in the end' });
});

test('a socket whose place another program has taken is told, and put back when that has gone', async (t) => {
  const { run, keeper } = await started(t, WAIT);
  rmSync(run.spec.socket);
  const foreign = net.createServer((client) => client.destroy());
  await new Promise<void>((resolve) => foreign.listen(run.spec.socket, resolve));
  await until(() => run.notes().includes('another program has taken its socket'), { what: 'the note' });
  await new Promise((resolve) => foreign.close(resolve));
  await until(() => statSync(run.spec.socket, { throwIfNoEntry: false }), { what: 'the socket is there again' });
  await (await run.connect()).stop();
  await keeper.ended;
});

test('why a keeper cannot start is told', async (t) => {
  const run = await prepare(t, WAIT);
  writeFileSync(path.join(run.folder, 'spec.json'), '{"v":1}');
  await assert.rejects(run.open(), /spec\.json\.session must be/);
});

test('lines: the prompt first, then every message, each recorded before the agent can answer it', async (t) => {
  const { run, keeper } = await started(t, ECHO, { stdin: 'lines', prompt: 'first\nsecond' });
  await run.printed('got second\n');
  await keeper.send(message('third'));
  await run.printed('got third\n');
  await keeper.send(message('two\nlines\n'));
  await run.printed('got lines\n');
  await keeper.send(message('quit'));
  assert.equal((await keeper.ended).code, 0);
  assert.equal(run.text('o'), ['first', 'second', 'third', 'two', 'lines', 'quit'].map((l) => `got ${l}\n`).join(''));
  assert.deepEqual(
    run.sent().map(({ text, turn }) => [text, turn]),
    [
      ['first\nsecond', 1],
      ['third', undefined],
      ['two\nlines\n', undefined],
      ['quit', undefined],
    ],
  );
  assert.equal(run.sent()[0]?.key, run.spec.key);
  const order = run.times().map(({ key }) => key);
  assert.ok(order.indexOf('i') < order.lastIndexOf('o'));
  assert.equal(run.times().findLast(({ key }) => key === 'i')?.end, run.bytes('i').length);
});

test('a message with one key is delivered once, whoever sends it, and also while it is on its way', async (t) => {
  const { run, keeper } = await started(t, ECHO, { stdin: 'lines', prompt: 'first' });
  const one = { key: 'one', text: 'hello', turn: 2 };
  const other = await run.connect();
  const answers = await Promise.all([keeper.send(one), other.send(one), keeper.send(one)]);
  assert.deepEqual(answers.map(({ again }) => again).sort(), [false, true, true]);
  // The prompt is a message like any other.
  assert.deepEqual(await other.send({ key: run.spec.key, text: 'first', turn: 1 }), { again: true });

  // A sender that is gone before it hears the answer.
  const two = { key: 'two', text: 'bye' };
  const gone = await run.connect();
  gone.send(two).catch(() => undefined);
  await run.printed('got bye\n');
  gone.dispose();
  assert.deepEqual(await keeper.send(two), { again: true });
  await keeper.send(message('quit'));
  await keeper.ended;
  assert.equal(run.text('o'), ['first', 'hello', 'bye', 'quit'].map((l) => `got ${l}\n`).join(''));
  assert.deepEqual(
    run.sent().map(({ text, turn }) => [text, turn]),
    [
      ['first', 1],
      ['hello', 2],
      ['bye', undefined],
      ['quit', undefined],
    ],
  );
});

test('a message that did not reach the agent is recorded as such, and its key is free again', async (t) => {
  const { run, keeper } = await started(t, `require('fs').closeSync(0); ${WAIT}`, { stdin: 'lines' });
  await run.printed('ready');
  for (let round = 0; round < 2; round++) {
    await assert.rejects(keeper.send({ key: 'one', text: 'hello' }), { code: 'stdin-closed' });
  }
  const notes = run
    .text('k')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as KeeperNote);
  assert.deepEqual(
    notes.filter(({ undelivered }) => undelivered === 'one').map(({ level }) => level),
    ['warning', 'warning'],
  );
  await keeper.stop();
});

test('a message of a megabyte arrives whole', async (t) => {
  const count = `let n = 0; process.stdin.on('data', (c) => { n += c.length; if (c.includes(10) && n > 1e6) { console.log(n); process.exit() } })`;
  const { run, keeper } = await started(t, count, { stdin: 'lines', prompt: 'p' });
  await keeper.send(message('x'.repeat(1_000_000)));
  await keeper.ended;
  assert.equal(run.text('o'), '1000003\n');
});

test('an agent that closed its stdin makes a send fail, nothing else', async (t) => {
  const { run, keeper } = await started(t, `require('fs').closeSync(0); ${WAIT}`, { stdin: 'lines' });
  await run.printed('ready');
  await assert.rejects(keeper.send(message('hello')), { code: 'stdin-closed' });
  await assert.rejects(keeper.send(message('again')), { code: 'stdin-closed' });
  assert.match(run.notes(), /not delivered/);
  await keeper.stop();
});

test('an agent that takes no messages says so, and one that does not read is not waited for', async (t) => {
  const { keeper } = await started(t, WAIT);
  await assert.rejects(keeper.send(message('hello')), { code: 'no-stdin' });
  await keeper.stop();

  const deaf = await started(t, WAIT, { stdin: 'lines' });
  const big = 'x'.repeat(1_500_000);
  for (let i = 0; i < 3; i++) await deaf.keeper.send(message(big));
  await assert.rejects(deaf.keeper.send(message(big)), { code: 'stdin-full' });
  await deaf.keeper.stop();
});

test('send before the start is refused', async (t) => {
  const run = await prepare(t, WAIT, { stdin: 'lines' });
  const keeper = await run.open();
  await assert.rejects(keeper.send(message('hello')), { code: 'not-started' });
  await keeper.stop();
});

test('who follows is told what is recorded, from what stands there on; who does not, is not', async (t) => {
  const { run, keeper } = await started(t, ECHO, { stdin: 'lines', prompt: 'first' });
  keeper.onGrew(() => assert.fail('nobody asked for it'));
  await run.printed('got first\n');
  const follower = await run.connect({ follow: true });
  const ends = new Map<string, number>();
  let news = Promise.withResolvers<undefined>();
  follower.onGrew(({ stream, at, end }) => {
    assert.ok(end > (ends.get(stream) ?? 0), 'it grows');
    assert.ok(Math.abs(Date.now() - at) < 60_000);
    // It is on disk by then.
    assert.ok(run.bytes(stream).length >= end);
    ends.set(stream, end);
    news.resolve(undefined);
    news = Promise.withResolvers();
  });
  const heard = async (): Promise<void> => {
    while (ends.get('o') !== run.bytes('o').length) await news.promise;
  };
  await heard();
  assert.equal(ends.get('i'), run.bytes('i').length);
  await keeper.send(message('again'));
  await run.printed('got again\n');
  await heard();
  await keeper.send(message('quit'));
  await follower.ended;
  // The whole is told before the end.
  for (const key of ['o', 'i', 'k'] as const) assert.equal(ends.get(key), run.bytes(key).length, key);
});

test('a client that does not read holds nobody up, and hears the end of it when it reads again', async (t) => {
  const script = `let n = 0; process.on('SIGINT', () => process.exit(0)); setInterval(() => { if (n++ < 300) console.log('x'.repeat(50_000)); else if (n === 302) console.log('all said'); }, 1)`;
  const { run, keeper } = await started(t, script);
  const deaf = net.connect(run.spec.socket);
  deaf.write(`${JSON.stringify({ id: 1, do: 'hello', token: run.spec.token, follow: true })}\n`);
  deaf.pause();
  await run.printed('all said');
  let heard = '';
  deaf.on('data', (data) => (heard += data.toString()));
  deaf.resume();
  const end = run.bytes('o').length;
  await until(() => heard.includes(`"end":${end}}`), { what: 'the last end is told' });
  await keeper.stop();
});

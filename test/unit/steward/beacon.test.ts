import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Beacon, watchBeacon } from '../../../src/steward/beacon.ts';
import type { Activity } from '../../../src/protocol/rows.ts';
import { BOUND, LOG } from '../sessions/support.ts';
import { tempDir, until } from '../support.ts';

const TOKEN = 'a word';

function activity(session: string, lastLine: string): Activity {
  return { session, epoch: 'e', rev: 1, rows: 1, retrying: false, lastLine };
}

async function lit(t: TestContext): Promise<{ readonly beacon: Beacon; readonly socket: string }> {
  const socket = path.join(await tempDir(t), 'steward.sock');
  const beacon = new Beacon(socket, TOKEN, LOG);
  t.after(() => beacon.put());
  await beacon.light();
  return { beacon, socket };
}

const UNHEARD = { onActivity: (): void => undefined, onGone: (): void => undefined };

interface Watching {
  readonly seen: Activity[];
  readonly gone: Promise<undefined>;
  readonly stop: () => void;
}

function watching(t: TestContext, socket: string, token = TOKEN): Watching {
  const seen: Activity[] = [];
  const gone = Promise.withResolvers<undefined>();
  const onGone = (): void => gone.resolve(undefined);
  const stop = watchBeacon({ socket, token }, { role: 'window', onActivity: (one) => seen.push(one), onGone });
  t.after(stop);
  return { seen, gone: gone.promise, stop };
}

/** A client that says nothing by itself. */
async function connected(t: TestContext, socket: string): Promise<net.Socket> {
  const client = net.connect(socket);
  t.after(() => client.destroy());
  await once(client, 'connect');
  return client;
}

test('whoever watches hears what is told, and who comes later what was last told of each session', BOUND, async (t) => {
  const { beacon, socket } = await lit(t);
  assert.equal(beacon.watched, false);
  const early = watching(t, socket);
  await until(() => beacon.watched, { what: 'the window is known' });
  beacon.tell(activity('ses_a', 'one'));
  beacon.tell(activity('ses_a', 'two'));
  beacon.tell(activity('ses_b', 'three'));
  beacon.tell(activity('ses_c', 'four'));
  await until(() => early.seen.length >= 3, { what: 'all is heard' });
  // Of what comes in one moment, the last of each session.
  assert.deepEqual(early.seen, [activity('ses_a', 'two'), activity('ses_b', 'three'), activity('ses_c', 'four')]);

  beacon.forget('ses_b');
  const late = watching(t, socket);
  await until(() => late.seen.length === 2, { what: 'the last of each is heard' });
  assert.deepEqual(
    late.seen.map(({ lastLine }) => lastLine),
    ['two', 'four'],
  );
});

test('who does not say the word is let go, and hears nothing', BOUND, async (t) => {
  const { beacon, socket } = await lit(t);
  beacon.tell(activity('ses_a', 'secret'));
  const stranger = watching(t, socket, 'another word');
  await stranger.gone;
  assert.deepEqual([stranger.seen, beacon.watched], [[], false]);

  for (const noise of ['no JSON\n', '{"role":"window"}\n', 'x'.repeat(100_000) + '\n']) {
    const client = await connected(t, socket);
    let heard = '';
    client.on('data', (chunk) => (heard += chunk.toString()));
    client.on('error', () => undefined);
    client.write(noise);
    await once(client, 'close');
    assert.equal(heard, '', noise.slice(0, 20));
  }
});

test(
  'the socket is the user’s alone, and gone with who led',
  { ...BOUND, skip: process.platform === 'win32' },
  async (t) => {
    const { beacon, socket } = await lit(t);
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const window = watching(t, socket);
    await until(() => beacon.watched, { what: 'the window is known' });
    beacon.put();
    await window.gone;
    await until(() => !existsSync(socket), { what: 'the socket is removed' });
    await watching(t, socket).gone;
  },
);

test('a watcher that does not read is let go, and the others hear on', BOUND, async (t) => {
  const { beacon, socket } = await lit(t);
  const slow = await connected(t, socket);
  slow.on('error', () => undefined);
  slow.write(`${JSON.stringify({ token: TOKEN, role: 'command' })}\n`);
  slow.pause();
  const good = watching(t, socket);
  await until(() => beacon.watched, { what: 'the window is known' });
  const big = 'x'.repeat(256 * 1024);
  for (let n = 1; n <= 64; n++) {
    beacon.tell(activity(`ses_${n}`, big));
    if (n % 16 === 0) await until(() => good.seen.length === n, { what: `the window hears of ${n}` });
  }
  const closed = once(slow, 'close');
  slow.resume();
  await closed;
  beacon.tell(activity('ses_a', 'last'));
  await until(() => good.seen.at(-1)?.lastLine === 'last', { what: 'the window hears on' });
});

test('who stops watching is told of no end', BOUND, async (t) => {
  const { beacon, socket } = await lit(t);
  const window = watching(t, socket);
  await until(() => beacon.watched, { what: 'the window is known' });
  let told = false;
  void window.gone.then(() => (told = true));
  window.stop();
  await until(() => !beacon.watched, { what: 'the window is forgotten' });
  assert.equal(told, false);
});

/** How often somebody who leads says so here: ms. */
const PULSE = 20;

test('who leads and says nothing any more is told of once; who has nothing to say is not', BOUND, async (t) => {
  const folder = await tempDir(t);
  const watched = (socket: string, onSilent: () => void): void => {
    t.after(watchBeacon({ socket, token: TOKEN }, { role: 'window', ...UNHEARD, onSilent, pulse: PULSE }));
  };

  const alive = new Beacon(path.join(folder, 'alive.sock'), TOKEN, LOG, PULSE);
  t.after(() => alive.put());
  await alive.light();
  let silences = 0;
  watched(path.join(folder, 'alive.sock'), () => silences++);

  // Its program stands still, and the system goes on taking calls for it.
  const hung = net.createServer((client) => client.on('error', () => client.destroy()).pause());
  hung.listen(path.join(folder, 'hung.sock'));
  t.after(() => hung.close());
  await once(hung, 'listening');
  let told = 0;
  watched(path.join(folder, 'hung.sock'), () => told++);
  await until(() => told > 0, { what: 'its silence is told' });
  assert.deepEqual([told, silences], [1, 0]);
});

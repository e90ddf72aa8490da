/** Who comes to lead, of processes that share a journal. Each has a store of its own on it, as a window has. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite, test, type TestContext } from 'node:test';
import { processId, type ProcessId } from '../../../src/platform/process-id.ts';
import { Lease, type LeaseOptions } from '../../../src/steward/lease.ts';
import { RULES } from '../../../src/store/facts.ts';
import { Store } from '../../../src/store/store.ts';
import { leads } from '../store/facts.ts';
import { tempDir, until } from '../support.ts';

const BOUND = { timeout: 60_000 };

interface Member {
  readonly lease: Lease;
  readonly store: Store;
  readonly self: ProcessId;
  /** What it was told of its lead. */
  readonly heard: string[];
  /** What it logged. */
  readonly notes: string[];
  /** kill -9 of its process. */
  kill(): Promise<void>;
}

type Kind = Partial<Pick<LeaseOptions, 'host' | 'version' | 'self'>>;

/** One that takes part, in the name of a process that lives, and that is no more than a name. */
async function member(t: TestContext, folder: string, kind: Kind = {}): Promise<Member> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const self = kind.self ?? (await processId(child.pid!));
  assert.ok(self);
  const heard: string[] = [];
  const notes: string[] = [];
  const note = (text: string): void => void notes.push(text);
  const log = { debug: note, info: note, warn: note, error: note };
  const store = Store.open(folder, { role: 'window', process: self }, log);
  await store.ready;
  const lease = new Lease({
    store,
    self,
    host: kind.host ?? 'window',
    version: kind.version ?? '1.0.0',
    socket: '/nowhere',
    log,
    onChange: (is) => heard.push(is ? 'leads' : 'leads no more'),
    onRetire: () => {
      if (!heard.includes('retires')) heard.push('retires');
    },
  });
  t.after(async () => {
    lease.leave();
    await store.dispose();
    await kill();
  });
  return { lease, store, self, heard, notes, kill };
}

/** All of them have read the whole journal. */
function settle(...members: readonly Member[]): void {
  for (const { store } of members) store.refresh();
}

suite('the lease', () => {
  test('of two that want to lead at once, one does, and both agree on who', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [one, two] = [await member(t, folder), await member(t, folder)];
    // Both have read a journal in which nobody leads.
    two.store.append(leads());
    one.lease.join();
    two.lease.join();
    settle(one, two);
    assert.deepEqual([one.lease.held, two.lease.held], [false, true]);
    assert.equal(one.lease.lead?.fact, two.lease.lead?.fact);
    assert.deepEqual([one.heard, two.heard], [[], ['leads']]);
  });

  test('the lead of a process that lives is left to it', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [one, two] = [await member(t, folder), await member(t, folder)];
    one.lease.join();
    two.lease.join();
    two.lease.look();
    assert.deepEqual([one.lease.held, two.lease.held], [true, false]);
    assert.equal(two.lease.lead?.retire, undefined, 'nor is it asked to give way');
  });

  test('the next one leads when who does has left, and hears of it by the fact alone', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [one, two] = [await member(t, folder), await member(t, folder)];
    one.lease.join();
    two.lease.join();
    one.lease.leave();
    assert.equal(one.lease.held, false);
    settle(two);
    assert.deepEqual([two.lease.held, two.heard], [true, ['leads']]);
    settle(one);
    assert.equal(one.lease.held, false, 'who left takes part no longer');
  });

  test('the lead of a process that died is taken, once', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [one, two, three] = [await member(t, folder), await member(t, folder), await member(t, folder)];
    one.lease.join();
    two.lease.join();
    three.lease.join();
    await one.kill();
    // Nobody calls it: it looks by itself.
    await until(() => two.lease.held || three.lease.held, { what: 'another one leads' });
    settle(two, three);
    assert.equal([two, three].filter(({ lease }) => lease.held).length, 1);
    assert.equal(two.lease.lead?.fact, three.lease.lead?.fact);
    const leader = two.lease.held ? two : three;
    assert.deepEqual(leader.lease.lead?.by, leader.self);
  });

  test('the lead of a process that hangs is taken, and counts for nothing when it goes on', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [one, two] = [await member(t, folder), await member(t, folder)];
    one.lease.join();
    two.lease.join();
    const { fact } = one.lease.lead!;
    two.lease.replace(fact);
    assert.deepEqual([two.lease.held, two.heard], [true, ['leads']]);
    settle(one);
    assert.deepEqual([one.lease.held, one.heard], [false, ['leads', 'leads no more']]);
    // It is meant for that one lead, and not for those that come after it.
    two.lease.leave();
    settle(one);
    two.lease.replace(fact);
    assert.equal(one.lease.held, true);
  });

  test('the lead of another machine is never taken, and who leads there is told', BOUND, async (t) => {
    const folder = await tempDir(t);
    const far = await member(t, folder, { self: { pid: 4_000_000, start: 'another boot:1', host: 'far-away' } });
    const near = await member(t, folder);
    far.lease.join();
    near.lease.join();
    near.lease.look();
    near.lease.replace(near.lease.lead!.fact);
    assert.equal(near.lease.held, false);
    assert.equal(near.lease.lead?.by.host, 'far-away');
    assert.equal(near.lease.lead.retire, undefined);
    assert.deepEqual(
      near.notes.filter((text) => text.includes('are run by far-away')).length,
      1,
      'once, however often it looks',
    );
    far.lease.leave();
    settle(near);
    assert.ok(near.lease.held, 'until it is given up there');
  });

  test('where the rules of a newer build were in force, an older one only shows', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [newer, older] = [await member(t, folder), await member(t, folder)];
    const [fact] = newer.store.append(leads(undefined, RULES + 1));
    await newer.kill();
    older.lease.join();
    older.lease.look();
    assert.equal(older.lease.held, false);
    assert.equal(older.lease.lead?.fact, fact?.id);
    assert.ok(older.notes.some((text) => text.startsWith('A newer version of Treeline')));
  });

  test('a newer build asks an older one to give way, waits for it, and is not asked back', BOUND, async (t) => {
    const folder = await tempDir(t);
    const older = await member(t, folder, { version: '1.0.0' });
    const newer = await member(t, folder, { version: '1.1.0' });
    older.lease.join();
    newer.lease.join();
    newer.lease.look();
    settle(older);
    assert.deepEqual([older.heard, newer.lease.held], [['leads', 'retires'], false]);
    assert.ok(older.lease.held, 'until its step is done');
    older.lease.leave();
    settle(newer);
    assert.ok(newer.lease.held);
    const again = await member(t, folder, { version: '1.0.0' });
    again.lease.join();
    again.lease.look();
    settle(newer);
    assert.deepEqual(newer.heard, ['leads']);
  });

  test('a process of its own gives way to a window, and never asks one', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [detached, window] = [await member(t, folder, { host: 'detached' }), await member(t, folder)];
    detached.lease.join();
    window.lease.join();
    settle(detached);
    assert.deepEqual(detached.heard, ['leads', 'retires']);
    detached.lease.leave();
    settle(window);
    const next = await member(t, folder, { host: 'detached' });
    next.lease.join();
    settle(window);
    assert.deepEqual(window.heard, ['leads']);
  });

  test('who was replaced without knowing it finds out when it reads on', BOUND, async (t) => {
    const folder = await tempDir(t);
    const [one, two] = [await member(t, folder), await member(t, folder)];
    one.lease.join();
    two.store.append(leads(one.lease.lead?.fact));
    assert.ok(one.lease.held);
    settle(one);
    assert.deepEqual([one.lease.held, one.heard], [false, ['leads', 'leads no more']]);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPageMessage } from '../../src/protocol/check.ts';
import { Feed } from '../../webview/feed.ts';
import { generatedRows } from './generated.ts';
import { StandInHost } from './stand-in-host.ts';
import type { Opened } from '../../webview/feed.ts';
import type { HostMessage, PageMessage } from '../../src/protocol/timeline.ts';

/** A feed on a stand-in host. Messages are delivered only by `settle`, so that a test decides what overtakes what. */
function feedOn(host: StandInHost) {
  const toHost: PageMessage[] = [];
  const toPage: HostMessage[] = [];
  const opened: Opened[] = [];
  const feed = new Feed((message) => toHost.push(message), {
    changed: () => undefined,
    opened: (place) => opened.push(place),
  });
  host.connect((message) => toPage.push(message));
  const deliver = (message: HostMessage): void => {
    if (message.type === 'page') feed.page(message.request, message.page);
    if (message.type === 'delta') feed.delta(message.request, message.delta);
  };
  const settle = (): void => {
    while (toHost.length + toPage.length > 0) {
      for (const message of toHost.splice(0)) host.receive(structuredClone(message));
      for (const message of toPage.splice(0)) deliver(structuredClone(message));
    }
  };
  return { feed, toHost, toPage, opened, settle, deliver };
}

const ALL = { groups: [], query: '' };

test('opens at the end, and asks for what comes into view and no more', () => {
  const host = new StandInHost(generatedRows(10_000));
  const { feed, settle, opened, toHost } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  settle();
  assert.equal(feed.total, 10_000);
  assert.equal(feed.at(9_999)?.seq, 10_000);
  assert.equal(feed.at(5_000), undefined);
  assert.deepEqual(opened, [{ position: 9_999, start: 'end' }]);
  feed.want(9_960, 9_999);
  assert.deepEqual(toHost, []);
  feed.want(5_000, 5_040);
  settle();
  assert.equal(feed.at(5_000)?.seq, 5_001);
});

test('keeps at most 2,000 rows', () => {
  const { feed, settle } = feedOn(new StandInHost(generatedRows(10_000)));
  feed.open(ALL, 'end', { greet: true });
  settle();
  for (let position = 9_900; position > 0; position -= 100) {
    feed.want(position, position + 40);
    settle();
  }
  feed.want(0, 40);
  const kept = Array.from({ length: 10_000 }, (_, position) => feed.at(position)).filter((row) => row !== undefined);
  assert.ok(kept.length <= 2_000, `${kept.length} rows are kept`);
  assert.equal(feed.at(0)?.seq, 1);
});

test('finds the row to begin at under any filter, in few questions', () => {
  const host = new StandInHost(generatedRows(100_000));
  const { feed, settle, opened } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  settle();
  for (const seq of [1, 14, 4_321, 50_004, 99_999]) {
    for (const filter of [ALL, { groups: ['problems'] as const, query: '' }, { groups: [], query: 'needle-5' }]) {
      host.asked.length = 0;
      feed.open(filter, { seq });
      settle();
      const { position } = opened.at(-1)!;
      assert.ok(feed.total > 0);
      const found = feed.at(position)!.seq;
      const after = position + 1 < feed.total ? found : Math.max(found, seq);
      assert.ok(after >= seq, `row ${found} at ${position} of ${feed.total} is not before ${seq}`);
      assert.ok(
        position === 0 || (feed.at(position - 1)?.seq ?? 0) < seq,
        `row ${seq}: the first that is not before it`,
      );
      assert.ok(host.asked.length <= 8, `${host.asked.length} requests for row ${seq}`);
    }
  }
});

test('a delta that overtakes the answer to a question, or comes after it, leaves the newest rows', () => {
  const host = new StandInHost(generatedRows(1_000));
  const { feed, settle, toHost, toPage, deliver } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  settle();
  for (const deltaFirst of [true, false]) {
    feed.want(300, 340);
    for (const message of toHost.splice(0)) host.receive(message);
    const answers = toPage.splice(0);
    host.change(310, { text: `newer ${deltaFirst}` });
    const deltas = toPage.splice(0);
    for (const message of deltaFirst ? [...deltas, ...answers] : [...answers, ...deltas]) deliver(message);
    feed.want(300, 340);
    settle();
    assert.equal(feed.at(309)?.text.text, `newer ${deltaFirst}`);
    feed.open(ALL, 'end');
    settle();
  }
});

test('a row to begin at that is still to be read is waited for', () => {
  const rows = generatedRows(300);
  const host = new StandInHost(rows.slice(0, 2));
  const { feed, settle, opened } = feedOn(host);
  feed.open(ALL, { seq: 250 });
  settle();
  assert.equal(opened.length, 1, 'what there is, is shown');
  host.append(...Array.from({ length: 100 }, () => ({ text: 'more' })));
  settle();
  assert.equal(opened.length, 1);
  host.append(...Array.from({ length: 200 }, () => ({ text: 'more' })));
  settle();
  assert.equal(opened.length, 2);
  assert.equal(opened[1]?.position, 249);
  host.append({ text: 'more' });
  settle();
  assert.equal(opened.length, 2, 'once');
});

test('loads again after a lost delta, moved positions and another epoch, from where the reader is', () => {
  const host = new StandInHost(generatedRows(1_000));
  const { feed, settle, opened } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  feed.follow(() => ({ seq: 500 }));
  settle();
  const causes = {
    lost: () => {
      host.skip();
      host.append({ text: 'after a gap' });
    },
    moved: () => {
      host.reset();
    },
    rebuilt: () => {
      host.rebuild(generatedRows(900));
    },
  };
  for (const [name, cause] of Object.entries(causes)) {
    const before = opened.length;
    cause();
    settle();
    assert.equal(opened.length, before + 1, name);
    assert.deepEqual(opened.at(-1), { position: 499, start: { seq: 500 } }, name);
    assert.equal(feed.total, host.rows.length, name);
  }
});

test('answers for an earlier filter are dropped', () => {
  const host = new StandInHost(generatedRows(1_000));
  const { feed, toHost, toPage, settle } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  settle();
  feed.open({ groups: [], query: 'needle-4' }, 'end');
  for (const message of toHost.splice(0)) host.receive(message);
  feed.open({ groups: ['thinking'], query: '' }, 'end');
  assert.equal(toPage.length, 1);
  settle();
  assert.ok(feed.total > 0);
  assert.ok(Array.from({ length: feed.total }, (_, at) => feed.at(at)).every((row) => row?.kind === 'thinking'));
});

test('a lively session with moving positions still shows what it has', () => {
  const host = new StandInHost(generatedRows(1_000));
  const { feed, toHost, toPage, settle, deliver, opened } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  settle();
  feed.open({ groups: ['tools'], query: '' }, 'end');
  const before = opened.length;
  for (let step = 0; step < 20; step += 1) {
    for (const message of toHost.splice(0)) host.receive(message);
    host.reset();
    for (const message of toPage.splice(0).reverse()) deliver(message);
  }
  assert.ok(opened.length > before);
});

test('a list whose first rows were refused is asked for again, after longer and longer pauses', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const host = new StandInHost(generatedRows(300));
  const { feed, toHost, settle, opened } = feedOn(host);
  feed.open(ALL, { seq: 250 });
  const asks = [];
  for (let second = 0; second < 60; second += 1) {
    if (toHost.splice(0).length > 0) {
      asks.push(second);
      // Several refusals of one question are one.
      feed.failed();
      feed.failed();
    }
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(asks, [0, 1, 3, 7, 15, 31]);
  t.mock.timers.tick(60_000);
  settle();
  assert.deepEqual(opened, [{ position: 249, start: { seq: 250 } }]);

  // Another list is asked for by itself.
  feed.open(ALL, 'end');
  feed.failed();
  feed.open({ groups: ['tools'], query: '' }, 'end');
  settle();
  t.mock.timers.tick(60_000);
  assert.deepEqual(toHost, []);
});

test('every request reads as the protocol says', () => {
  const host = new StandInHost(generatedRows(500));
  const { feed, settle } = feedOn(host);
  feed.open(ALL, { seq: 3 }, { greet: true });
  settle();
  assert.ok(host.asked.length > 0 && host.asked.every(isPageMessage));
});

test('a delta that overtakes the first answer is not lost, and costs no second question', () => {
  const host = new StandInHost(generatedRows(1_000));
  const { feed, toHost, toPage, settle, deliver } = feedOn(host);
  feed.open(ALL, 'end', { greet: true });
  for (const message of toHost.splice(0)) host.receive(message);
  host.append({ text: 'appended' });
  host.change(990, { text: 'changed' });
  const messages = toPage.splice(0);
  for (const message of [...messages.slice(2), ...messages.slice(0, 2)]) deliver(message);
  assert.equal(toHost.length, 0);
  settle();
  assert.equal(feed.total, 1_001);
  assert.equal(feed.at(1_000)?.text.text, 'appended');
  assert.equal(feed.at(989)?.text.text, 'changed');
});

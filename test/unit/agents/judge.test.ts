import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Seen } from '../../../src/agents/adapter.ts';
import { readerFor } from '../../../src/agents/registry.ts';
import type { Attention, ExitRecord, Judgement, Outcome } from '../../../src/store/model.ts';
import { quoted, say, textOf } from '../../../src/words/saying.ts';
import { exited, formatOf, read, readLines, recordedExit, recordings, stderr, stoppedBy } from './recordings.ts';

type Expected = readonly [
  outcome: Outcome,
  summary: RegExp,
  more?: { attention?: Attention['for']; unknownSession?: true },
];

const done = /^All done for turn \d\./;
const permission = { attention: 'permission' } as const;
const unknownSession = { unknownSession: true } as const;

/** What each recorded run was, as a person would say it. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  'claude/err529': ['failed', /^API Error: Repeated 529/],
  'claude/fresh': ['completed', done],
  'claude/resume': ['completed', done],
  'claude/resume-unknown': ['failed', /^No conversation found/, unknownSession],
  'claude-latest/ask': ['completed', /^I need an answer/],
  'claude-latest/continue': ['completed', done],
  'claude-latest/deny': ['completed', done, permission],
  'claude-latest/deny-default': ['completed', done, permission],
  'claude-latest/err400': ['failed', /^API Error: 400/],
  // `timeout` of the recorder ended it while it still retried.
  'claude-latest/err401': ['failed', /authentication_failed \(HTTP 401\)/],
  'claude-latest/err500': ['failed', /^API Error: 500/],
  'claude-latest/err529': ['failed', /^API Error: .*529/],
  'claude-latest/fork': ['completed', done],
  'claude-latest/fresh': ['completed', done],
  'claude-latest/parallel': ['completed', done],
  'claude-latest/plan-mode': ['completed', done, permission],
  'claude-latest/resume': ['completed', done],
  'claude-latest/resume-after-SIGTERM': ['completed', done],
  'claude-latest/resume-notuuid': ['failed', /requires a valid session ID/],
  'claude-latest/resume-other-cwd': ['completed', done],
  'claude-latest/resume-unknown': ['failed', /^No conversation found/, unknownSession],
  'claude-latest/session-id': ['completed', done],
  'claude-latest/session-id-reused': ['failed', /^Error: Session ID .* is already in use\.$/],
  'claude-latest/slow-SIGINT': ['interrupted', /^Stopped after/],
  'claude-latest/slow-SIGTERM': ['killed', /^Stopped by SIGTERM after 1\.0 s\.$/],
  'claude-latest/stall-SIGINT': ['interrupted', /^Stopped after 1\.0 s\.$/],
  'claude-latest/stall-SIGTERM': ['killed', /^Stopped by SIGTERM/],
  'claude-latest/stdin-ask': ['completed', done],
  'claude-latest/stdin-followup': ['completed', done],
  'claude-latest/stdin-interrupt': ['completed', done],
  'claude-latest/stdin-multiturn': ['completed', done],
  'claude-latest/stdin-permission': ['completed', done, permission],
  'claude-latest/subagent': ['completed', done],
  'claude-latest/text': ['completed', done],
  'claude-latest/todo': ['completed', /^Planning/],
  'claude-latest/toolfail': ['completed', done],
  'codex/default-sandbox': ['completed', done, permission],
  'codex/deny-ro': ['completed', done, permission],
  // Nothing was refused: the recorder's sandbox let both calls through.
  'codex/deny-ws': ['completed', done],
  'codex/err400': ['failed', /^MOCK Your request was malformed$/],
  'codex/err401': ['failed', /^unexpected status 401/],
  'codex/err500': ['failed', /high demand/],
  'codex/fresh': ['completed', done],
  'codex/not-git': ['failed', /^Not inside a trusted directory/],
  'codex/parallel': ['completed', done],
  'codex/resume': ['completed', done],
  'codex/resume-last': ['completed', done],
  'codex/resume-notuuid': ['completed', done],
  'codex/resume-unknown': ['failed', /no rollout found for thread id/, unknownSession],
  'codex/slow-SIGTERM': ['killed', /^Stopped by SIGTERM/],
  'codex/slow-group-SIGTERM': ['killed', /^Stopped by SIGTERM/],
  'codex/stall-SIGINT': ['interrupted', /^Stopped after/],
  'codex/stall-SIGTERM': ['killed', /^Stopped by SIGTERM/],
  'codex/text': ['completed', done],
  'codex/todo': ['completed', /^Planning/],
  'codex/toolfail': ['completed', done],
  'codex/workspace-write': ['completed', done],
};

suite('the outcome of every recorded run', () => {
  test('the table names every recording', () => {
    assert.deepEqual(Object.keys(EXPECTED).sort(), [...recordings].sort());
  });

  for (const [recording, [outcome, summary, more]] of Object.entries(EXPECTED)) {
    test(`${recording}: ${outcome}${more ? ` ${Object.values(more).join()}` : ''}`, () => {
      const { seen } = read(recording);
      const judged = readerFor(formatOf(recording)).judge(seen, recordedExit(recording), stderr(recording));
      assert.equal(judged.outcome, outcome);
      assert.match(textOf(judged.summary), summary);
      assert.equal(judged.attention?.for, more?.attention);
      assert.equal(judged.unknownSession, more?.unknownSession);
    });
  }
});

suite('the same ends without anybody having asked for them', () => {
  const without = (recording: string, exit: Partial<ExitRecord>): Judgement =>
    readerFor(formatOf(recording)).judge(read(recording).seen, exited(exit), stderr(recording));

  test('a signal from outside', () => {
    assert.equal(without('claude-latest/slow-SIGINT', { code: 0 }).outcome, 'interrupted');
    assert.equal(without('claude-latest/slow-SIGTERM', { code: 143 }).outcome, 'killed');
    assert.equal(without('codex/slow-SIGTERM', { signal: 'SIGTERM' }).outcome, 'killed');
    assert.match(
      textOf(without('codex/slow-SIGTERM', { signal: 'SIGKILL' }).summary),
      /SIGKILL. Treeline did not send this signal/,
    );
    assert.equal(without('codex/slow-SIGTERM', { signal: 'SIGSEGV' }).outcome, 'failed');
  });

  test('an end without a result is no success, whatever the exit code', () => {
    const judged = without('codex/stall-SIGTERM', { code: 0 });
    assert.deepEqual(
      [judged.outcome, textOf(judged.summary)],
      ['failed', 'The agent ended without reporting a result.'],
    );
    assert.equal(textOf(without('claude-latest/stall-SIGTERM', { code: 1 }).summary), 'The agent exited with code 1.');
  });

  test('an end that nobody saw is unknown, unless the agent reported it', () => {
    const lost = without('codex/stall-SIGTERM', { problem: quoted('The keeper was ended.') });
    assert.deepEqual([lost.outcome, textOf(lost.summary)], ['unknown', 'The keeper was ended.']);
    assert.equal(without('claude-latest/fresh', { problem: quoted('The keeper was ended.') }).outcome, 'completed');
    assert.equal(without('claude-latest/err500', {}).outcome, 'failed');
    assert.equal(without('claude-latest/slow-SIGINT', {}).outcome, 'interrupted');
  });

  test('an agent that could not be started failed, and says why', () => {
    const judged = without('codex/not-git', { startedAt: null, problem: quoted('codex could not be started: ENOENT') });
    assert.equal(judged.outcome, 'failed');
    assert.equal(textOf(judged.summary), 'codex could not be started: ENOENT');
  });
});

suite('stopping', () => {
  const judge = (format: string, seen: Seen, exit: Partial<ExitRecord>): Judgement =>
    readerFor(format).judge(seen, exited(exit), '');

  test('a result that was there before the stop stays', () => {
    const { seen } = read('claude-latest/fresh');
    assert.equal(judge('claude', seen, { signal: 'SIGKILL', ...stoppedBy('SIGINT', 'SIGKILL') }).outcome, 'completed');
  });

  test('an interrupt that was enough is an interruption, anything harder a kill', () => {
    for (const format of ['claude', 'codex', 'text'] as const) {
      assert.equal(judge(format, {}, { code: 130, ...stoppedBy('SIGINT') }).outcome, 'interrupted');
      assert.equal(judge(format, {}, { code: 0, ...stoppedBy('SIGINT') }).outcome, 'interrupted');
      assert.equal(judge(format, {}, { signal: 'SIGTERM', ...stoppedBy('SIGINT', 'SIGTERM') }).outcome, 'killed');
      const killed = judge(format, {}, { signal: 'SIGKILL', ...stoppedBy('SIGINT', 'SIGTERM', 'SIGKILL') });
      assert.equal(textOf(killed.summary), 'Stopped by SIGKILL after 1.0 s.');
    }
  });

  test('a stopped turn waits for nobody', () => {
    const seen: Seen = { attention: { for: 'permission', what: quoted('Bash: rm') } };
    assert.equal(judge('claude', seen, { code: 0, ...stoppedBy('SIGINT') }).attention, undefined);
  });
});

suite('only the CLI itself says that it does not know a conversation', () => {
  const words = 'No conversation found with session ID: 99999999-2222-4333-8444-555555555555';
  const rollout = 'no rollout found for thread id 99999999-2222-4333-8444-555555555555';

  test('not an agent that quotes the words', () => {
    const seen: Seen = { agentSession: 'x', lastText: words, result: { ok: true, text: words } };
    assert.equal(readerFor('claude').judge(seen, exited({ code: 0 }), '').unknownSession, undefined);
    const quoted = `hook: ${words}`;
    assert.equal(readerFor('claude').judge({}, exited({ code: 1 }), quoted).unknownSession, undefined);
    // Codex names the thread first whenever it has one.
    const named: Seen = { agentSession: 'x' };
    assert.equal(readerFor('codex').judge(named, exited({ code: 1 }), `Error: ${rollout}`).unknownSession, undefined);
    assert.equal(readerFor('codex').judge({}, exited({ code: 1 }), `debug ${rollout}`).unknownSession, undefined);
  });

  test('not the other one, and not plain text', () => {
    assert.equal(readerFor('codex').judge({}, exited({ code: 1 }), words).unknownSession, undefined);
    assert.equal(readerFor('text').judge({}, exited({ code: 1 }), words).unknownSession, undefined);
  });
});

suite('plain text', () => {
  const run = (lines: readonly string[], exit: Partial<ExitRecord>, errors = ''): Judgement => {
    const parser = readerFor('text').parser({});
    for (const line of lines) parser.line(line);
    return readerFor('text').judge(parser.seen, exited(exit), errors);
  };

  test('the exit code decides, and the last line that says something is the summary', () => {
    assert.deepEqual(run(['one', 'two\u001b[0m', '  '], { code: 0 }), { outcome: 'completed', summary: quoted('two') });
    assert.deepEqual(run(['one'], { code: 3 }, 'warning\n\u001b[31mboom\u001b[0m\n\n'), {
      outcome: 'failed',
      summary: quoted('boom'),
    });
    assert.deepEqual(run(['it broke'], { code: 3 }), { outcome: 'failed', summary: quoted('it broke') });
    assert.equal(textOf(run([], { code: 3 }).summary), 'The agent exited with code 3.');
    assert.equal(textOf(run([], { code: 0 }).summary), 'Completed.');
  });

  test('every line is an event, whole; blank ones are none', () => {
    const parser = readerFor('text').parser({});
    const long = 'é'.repeat(100_000);
    assert.deepEqual(parser.line(long), [{ kind: 'output', text: long }]);
    assert.equal(parser.seen.lastText?.length, 500);
    assert.deepEqual(parser.line(''), []);
    assert.deepEqual(parser.line('{"type":"result"}'), [{ kind: 'output', text: '{"type":"result"}' }]);
  });
});

test('a format that no reader knows: one row says so, and the exit tells how the turn ended', () => {
  const reader = readerFor('hologram-9');
  const parser = reader.parser({});
  assert.deepEqual(parser.line('{"x":1}'), [
    {
      kind: 'notice',
      text: say('unknown-format', { format: 'hologram-9' }),
    },
  ]);
  assert.deepEqual(parser.line('{"x":2}'), []);
  assert.equal(reader.judge(parser.seen, exited({ code: 0 }), '').outcome, 'completed');
  assert.deepEqual(reader.judge(parser.seen, exited({ code: 1 }), 'it broke').summary, quoted('it broke'));
});

suite('a live agent of plain text', () => {
  const hello = '{"treeline":{"hello":{"turns":true}}}';
  const asks =
    '{"treeline":{"request":{"id":"p1","kind":"permission","title":"Run\\nnpm test","choices":[{"id":"a","label":"Allow"}]}}}';
  const ended = '{"treeline":{"turn":"ended","outcome":"failed","summary":"It broke."}}';

  test('what it asks is a request, the end of a turn a result, and greetings have no row', () => {
    const { events, seen } = readLines('text', [hello, 'Working', '{"treeline":{"received":"k"}}', asks, ended]);
    assert.deepEqual(events, [
      { kind: 'output', text: 'Working' },
      {
        kind: 'request',
        about: 'permission',
        id: 'p1',
        title: 'Run\nnpm test',
        choices: [{ id: 'a', label: 'Allow' }],
      },
      { kind: 'result', ok: false, text: 'It broke.' },
    ]);
    assert.deepEqual(seen.result, { ok: false, text: 'It broke.' });
    assert.equal(seen.attention, undefined);
  });

  test('it waits until it goes on, or until its turn is over', () => {
    const asking = readLines('text', [hello, asks]).seen;
    assert.deepEqual(asking.attention, { for: 'permission', what: quoted('Run npm test') });
    assert.equal(readLines('text', [hello, asks, 'On']).seen.attention, undefined);
    assert.equal(readLines('text', [hello, asks, '{"treeline":{"withdrawn":"p1"}}']).seen.attention, undefined);
  });

  test('its own word counts at the end; where it went on, its exit does', () => {
    const judge = (...lines: string[]): Judgement =>
      readerFor('text').judge(readLines('text', lines).seen, exited({ code: 0 }), '');
    assert.deepEqual(judge(hello, 'x', ended), { outcome: 'failed', summary: quoted('It broke.') });
    assert.equal(judge(hello, '{"treeline":{"turn":"ended","outcome":"interrupted"}}').outcome, 'interrupted');
    assert.equal(judge(hello, ended, 'again').outcome, 'completed');
  });

  test('who never says hello prints plain text, as do lines that are not well formed', () => {
    for (const lines of [
      [asks, ended],
      [hello, '{"treeline":{"turn":"sometimes"}}'],
    ]) {
      const { events, seen } = readLines('text', lines);
      assert.deepEqual([...new Set(events.map(({ kind }) => kind))], ['output']);
      assert.equal(seen.result, undefined);
    }
  });
});

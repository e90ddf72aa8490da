import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { unwrapShell } from '../../../src/agents/codex/shell-words.ts';
import { textOf } from '../../../src/words/saying.ts';
import { only, read, readLines, stdout } from './recordings.ts';

const item = (phase: 'started' | 'updated' | 'completed', fields: object): string =>
  JSON.stringify({ type: `item.${phase}`, item: { id: 'item_1', ...fields } });

suite('Codex: recordings', () => {
  test('a turn names its thread, changes a file, runs a command, and tells its tokens', () => {
    const { events, seen } = read('codex/fresh');
    assert.equal(only(events, 'session')[0]?.agentSession, '01a1fb15-c1c5-7861-9019-ca32b28a6fdb');
    assert.deepEqual(only(events, 'files')[0], {
      kind: 'files',
      changes: [{ path: '/home/dev/lab/work/codex/wt/hello-1.txt', change: 'add' }],
      ok: true,
    });
    const [shell] = only(events, 'tool');
    assert.equal(shell?.name, 'Shell');
    assert.equal(shell.argument, 'git status --short');
    assert.deepEqual(only(events, 'tool-result'), [
      { kind: 'tool-result', id: shell.id, done: true, ok: true, output: '?? hello-1.txt\n', exitCode: 0 },
    ]);
    assert.equal(seen.result?.text, 'All done for turn 1. You asked: "Create the hello file"');
    assert.deepEqual(seen.usage, { input: 3900, output: 123, cached: 3000 });
    assert.equal(seen.cost, undefined);
  });

  test('tokens are counted over the whole thread: the turn has its own part', () => {
    const first = read('codex/fresh').seen.usage!;
    assert.deepEqual(read('codex/resume', { usage: first }).seen.usage, { input: 3900, output: 123, cached: 3000 });
    const two = { input: 7800, output: 246, cached: 6000 };
    assert.deepEqual(read('codex/resume-last', { usage: two }).seen.usage, { input: 3900, output: 123, cached: 3000 });
    // Smaller than before: it is not a total.
    assert.deepEqual(read('codex/fresh', { usage: two }).seen.usage, { input: 3900, output: 123, cached: 3000 });
  });

  test('a failed command has its exit code and output', () => {
    const { events } = read('codex/toolfail');
    assert.equal(only(events, 'tool')[0]?.argument, 'echo failing >&2; exit 3');
    const [result] = only(events, 'tool-result');
    assert.deepEqual([result?.ok, result?.exitCode, result?.output], [false, 3, 'failing\n']);
  });

  test('an error item before the turn is a warning and ends nothing', () => {
    const { events, seen } = read('codex/text');
    assert.match(textOf(only(events, 'warning')[0]!.text), /Model metadata/);
    assert.equal(seen.error, undefined);
    assert.equal(seen.result?.ok, true);
  });

  test('"Reconnecting" is a retry; the error after it and the failed turn are the end', () => {
    const { events, seen } = read('codex/err401');
    assert.deepEqual(only(events, 'retry'), [
      {
        kind: 'retry',
        text: 'unexpected status 401 Unauthorized: MOCK invalid x-api-key, url: http://127.0.0.1:8911/v1/responses',
        attempt: 1,
        of: 1,
      },
    ]);
    assert.equal(only(events, 'error').length, 1);
    assert.equal(seen.retrying, undefined);
    assert.equal(seen.result?.ok, false);
    const until = readLines('codex', ['{"type":"error","message":"Reconnecting... 2/5 (timeout)"}']);
    assert.equal(until.seen.retrying, true);
    assert.equal(until.seen.result, undefined);
  });

  test('waiting for the network is a retry without a number, and no error', () => {
    const words = 'Reconnecting... waiting for network';
    for (const [message, text] of [
      [words, 'waiting for network'],
      [`${words} (Connection failed: error sending request)`, 'Connection failed: error sending request'],
      ['Reconnecting… 2/5 (timeout)', 'timeout'],
    ]) {
      const { events, seen } = readLines('codex', [JSON.stringify({ type: 'error', message })]);
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['retry'],
      );
      assert.equal(only(events, 'retry')[0]?.text, text);
      assert.equal(seen.retrying, true);
    }
  });

  test('a byte-order mark before the first line does not cost the thread its id', () => {
    const [first = ''] = stdout('codex/fresh');
    assert.equal(readLines('codex', [`\ufeff${first}`]).seen.agentSession, '01a1fb15-c1c5-7861-9019-ca32b28a6fdb');
  });

  test('tokens of a turn that was killed stand in the total of the next, which says so', () => {
    const { events, seen } = read('codex/resume', { usage: { input: 2700, output: 100, cached: 2000 }, untold: true });
    assert.deepEqual(seen.usage, { input: 5100, output: 146, cached: 4000 });
    assert.match(textOf(only(events, 'notice').at(-1)!.text), /^The previous turn did not report its tokens/);
    assert.deepEqual(
      only(read('codex/resume', { usage: { input: 2700, output: 100, cached: 2000 } }).events, 'notice'),
      [],
    );
  });

  test('an error of the API is shown in its own words, not as JSON', () => {
    const { seen } = read('codex/err400');
    assert.equal(seen.result?.text, 'MOCK Your request was malformed');
  });

  test('a killed turn shows the command that was running', () => {
    const { events, seen } = read('codex/slow-group-SIGTERM');
    assert.equal(only(events, 'tool')[0]?.argument, 'sleep 20; echo slept');
    assert.equal(only(events, 'tool-result').length, 0);
    assert.equal(seen.result, undefined);
  });
});

suite('Codex: other items', () => {
  test('reasoning is thinking; the todo list shows when it changes', () => {
    const todo = (done: boolean): object => ({ type: 'todo_list', items: [{ text: 'Plan', completed: done }] });
    const { events } = readLines('codex', [
      item('completed', { type: 'reasoning', text: '**Hm**' }),
      item('started', todo(false)),
      item('updated', todo(true)),
      item('completed', todo(true)),
    ]);
    assert.deepEqual(events, [
      { kind: 'thinking', text: '**Hm**' },
      { kind: 'todo', items: [{ text: 'Plan', state: 'open' }] },
      { kind: 'todo', items: [{ text: 'Plan', state: 'done' }] },
    ]);
  });

  test('output of a running command folds into its row; a declined one is denied', () => {
    const { events } = readLines('codex', [
      item('started', { type: 'command_execution', command: 'make', status: 'in_progress' }),
      item('updated', {
        type: 'command_execution',
        command: 'make',
        aggregated_output: 'one\n',
        status: 'in_progress',
      }),
      item('completed', {
        type: 'command_execution',
        command: 'make',
        aggregated_output: '',
        exit_code: null,
        status: 'declined',
      }),
    ]);
    assert.equal(only(events, 'tool').length, 1);
    assert.deepEqual(
      only(events, 'tool-result').map(({ done, ok, denied, output }) => ({ done, ok, denied, output })),
      [
        { done: false, ok: true, denied: undefined, output: 'one\n' },
        { done: true, ok: false, denied: true, output: '' },
      ],
    );
  });

  test('a tool of an MCP server, with its answer or its error', () => {
    const call = { type: 'mcp_tool_call', server: 'docs', tool: 'search', arguments: { query: 'worktree' } };
    const { events } = readLines('codex', [
      item('started', { ...call, status: 'in_progress' }),
      item('completed', { ...call, status: 'completed', result: { content: [{ type: 'text', text: 'found' }] } }),
      item('completed', { ...call, id: 'item_2', status: 'failed', error: { message: 'no server' } }),
    ]);
    assert.deepEqual(
      only(events, 'tool').map((tool) => [tool.name, tool.argument]),
      [
        ['docs.search', 'worktree'],
        ['docs.search', 'worktree'],
      ],
    );
    assert.deepEqual(
      only(events, 'tool-result').map(({ ok, output }) => [ok, output]),
      [
        [true, 'found'],
        [false, 'no server'],
      ],
    );
  });

  test('a patch through the shell shows its diff and its file', () => {
    const script =
      "apply_patch <<'PATCH'\n*** Begin Patch\n*** Update File: src/a.ts\n@@\n-one\n+two\n*** End Patch\nPATCH";
    const quoted = `/bin/bash -lc '${script.replaceAll("'", `'\\''`)}'`;
    const { events } = readLines('codex', [item('started', { type: 'command_execution', command: quoted })]);
    const [tool] = only(events, 'tool');
    assert.equal(tool?.file, 'src/a.ts');
    assert.equal(tool.diff, '*** Update File: src/a.ts\n@@\n-one\n+two');
    assert.equal(tool.input, script);
  });

  test('what is not known is kept raw', () => {
    const lines = ['Welcome', '{"type":"brand.new"}', item('completed', { type: 'hologram' })];
    assert.deepEqual(
      readLines('codex', lines).events,
      lines.map((text) => ({ kind: 'raw', text })),
    );
  });
});

test('a script is taken out of its shell only where that is sure', () => {
  assert.equal(unwrapShell("/bin/bash -lc 'git status'"), 'git status');
  assert.equal(unwrapShell(`bash -lc "echo \\"a\\" \\$HOME"`), 'echo "a" $HOME');
  assert.equal(unwrapShell(`zsh -c 'it'\\''s'`), "it's");
  assert.equal(unwrapShell('sh -c ls'), 'ls');
  for (const other of ["bash -lc 'a' b", "bash -lc 'open", 'bash -lc "open\\', 'git -c x=y status', 'bash -lc $(x)']) {
    assert.equal(unwrapShell(other), other);
  }
});

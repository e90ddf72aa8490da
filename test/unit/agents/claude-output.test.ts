import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { quoted, textOf } from '../../../src/words/saying.ts';
import { mute, only, read, readLines, stdout } from './recordings.ts';

const line = (message: object): string => JSON.stringify(message);
const assistant = (...content: object[]): string => line({ type: 'assistant', message: { content } });
const toolUse = (id: string, name: string, input: object): string => assistant({ type: 'tool_use', id, name, input });
const toolResult = (id: string, content: unknown, more: object = {}, details?: unknown): string =>
  line({
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content, ...more }] },
    ...(details !== undefined && { tool_use_result: details }),
  });

suite('Claude Code: recordings', () => {
  test('a turn names its conversation and model, edits a file, runs a command, and tells what it cost', () => {
    const { events, seen } = read('claude-latest/fresh');
    assert.deepEqual(
      events.map((event) => event.kind),
      ['session', 'text', 'tool', 'tool-result', 'text', 'tool', 'tool-result', 'text', 'result'],
    );
    const [session] = only(events, 'session');
    assert.equal(session?.agentSession, 'fa068484-cee6-4021-b256-ec7c7dd5afd3');
    assert.equal(session.model, 'claude-opus-5-5');
    assert.equal(seen.agentSession, session.agentSession);

    const [write, bash] = only(events, 'tool');
    assert.equal(write?.name, 'Write');
    assert.equal(write.file, '/home/dev/lab/work/claude-claude-latest/wt/hello-1.txt');
    assert.equal(write.diff, '+hello from turn 1');
    assert.equal(bash?.argument, 'git status --short');
    const [wrote, ran] = only(events, 'tool-result');
    assert.equal(wrote?.id, write.id);
    assert.equal(wrote.ok, true);
    assert.equal(ran?.output, '?? hello-1.txt');
    assert.ok(ran.durationMs !== undefined && ran.durationMs > 0 && ran.durationMs < 1000);

    const [result] = only(events, 'result');
    assert.equal(result?.ok, true);
    assert.equal(result.text, 'All done for turn 1. You asked: "Create the hello file"');
    assert.deepEqual(seen.usage, { input: 3900 + 600 + 3000, output: 123, cached: 3000 });
    assert.equal(seen.cost, 0.02166);
  });

  test('the agent says when: `at` is its timestamp', () => {
    const { events } = read('claude-latest/toolfail');
    assert.equal(only(events, 'tool')[0]?.at, Date.parse('2026-11-20T21:40:16.058Z'));
  });

  test('a failed command is a failed tool row with its exit code', () => {
    const { events } = read('claude-latest/toolfail');
    const [tool] = only(events, 'tool');
    const [result] = only(events, 'tool-result');
    assert.equal(tool?.name, 'Bash');
    assert.equal(tool.argument, 'echo failing >&2; exit 3');
    assert.equal(result?.id, tool.id);
    assert.equal(result.done, true);
    assert.equal(result.ok, false);
    assert.equal(result.exitCode, 3);
    assert.equal(result.denied, undefined);
    assert.match(result.output, /failing/);
  });

  test('two calls at once each get their own result', () => {
    const { events } = read('claude-latest/parallel');
    const tools = only(events, 'tool');
    const results = only(events, 'tool-result');
    assert.deepEqual(
      tools.map((tool) => tool.name),
      ['Write', 'Bash'],
    );
    assert.deepEqual(new Set(results.map((result) => result.id)), new Set(tools.map((tool) => tool.id)));
    assert.ok(results.some((result) => result.output === 'from-bash'));
  });

  test('what a sub-agent is told nests under its call, and its report is shown without the frame for the model', () => {
    const { events, seen } = read('claude-latest/subagent');
    const [agent] = only(events, 'tool');
    assert.equal(agent?.subagent, true);
    assert.equal(agent.argument, 'Find the answer');
    const [prompt] = only(events, 'prompt');
    assert.equal(prompt?.parent, agent.id);
    assert.equal(prompt.text, 'SUBAGENT: what is the answer?');
    const [report] = only(events, 'tool-result');
    assert.equal(report?.output, 'SUBAGENT-RESULT: 42');
    assert.equal(report.durationMs, 231);
    // Its tokens count: three calls of the model, of which one was the sub-agent's.
    assert.equal(seen.usage?.output, 121);
  });

  for (const recording of ['deny', 'deny-default', 'plan-mode']) {
    test(`${recording}: a refused call is denied, says why, and asks for attention`, () => {
      const { events, seen } = read(`claude-latest/${recording}`);
      const [denial] = only(events, 'denial');
      assert.equal(denial?.tool, 'Write');
      assert.match(denial.reason, /haven't granted it yet|while in plan mode/);
      const write = only(events, 'tool').find((tool) => tool.name === 'Write');
      const result = only(events, 'tool-result').find((one) => one.id === write?.id);
      assert.equal(result?.denied, true);
      assert.equal(result.ok, false);
      assert.equal(seen.attention?.for, 'permission');
      assert.match(textOf(seen.attention.what), /^Write: \/home\/dev\/lab\//);
    });
  }

  test('a refusal that only the end of the turn tells of is told by the id of its call', () => {
    const { events } = readLines('claude', mute(stdout('claude-latest/deny-default')));
    const bash = only(events, 'tool').find((tool) => tool.name === 'Bash')!;
    assert.equal(only(events, 'tool-result').find((one) => one.id === bash.id)?.denied, undefined);
    assert.deepEqual(
      only(events, 'result')[0]?.denied,
      only(events, 'tool').map(({ id }) => id),
    );
    assert.equal(only(read('claude-latest/fresh').events, 'result')[0]?.denied, undefined);
  });

  test('retries say what is wrong and how often, and the turn shows as retrying', () => {
    const { events, seen } = read('claude-latest/err401');
    const retries = only(events, 'retry');
    assert.equal(retries.length, 7);
    assert.match(textOf(retries[0]!.text), /authentication_failed \(HTTP 401\)/);
    assert.deepEqual([retries[6]!.attempt, retries[6]!.of], [7, 10]);
    assert.equal(seen.retrying, true);
    assert.match(textOf(seen.error!), /401/);
  });

  for (const recording of ['claude/err529', 'claude-latest/err400', 'claude-latest/err500', 'claude-latest/err529']) {
    test(`${recording}: an error of the API stands out, though its subtype is "success"`, () => {
      const { events, seen } = read(recording);
      assert.match(textOf(only(events, 'error')[0]!.text), /API Error/);
      assert.equal(only(events, 'text').length, 0);
      assert.equal(only(events, 'result')[0]?.ok, false);
      assert.equal(seen.retrying, undefined);
      assert.equal(seen.result?.ok, false);
    });
  }

  test('an interrupted tool failed, but nobody denied it', () => {
    const { events, seen } = read('claude-latest/slow-SIGINT');
    assert.equal(only(events, 'tool-result')[0]?.ok, false);
    assert.equal(only(events, 'tool-result')[0]?.denied, undefined);
    assert.match(textOf(only(events, 'notice')[0]!.text), /interrupted by user/);
    assert.equal(seen.result?.interrupted, true);
  });

  test('the id of an unknown conversation is not taken for the own one', () => {
    for (const recording of ['claude/resume-unknown', 'claude-latest/resume-unknown', 'claude-latest/resume-notuuid']) {
      assert.equal(read(recording).seen.agentSession, undefined);
    }
  });

  test('a live process: its turns follow one another, and each costs its own', () => {
    const { events, seen } = read('claude-latest/stdin-multiturn');
    assert.equal(only(events, 'session').length, 1);
    assert.deepEqual(
      only(events, 'prompt').map((prompt) => prompt.text),
      ['first message', 'second message'],
    );
    assert.deepEqual(
      only(events, 'result').map((result) => result.cost),
      [0.02166, 0.02166],
    );
    assert.equal(seen.cost, 0.04332);
    assert.equal(seen.usage?.output, 246);
  });

  test('a result is the end only until the agent goes on', () => {
    const { seen } = readLines('claude', [
      line({ type: 'result', subtype: 'success', is_error: false, result: 'One' }),
    ]);
    assert.equal(seen.result?.ok, true);
    const after = read('claude-latest/stdin-interrupt');
    assert.deepEqual(
      only(after.events, 'result').map((result) => result.ok),
      [false, true],
    );
    assert.equal(after.seen.result?.ok, true);
    const going = readLines('claude', [
      line({ type: 'result', subtype: 'success', is_error: false, result: 'One' }),
      assistant({ type: 'text', text: 'And on' }),
    ]);
    assert.equal(going.seen.result, undefined);
  });

  test('a live process asks for permission and for answers: attention until the call has its result', () => {
    const { events, seen } = read('claude-latest/stdin-ask');
    assert.equal(textOf(only(events, 'notice')[0]!.text), 'Waiting for an answer: Which colour?');
    assert.equal(seen.attention, undefined);

    const asking = readLines('claude', [
      line({
        type: 'control_request',
        request_id: 'r1',
        request: { subtype: 'can_use_tool', tool_name: 'Bash', input: { command: 'rm x' }, tool_use_id: 't1' },
      }),
    ]);
    assert.deepEqual(asking.seen.attention, { for: 'permission', what: quoted('Bash: rm x') });
  });
});

suite('Claude Code: cost and tokens of a turn', () => {
  const before = { cost: 0.02166, usage: { input: 7500, output: 123, cached: 3000 } };

  test('2.1.329: the total goes on over a resume, the turn costs its own part', () => {
    assert.equal(read('claude-latest/resume', before).seen.cost, 0.02166);
    assert.equal(read('claude-latest/resume').seen.cost, 0.02166);
    assert.equal(read('claude-latest/continue', before).seen.cost, 0.02166);
  });

  test('2.1.197: the total is the process, and stays what it is', () => {
    const { seen } = read('claude/resume', { cost: 0.027825, usage: before.usage });
    assert.equal(seen.cost, 0.027825);
    assert.equal(seen.usage?.output, 123);
  });

  test('2.1.197: the tokens of a sub-agent count, which its `usage` leaves out', () => {
    const older = stdout('claude-latest/subagent').map((one) => {
      const { model_usage_since_last_result: _, ...message } = JSON.parse(one) as Record<string, unknown>;
      return JSON.stringify(message);
    });
    const { events, seen } = readLines('claude', older);
    assert.deepEqual(seen.usage, { input: 7300, output: 121, cached: 3000 });
    assert.equal(only(events, 'result')[0]?.input, 7300);
  });

  test('a turn that was killed has used what its messages say, each counted once', () => {
    const { seen } = read('claude-latest/slow-SIGTERM');
    assert.equal(seen.result, undefined);
    assert.deepEqual(seen.usage, { input: 2400, output: 1, cached: 1000 });
    assert.equal(read('claude-latest/stall-SIGTERM').seen.usage, undefined);
    // A result has the better figures.
    const lines = stdout('claude-latest/fresh');
    assert.deepEqual(readLines('claude', lines.slice(0, -1)).seen.usage?.output, 3);
    assert.deepEqual(readLines('claude', lines).seen.usage?.output, 123);
  });

  test('a total that goes on, from a version that does not say what came since', () => {
    const result = (total: number, output: number): string =>
      line({
        type: 'result',
        subtype: 'success',
        is_error: false,
        total_cost_usd: total,
        usage: { input_tokens: 100, output_tokens: 10 },
        modelUsage: { m: { inputTokens: 10 * output, outputTokens: output } },
      });
    const earlier = { cost: 1, usage: { input: 100, output: 10, cached: 0 } };
    assert.equal(readLines('claude', [result(3, 20)], earlier).seen.cost, 2);
    // The same total with the tokens of this turn alone: nothing was carried over.
    assert.equal(readLines('claude', [result(3, 10)], earlier).seen.cost, 3);
    // A decrease says so too; and within one process the total goes on in any case.
    assert.equal(readLines('claude', [result(0.5, 20), result(0.75, 30)], earlier).seen.cost, 0.75);
  });
});

suite('Claude Code: tools', () => {
  test('edits show what they would change, and then what they changed and where', () => {
    const { events } = readLines('claude', [
      toolUse('e', 'Edit', { file_path: '/w/a.ts', old_string: 'one\ntwo\n', new_string: 'one\n2\n' }),
      toolResult(
        'e',
        'ok',
        {},
        {
          structuredPatch: [{ oldStart: 7, oldLines: 2, newStart: 7, newLines: 2, lines: [' one', '-two', '+2'] }],
        },
      ),
      toolUse('m', 'MultiEdit', {
        file_path: '/w/b.ts',
        edits: [
          { old_string: 'a', new_string: 'b' },
          { old_string: 'c', new_string: '' },
        ],
      }),
    ]);
    const [edit, multi] = only(events, 'tool');
    assert.equal(edit?.diff, '-one\n-two\n+one\n+2');
    assert.equal(edit.file, '/w/a.ts');
    assert.equal(multi?.diff, '-a\n+b\n@@\n-c');
    const [made] = only(events, 'tool-result');
    assert.equal(made?.diff, '@@ -7,2 +7,2 @@\n one\n-two\n+2');
    assert.equal(made.line, 7);
  });

  test('a read points at its line; a search shows its pattern', () => {
    const { events } = readLines('claude', [
      toolUse('r', 'Read', { file_path: '/w/a.ts', offset: 40, limit: 3 }),
      toolUse('g', 'Grep', { pattern: 'TODO', path: '/w' }),
    ]);
    const [file, search] = only(events, 'tool');
    assert.deepEqual([file?.file, file?.line], ['/w/a.ts', 40]);
    assert.deepEqual([search?.argument, search?.file], ['TODO', undefined]);
  });

  test('an argument is one harmless line; texts stay as they are', () => {
    const command = 'printf "\u001b[31mred\u001b[0m"\n  && echo \u202edone\u0000\u0007 # ' + 'x'.repeat(5000);
    const { events } = readLines('claude', [
      toolUse('b', 'Bash', { command }),
      assistant({ type: 'text', text: 'a\u001b[31m\nb' }),
    ]);
    const [tool] = only(events, 'tool');
    assert.match(tool!.argument, /^printf "red" && echo done # x+…$/);
    assert.equal(tool!.argument.length, 300);
    assert.equal((JSON.parse(tool!.input!) as { command: string }).command, command);
    assert.equal(only(events, 'text')[0]?.text, 'a\u001b[31m\nb');
  });

  test('TodoWrite is the list, not a tool row', () => {
    const { events } = readLines('claude', [
      toolUse('t', 'TodoWrite', {
        todos: [
          { content: 'Plan', status: 'completed', activeForm: 'Planning' },
          { content: 'Build', status: 'in_progress', activeForm: 'Building' },
          { content: 'Test', status: 'pending', activeForm: 'Testing' },
        ],
      }),
      toolResult('t', 'Todos have been modified successfully'),
    ]);
    assert.deepEqual(events, [
      {
        kind: 'todo',
        items: [
          { text: 'Plan', state: 'done' },
          { text: 'Build', state: 'doing' },
          { text: 'Test', state: 'open' },
        ],
      },
    ]);
  });

  test('TaskCreate and TaskUpdate build the list; a failed one changes nothing and shows', () => {
    const { events } = readLines('claude', [
      toolUse('1', 'TaskCreate', { subject: 'Plan', description: 'x' }),
      toolUse('2', 'TaskCreate', { subject: 'Build', description: 'x' }),
      toolResult('1', 'Task #1 created', {}, { task: { id: '1', subject: 'Plan' } }),
      toolResult('2', 'Task #2 created', {}, { task: { id: '2', subject: 'Build' } }),
      toolUse('3', 'TaskUpdate', { taskId: '1', status: 'completed' }),
      toolResult('3', 'Updated', {}, { success: true, taskId: '1', updatedFields: ['status'] }),
      toolUse('4', 'TaskUpdate', { taskId: '9', status: 'in_progress' }),
      toolResult('4', 'No such task', { is_error: true }),
      toolUse('5', 'TaskUpdate', { taskId: '2', status: 'deleted' }),
      toolResult('5', 'Updated', {}, { success: true, taskId: '2', updatedFields: ['deleted'] }),
    ]);
    assert.deepEqual(
      only(events, 'todo').map((todo) => todo.items.map((item) => `${item.text}:${item.state}`)),
      [['Plan:open'], ['Plan:open', 'Build:open'], ['Plan:done', 'Build:open'], ['Plan:done']],
    );
    assert.equal(only(events, 'warning')[0]?.text, 'TaskUpdate: No such task');
    assert.equal(only(events, 'tool').length, 0);
  });

  test('a denied question is a wish for input', () => {
    const { seen } = readLines('claude', [
      line({
        type: 'result',
        subtype: 'success',
        is_error: false,
        result: 'ok',
        permission_denials: [
          { tool_name: 'Bash', tool_use_id: 'a', tool_input: { command: 'ls' } },
          {
            tool_name: 'AskUserQuestion',
            tool_use_id: 'b',
            tool_input: { questions: [{ question: 'Which\ncolour?' }] },
          },
        ],
      }),
    ]);
    assert.deepEqual(seen.attention, { for: 'input', what: quoted('Which colour?') });
  });
});

suite('Claude Code: other lines', () => {
  test('thinking is shown; pieces of messages and heartbeats are not', () => {
    const { events } = readLines('claude', [
      assistant({ type: 'thinking', thinking: 'Hm', signature: 'x' }, { type: 'redacted_thinking', data: 'x' }),
      line({ type: 'stream_event', event: { type: 'content_block_delta', delta: { text: 'H' } } }),
      line({ type: 'keep_alive' }),
      line({ type: 'system', subtype: 'status', status: 'requesting' }),
      line({ type: 'control_response', response: { subtype: 'success' } }),
      '',
      '  \r',
    ]);
    assert.deepEqual(events, [{ kind: 'thinking', text: 'Hm' }]);
  });

  test('what matters of the system lines shows', () => {
    const { events } = readLines('claude', [
      line({ type: 'system', subtype: 'compact_boundary', compact_metadata: { trigger: 'auto', pre_tokens: 155000 } }),
      line({
        type: 'system',
        subtype: 'hook_response',
        hook_name: 'PostToolUse',
        exit_code: 2,
        stderr: 'lint failed',
        outcome: 'error',
      }),
      line({
        type: 'system',
        subtype: 'hook_response',
        hook_name: 'Stop',
        exit_code: 0,
        stdout: 'fine',
        outcome: 'success',
      }),
      line({ type: 'system', subtype: 'model_fallback', content: 'Switched to another model' }),
      line({ type: 'system', subtype: 'task_started', task_id: 'b1', is_backgrounded: true }),
      line({ type: 'system', subtype: 'task_notification', task_id: 'b1', status: 'completed', summary: 'npm test' }),
      line({ type: 'rate_limit_event', rate_limit_info: { status: 'allowed_warning' } }),
      line({ type: 'rate_limit_event', rate_limit_info: { status: 'allowed' } }),
    ]);
    assert.deepEqual(
      events.map((event) => [event.kind, 'text' in event && textOf(event.text)]),
      [
        ['notice', 'The conversation was compacted (it had 155000 tokens).'],
        ['warning', 'Hook PostToolUse failed with exit code 2. lint failed'],
        ['warning', 'Switched to another model'],
        ['notice', 'Background task completed: npm test'],
        ['warning', 'Rate limit: allowed warning'],
      ],
    );
  });

  test('a byte-order mark before the first line hides nothing of it', () => {
    const [first = ''] = stdout('claude-latest/fresh');
    assert.deepEqual(readLines('claude', [`\ufeff${first}`]), readLines('claude', [first]));
  });

  test('what is not known is kept raw', () => {
    const lines = [
      'npm notice',
      '{"type":"brand_new","x":1}',
      '{"type":"system","subtype":"brand_new"}',
      '[1]',
      'null',
    ];
    assert.deepEqual(
      readLines('claude', lines).events,
      lines.map((text) => ({ kind: 'raw', text })),
    );
  });
});

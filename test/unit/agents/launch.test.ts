import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AgentAdapter, TurnRequest } from '../../../src/agents/adapter.ts';
import { checkArgv } from '../../../src/agents/argv.ts';
import { claude as claudeEntry } from '../../../src/agents/claude/agent.ts';
import { codex as codexEntry } from '../../../src/agents/codex/agent.ts';
import { givesOption, parseProgram, type ProgramOptions } from '../../../src/agents/program.ts';
import { adapterOf, adapters, readerFor } from '../../../src/agents/registry.ts';
import { AGENTS } from '../../../src/agents/table.ts';
import { textOf } from '../../../src/words/saying.ts';

const id = '11111111-2222-4333-8444-555555555555';
const request: TurnRequest = { prompt: 'Do it', promptFile: '/t/prompt.md', worktree: '/w', session: 'ses_1' };
const claude = (options?: ProgramOptions): AgentAdapter => adapterOf(claudeEntry, options);
const codex = (options?: ProgramOptions): AgentAdapter => adapterOf(codexEntry, options);
const resume = (adapter: AgentAdapter): readonly string[] => adapter.resume!({ ...request, agentSession: id }).argv;

suite('Claude Code', () => {
  const headless = ['--output-format', 'stream-json', '--verbose'];
  const edits = ['--permission-mode', 'acceptEdits'];

  test('a new conversation has the id that was chosen for it; the prompt goes by stdin', () => {
    const launch = claude().start({ ...request, agentSession: id });
    assert.deepEqual(launch, { argv: ['claude', '-p', ...headless, ...edits, '--session-id', id], stdin: 'prompt' });
    assert.deepEqual(claude().start(request).argv, ['claude', '-p', ...headless, ...edits]);
  });

  test('a further turn resumes it', () => {
    assert.deepEqual(resume(claude()), ['claude', '-p', ...headless, ...edits, '--resume', id]);
  });

  test("own program and arguments; a permission mode of one's own takes the place of ours", () => {
    const own = claude({ command: '/opt/claude', args: ['--model', 'opus', '--permission-mode=plan'] });
    assert.deepEqual(resume(own), [
      '/opt/claude',
      '-p',
      '--model',
      'opus',
      '--permission-mode=plan',
      ...headless,
      '--resume',
      id,
    ]);
    assert.deepEqual(own.detection.argv, ['/opt/claude', '--version']);
  });

  test('chosen ids are new UUIDs, and only UUIDs are resumed', () => {
    const adapter = claude();
    const chosen = adapter.newAgentSession!();
    assert.notEqual(chosen, adapter.newAgentSession!());
    assert.equal(adapter.isAgentSession(chosen), true);
    for (const other of ['', 'nonsense', `${id} `, `${id}\n`, '--help', id.slice(1)]) {
      assert.equal(adapter.isAgentSession(other), false);
    }
  });

  test('a prompt that it would refuse is refused before anything is made', () => {
    assert.throws(() => claude().start({ ...request, prompt: ' \n' }), { code: 'empty-prompt' });
    const most = 'x'.repeat(10 * 1024 * 1024);
    assert.equal(claude().start({ ...request, prompt: most }).stdin, 'prompt');
    assert.throws(() => claude().start({ ...request, prompt: `${most}x` }), { code: 'prompt-too-long' });
  });
});

suite('Codex', () => {
  const writes = ['--sandbox', 'workspace-write'];

  test('a new thread and a further turn; the prompt goes by stdin', () => {
    assert.deepEqual(codex().start(request), { argv: ['codex', 'exec', '--json', ...writes, '-'], stdin: 'prompt' });
    assert.deepEqual(resume(codex()), ['codex', 'exec', '--json', ...writes, 'resume', id, '-']);
    assert.equal(codex().newAgentSession, undefined);
    assert.equal(codex().isAgentSession('nonsense'), false);
    assert.equal(codex().isAgentSession('01a1fb15-c1c5-7861-9019-ca32b28a6fdb'), true);
  });

  test("own arguments stand before ours; a sandbox of one's own takes the place of ours", () => {
    assert.deepEqual(resume(codex({ args: ['-m', 'gpt'] })), [
      'codex',
      'exec',
      '-m',
      'gpt',
      '--json',
      ...writes,
      'resume',
      id,
      '-',
    ]);
    for (const own of ['-sread-only', '--sandbox=read-only', '--full-auto', '--approve-for-me']) {
      assert.deepEqual(resume(codex({ args: [own] })), ['codex', 'exec', own, '--json', 'resume', id, '-']);
    }
  });

  test('1,048,576 characters, however many bytes they have, and not one more', () => {
    const most = '🌳'.repeat(1_048_576);
    assert.equal(codex().start({ ...request, prompt: most }).stdin, 'prompt');
    assert.throws(() => codex().start({ ...request, prompt: `${most}!` }), {
      code: 'prompt-too-long',
      message: /at most 1048576 characters, but this one has 1048577/,
    });
  });
});

test('settings of a program: what is wrong is named and left out', () => {
  assert.deepEqual(parseProgram('claude', { command: ' /opt/x ', args: ['a'] }), {
    options: { command: '/opt/x', args: ['a'] },
    problems: [],
  });
  assert.deepEqual(parseProgram('claude', {}), { options: { args: [] }, problems: [] });
  const bad = parseProgram('codex', { command: 3, args: ['a', 4] });
  assert.deepEqual(bad.options, { args: [] });
  assert.deepEqual(
    bad.problems.map((problem) => problem.split(' ')[0]),
    ['treeline.codex.command', 'treeline.codex.args[1]'],
  );
  assert.equal(parseProgram('codex', { args: ['a\0'] }).problems.length, 1);
});

test('an option is found in each of its forms, and not in another one', () => {
  assert.ok(givesOption(['-s', 'x'], ['-s', '--sandbox']));
  assert.ok(givesOption(['--sandbox=x'], ['-s', '--sandbox']));
  assert.ok(!givesOption(['--sandboxes', '--skip', 'sandbox'], ['-s', '--sandbox']));
});

test('what a system can start', () => {
  const kib128 = 'x'.repeat(128 * 1024);
  assert.match(textOf(checkArgv(['a', kib128], 'linux')!), /131071 bytes in one argument, and this one has 131072/);
  assert.equal(checkArgv(['a', kib128.slice(1), kib128.slice(1)], 'linux'), undefined);
  assert.match(textOf(checkArgv(['é'.repeat(65_536)], 'linux')!), /131072/);
  assert.match(
    textOf(
      checkArgv(
        Array.from({ length: 5 }, () => kib128),
        'darwin',
      )!,
    ),
    /macOS/,
  );
  assert.equal(checkArgv([kib128], 'darwin'), undefined);
  assert.match(textOf(checkArgv(['a', 'x'.repeat(32_767)], 'win32')!), /32767/);
  assert.equal(checkArgv(['a', 'x'.repeat(32_000)], 'win32'), undefined);
  assert.match(textOf(checkArgv(['a', 'x'.repeat(20_000), '"'.repeat(10_000)], 'win32')!), /32767/);
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    assert.match(textOf(checkArgv(['a', 'b\0c'], platform)!), /NUL/);
  }
});

test("the registry has the built-in agents first, then the user's own", () => {
  const own = { id: 'mine', name: 'Mine', command: ['mine'], format: 'text', env: {} } as const;
  const all = adapters([own], { claude: { command: '/opt/claude', args: [] } });
  assert.deepEqual(
    all.map((adapter) => adapter.id),
    [...AGENTS.map((entry) => entry.id), 'mine'],
  );
  assert.equal(all[0]?.detection.argv[0], '/opt/claude');
  for (const { format } of all) assert.equal(readerFor(format).format, format);
});

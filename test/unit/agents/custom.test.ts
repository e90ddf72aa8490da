import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import type { AgentAdapter, TurnRequest } from '../../../src/agents/adapter.ts';
import { customAdapter } from '../../../src/agents/custom/adapter.ts';
import { parseCustomAgents } from '../../../src/agents/custom/settings.ts';
import { FORMATS } from '../../../src/agents/table.ts';

const request: TurnRequest = {
  prompt: 'Say "hi"; $(touch x)\n-n `id`',
  promptFile: '/turns/1/prompt.md',
  worktree: '/w t/1',
  session: 'ses_1',
};
const entry = { id: 'mine', name: 'Mine', command: ['mine', '--do', '${prompt}'] };

function adapterOf(fields: object): AgentAdapter {
  const { agents, problems } = parseCustomAgents([{ ...entry, ...fields }]);
  assert.deepEqual(problems, []);
  return customAdapter(agents[0]!);
}

function problemsOf(fields: object): string {
  const { agents, problems } = parseCustomAgents([{ ...entry, ...fields }]);
  assert.deepEqual(agents, []);
  return problems.join('\n');
}

suite('what a turn of a custom agent runs', () => {
  test('placeholders stand anywhere inside an element', () => {
    const { argv } = adapterOf({
      command: ['run', '${prompt}', '--file=${promptFile}', '${worktree}/x:${session}', '$prompt', '${'],
    }).start(request);
    assert.deepEqual(argv, ['run', request.prompt, '--file=/turns/1/prompt.md', '/w t/1/x:ses_1', '$prompt', '${']);
  });

  test('one pass: what a prompt contains is not looked at again', () => {
    const prompt = '${session} $& $1 $$ ${promptFile} ${HOME}';
    assert.deepEqual(adapterOf({}).start({ ...request, prompt }).argv, ['mine', '--do', prompt]);
  });

  test('a prompt goes through a real program as it is, whatever it looks like', async () => {
    const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const prompt = '--help "quoted" $(id) `id` ; | & > \n\t ü 🌳 \\';
    const { argv } = adapterOf({ command: [process.execPath, '-e', print, '--', '${prompt}'] }).start({
      ...request,
      prompt,
    });
    const { stdout } = await promisify(execFile)(argv[0]!, argv.slice(1));
    assert.deepEqual(JSON.parse(stdout), [prompt]);
  });

  test('stdin carries the prompt unless the command says what it is', () => {
    assert.equal(adapterOf({}).start(request).stdin, 'closed');
    assert.equal(adapterOf({ command: ['run', '${promptFile}'] }).start(request).stdin, 'closed');
    assert.equal(adapterOf({ command: ['run', '${worktree}'] }).start(request).stdin, 'prompt');
    assert.equal(adapterOf({ stdin: 'lines' }).start(request).stdin, 'lines');
    // Each argv for itself: the follow-up must not get lost.
    const mixed = adapterOf({ resume: ['mine', '--continue'] });
    assert.equal(mixed.resume!({ ...request, agentSession: 'ses_1' }).stdin, 'prompt');
  });

  test('variables of its own', () => {
    assert.deepEqual(adapterOf({ env: { A: 'b' } }).start(request).env, { A: 'b' });
    assert.equal(adapterOf({}).start(request).env, undefined);
  });

  test('a prompt that no argument can hold is refused, with the way out', () => {
    const long = { ...request, prompt: 'x'.repeat(40 * 1024 * 1024) };
    assert.throws(() => adapterOf({}).start(long), { code: 'prompt-too-long', message: /Use \$\{promptFile\}/ });
    assert.throws(() => adapterOf({}).start({ ...request, prompt: 'a\0b' }), { message: /NUL .*\$\{promptFile\}/ });
    assert.deepEqual(adapterOf({ command: ['run', '${promptFile}'] }).start(long).argv, ['run', '/turns/1/prompt.md']);
    assert.equal(adapterOf({ command: ['run'] }).start(long).stdin, 'prompt');
  });

  test('plain text resumes by the session; without a resume argv it cannot', () => {
    const adapter = adapterOf({ resume: ['mine', '--again', '${session}', '${prompt}'] });
    assert.equal(adapter.resumesBySession, true);
    assert.equal(adapter.isAgentSession('ses_1'), true);
    assert.deepEqual(adapter.resume!({ ...request, agentSession: 'ses_1' }).argv, [
      'mine',
      '--again',
      'ses_1',
      request.prompt,
    ]);
    assert.equal(adapterOf({}).resume, undefined);
  });

  test("a wrapper round a known agent has that agent's ids", () => {
    const adapter = adapterOf({
      format: 'claude',
      command: ['wrap', '--session-id', '${agentSession}'],
      resume: ['wrap', '--resume', '${agentSession}'],
    });
    const chosen = adapter.newAgentSession!();
    assert.ok(adapter.isAgentSession(chosen) && !adapter.isAgentSession('ses_1'));
    assert.equal(adapter.resumesBySession, undefined);
    assert.deepEqual(adapter.start({ ...request, agentSession: chosen }).argv.at(-1), chosen);
    assert.equal(adapterOf({ format: 'codex', resume: ['x', '${agentSession}'] }).newAgentSession, undefined);
  });

  test('its program is looked for, but never run to find out a version', () => {
    assert.deepEqual(adapterOf({}).detection.argv, ['mine']);
    assert.deepEqual(adapterOf({ command: ['${worktree}/agent', '${prompt}'] }).detection.argv, []);
  });
});

test('what a custom agent can do follows from its entry', () => {
  assert.deepEqual(adapterOf({}).can, []);
  assert.deepEqual(adapterOf({ stdin: 'lines', resume: ['mine', '${prompt}'] }).can, ['steer', 'resume']);
  const wrapper = adapterOf({ format: 'claude', command: ['wrap', '--session-id', '${agentSession}'] });
  assert.deepEqual(wrapper.can, ['own-id', 'usage', 'cost']);
});

suite('entries of the settings', () => {
  test('a bad entry is named, and hides no good one', () => {
    const { agents, problems } = parseCustomAgents([
      { ...entry, id: 'one' },
      null,
      { ...entry, id: 'two', command: 'not a list' },
      { ...entry, id: 'three' },
      { ...entry, id: 'one', name: 'Again' },
    ]);
    assert.deepEqual(
      agents.map((agent) => agent.id),
      ['one', 'three'],
    );
    assert.equal(problems.length, 3);
    assert.match(problems[0]!, /^treeline\.customAgents\[1\] must be an object/);
    assert.match(problems[1]!, /^treeline\.customAgents\[2\] \(“two”\)\.command must be a list/);
    assert.match(problems[2]!, /“one” is taken/);
  });

  test('no setting at all, or one that is no list', () => {
    assert.deepEqual(parseCustomAgents(undefined), { agents: [], problems: [] });
    assert.deepEqual(parseCustomAgents([]), { agents: [], problems: [] });
    assert.match(parseCustomAgents({ id: 'x' }).problems[0]!, /must be a list/);
  });

  const bad: readonly (readonly [what: string, fields: object, problem: RegExp])[] = [
    ['the id of a built-in agent', { id: 'codex' }, /an agent that Treeline knows already/],
    ['an id that is no id', { id: 'My Agent' }, /small letters/],
    ['an id that would be a path', { id: '../x' }, /small letters/],
    ['no name', { name: undefined }, /name must be a text that is not empty, but it is missing/],
    ['no command', { command: [] }, /command must begin with the program/],
    ['a command without a program', { command: [' '] }, /command must begin with the program/],
    ['a number in the command', { command: ['x', 1] }, /command\[1\] must be a text/],
    ['a resume that is empty', { resume: [] }, /resume must begin with the program/],
    [
      'an unknown placeholder',
      { command: ['x', '${HOME}/y ${prompt}'] },
      /uses \$\{HOME\}, which Treeline does not know/,
    ],
    ['an unknown format', { format: 'xml' }, new RegExp(`format must be one of ${FORMATS.join(', ')}`)],
    ['an unknown stdin', { stdin: 'pipe' }, /stdin must be one of/],
    ['a variable that is no text', { env: { A: 1 } }, /env\.A must be a text/],
    ['a variable without a proper name', { env: { 'A=B': 'x' } }, /env must have names/],
    ['a NUL', { command: ['x', 'a\0'] }, /NUL/],
    ['a relative program', { command: ['./agent', '${prompt}'] }, /relative path/],
    [
      'an agent session before there is one',
      { command: ['x', '${agentSession}'] },
      /command cannot use \$\{agentSession\}/,
    ],
    ['an agent session of plain text', { resume: ['x', '${agentSession}'] }, /use \$\{session\}/],
    ['a prompt inside a script', { command: ['bash', '-lc', 'run ${prompt}'] }, /run it as code/],
    ['a prompt as the script', { command: ['/bin/sh', '-c', '${prompt}'] }, /run it as code/],
    ['a prompt for cmd', { command: ['C:\\Windows\\cmd.exe', '/c', 'run', 'x${prompt}'] }, /run it as code/],
  ];
  for (const [what, fields, problem] of bad) {
    test(`refused: ${what}`, () => {
      assert.match(problemsOf(fields), problem);
      assert.match(problemsOf(fields), /^treeline\.customAgents\[0\] \(“.*”\)/);
    });
  }

  test('a script that gets the prompt as an argument is fine', () => {
    const { problems } = parseCustomAgents([{ ...entry, command: ['bash', '-c', 'run "$1"', 'bash', '${prompt}'] }]);
    assert.deepEqual(problems, []);
  });

  test('an unknown field is said, and the entry stays', () => {
    const { agents, problems } = parseCustomAgents([{ ...entry, resumes: ['x'] }]);
    assert.equal(agents.length, 1);
    assert.match(problems[0]!, /unknown fields are ignored: resumes/);
  });

  test('no value of the settings stands in a problem: it may be a secret', () => {
    assert.doesNotMatch(problemsOf({ env: { TOKEN: ['hunter2'] } }), /hunter2/);
  });
});

import { makeRow } from './stand-in-host.ts';
import type { RowInit } from './stand-in-host.ts';
import type { Excerpt, Row } from '../../src/protocol/timeline.ts';

const whole = (text: string): Excerpt => ({ text, bytes: Buffer.byteLength(text), cut: false });

/** One row of every kind, as a real session might have them. */
const inits: readonly RowInit[] = [
  {
    kind: 'turn-start',
    text: 'The login page forgets where I came from.\nAfter signing in I should land on the page that I asked for. Add a test.',
  },
  { kind: 'session', text: 'Conversation 6e0f3d52-8a4e-4a0e-9a53-3f1c1f1b7e21 began with claude-sonnet-4-5.' },
  {
    kind: 'thinking',
    text: 'The redirect target is probably dropped in the `POST /login` handler. I should look there first.',
  },
  { kind: 'text', text: "I'll look at how the login route handles the `next` parameter." },
  {
    kind: 'tool',
    tool: {
      name: 'Grep',
      argument: 'searchParams.get\\("next"\\)',
      state: 'ok',
      durationMs: 84,
      output: whole('src/routes/login.ts:41'),
    },
  },
  {
    kind: 'tool',
    tool: {
      name: 'Read',
      argument: 'src/routes/login.ts',
      file: 'src/routes/login.ts',
      line: 41,
      state: 'ok',
      durationMs: 12,
      output: whole('export async function login() {}'),
    },
  },
  {
    kind: 'todo',
    todo: [
      { text: 'Find where the target is lost', state: 'done' },
      { text: 'Keep the target over the form', state: 'doing' },
      { text: 'Add a test for relative and absolute targets', state: 'open' },
    ],
  },
  {
    kind: 'tool',
    tool: {
      name: 'Task',
      argument: 'Find every place that builds a redirect',
      state: 'ok',
      durationMs: 64_000,
      subagent: true,
      output: whole('Three places.'),
    },
  },
  { kind: 'prompt', depth: 1, text: 'Find every place in src/ that builds a redirect response. Report file and line.' },
  {
    kind: 'tool',
    depth: 1,
    tool: { name: 'Glob', argument: 'src/**/*.ts', state: 'ok', durationMs: 31, output: whole('132 files') },
  },
  {
    kind: 'text',
    depth: 1,
    text: 'Three places build a redirect: `login.ts:41`, `logout.ts:9`, `oauth/callback.ts:77`.',
  },
  {
    kind: 'tool',
    tool: {
      name: 'Edit',
      argument: 'src/routes/login.ts',
      file: 'src/routes/login.ts',
      line: 41,
      state: 'ok',
      durationMs: 18,
      input: whole(
        JSON.stringify({ file_path: 'src/routes/login.ts', old_string: 'return redirect("/");', new_string: '…' }),
      ),
      diff: whole(
        [
          '@@ -39,5 +39,7 @@ export async function login(request: Request) {',
          '   const user = await authenticate(form);',
          '-  return redirect("/");',
          '+  const next = form.get("next");',
          '+  const target = isLocal(next) ? next : "/";',
          '+  return redirect(target);',
          ' }',
        ].join('\n'),
      ),
      output: whole('The file src/routes/login.ts has been updated.'),
    },
  },
  {
    kind: 'tool',
    problem: true,
    tool: {
      name: 'Bash',
      argument: 'npm test -- --grep "login redirect"',
      state: 'failed',
      exitCode: 1,
      durationMs: 6_200,
      input: whole(JSON.stringify({ command: 'npm test -- --grep "login redirect"', timeout: 60000 })),
      output: whole('  1) login redirect keeps the query\n     AssertionError: expected "/a?b=1" but got "/a"'),
    },
  },
  {
    kind: 'tool',
    problem: true,
    tool: {
      name: 'Bash',
      argument: 'rm -rf node_modules',
      state: 'denied',
      durationMs: 5,
      output: whole('Permission to use Bash with command rm -rf node_modules has been denied.'),
    },
  },
  { kind: 'denial', problem: true, text: 'Bash: rm -rf node_modules was refused, because no rule allows it.' },
  { kind: 'retry', text: 'The model answered 529 (overloaded): attempt 2 of 10 in 1.2 s.' },
  { kind: 'warning', problem: true, text: 'The model claude-sonnet-4-5 will be retired soon.' },
  { kind: 'stderr', text: '(node:4821) ExperimentalWarning: SQLite is an experimental feature' },
  { kind: 'keeper', text: 'The agent is process 48213, in a group of its own.' },
  { kind: 'notice', text: 'The conversation was compacted.' },
  {
    kind: 'files',
    changes: [
      { path: 'src/routes/login.ts', change: 'update' },
      { path: 'test/routes/login-redirect.test.ts', change: 'add' },
      { path: 'src/legacy/redirect.js', change: 'delete' },
    ],
  },
  {
    kind: 'text',
    text: [
      'The target now survives the form. What changed:',
      '',
      '1. `login.ts` reads `next` and checks that it is **local**, see [login.ts](src/routes/login.ts#L41)',
      '2. The query is kept, as [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110) asks',
      '',
      '```ts',
      'const target = isLocal(next) ? next : "/";',
      '```',
      '',
      '| target | result |',
      '| --- | --- |',
      '| `/a?b=1` | kept |',
      '| `https://evil.example` | `/` |',
    ].join('\n'),
  },
  {
    kind: 'request',
    text: 'Push the branch?',
    request: {
      id: 'r1',
      about: 'permission',
      state: 'answered',
      input: whole('git push --force-with-lease origin HEAD:refs/heads/login'),
      choices: [
        { id: 'allow', label: 'Allow' },
        { id: 'always', label: 'Allow for this session' },
        { id: 'deny', label: 'Deny' },
      ],
      choice: 'deny',
      answer: whole('Open a pull request first.'),
      waitedMs: 83_000,
      answerLog: { stream: 'i', offset: 0, length: 80 },
    },
  },
  {
    kind: 'request',
    text: 'Which of the two names should the parameter have?',
    request: {
      id: 'r2',
      about: 'question',
      state: 'lapsed',
      choices: [
        { id: 'next', label: 'next' },
        { id: 'target', label: 'target' },
      ],
    },
  },
  { kind: 'raw', text: '{"type":"telemetry_ping","payload":{"n":1}}' },
  { kind: 'output', text: 'Compiling treeline v0.1.0\n    Finished dev [unoptimized] target(s) in 2.31s' },
  { kind: 'error', problem: true, text: 'API Error: 500 Internal server error. The request could not be completed.' },
  {
    kind: 'result',
    text: 'The login page now leads back to where you came from, with a test.',
    end: { durationMs: 312_000, usage: { input: 48_213, output: 3_120, cached: 41_000 }, cost: 0.4213 },
  },
  {
    kind: 'turn-end',
    text: 'The agent exited with code 0.',
    end: {
      outcome: 'completed',
      durationMs: 314_000,
      usage: { input: 48_213, output: 3_120, cached: 41_000 },
      cost: 0.4213,
      expected: [
        { path: 'report.md', present: true },
        { path: 'coverage/summary.json', present: false },
      ],
    },
  },
  { kind: 'turn-start', turn: 2, text: 'Now the same for sign-up.' },
  { kind: 'sent', turn: 2, text: 'And keep the hash, too.' },
  {
    kind: 'request',
    turn: 2,
    text: 'Start with this plan?',
    request: {
      id: 'r3',
      about: 'plan',
      state: 'open',
      input: whole('1. Keep `next` over the sign-up form\n2. Test **relative** and absolute targets'),
      choices: [
        { id: 'approve', label: 'Approve' },
        { id: 'reject', label: 'Keep planning' },
      ],
    },
  },
  {
    kind: 'tool',
    turn: 2,
    tool: { name: 'Bash', argument: 'npm test -- --grep "sign-up redirect" --reporter dot', state: 'running' },
  },
];

export function story(): Row[] {
  return inits.map((init, index) => makeRow(index + 1, init));
}

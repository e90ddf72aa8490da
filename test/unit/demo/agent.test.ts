import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { demoAgents } from '../../demo/setting.mjs';
import { git, tempDir, tempRepo } from '../support.ts';

const agent = path.resolve(import.meta.dirname, '../../demo/agent.mjs');

interface Line {
  type: string;
  subtype?: string;
  session_id: string;
  is_error?: boolean;
  terminal_reason?: string;
}

/** The agent in a fresh repository, with a memory of its own. */
async function setUp(t: TestContext): Promise<{ repo: string; start: (...args: string[]) => ChildProcess }> {
  const repo = await tempRepo(t);
  const state = await tempDir(t);
  const start = (...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, [agent, '--state', state, ...args], { cwd: repo });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  return { repo, start };
}

async function finish(child: ChildProcess): Promise<{ code: number | null; lines: Line[]; stderr: string }> {
  const lines: Line[] = [];
  let stderr = '';
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  child.stderr!.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines, stderr };
}

test('a turn edits files and commits, and a resume keeps the conversation', async (t) => {
  const { repo, start } = await setUp(t);
  const first = await finish(start('--speed', '1000', "Say 'hello'; twice"));
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.lines.at(0)?.subtype, 'init');
  assert.equal(first.lines.at(-1)?.subtype, 'success');
  assert.equal(await git(repo, 'log', '-1', '--format=%s'), "Demo: Say 'hello'; twice");
  assert.deepEqual((await git(repo, 'show', '--format=', '--name-only')).split('\n'), ['README.md', 'demo/turn-1.md']);

  const session = first.lines[0]!.session_id;
  const second = await finish(start('--speed', '1000', '--resume', session, 'Go on'));
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual([...new Set(second.lines.map((line) => line.session_id))], [session]);
  assert.equal(await git(repo, 'show', '--format=', '--name-only', '--diff-filter=A'), 'demo/turn-2.md');
  assert.equal(await git(repo, 'status', '--short'), '');
});

test('an unknown conversation is refused in the words of Claude Code', async (t) => {
  const { start } = await setUp(t);
  const id = '99999999-2222-4333-8444-555555555555';
  const { code, lines, stderr } = await finish(start('--resume', id, 'Go on'));
  assert.equal(code, 1);
  assert.equal(stderr.trim(), `No conversation found with session ID: ${id}`);
  assert.deepEqual([lines.length, lines[0]?.subtype], [1, 'error_during_execution']);
});

test(
  'SIGINT ends with a result that says so, SIGTERM without one',
  { skip: process.platform === 'win32' },
  async (t) => {
    const { start } = await setUp(t);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const child = start('Wait for me');
      child.stdout!.once('data', () => child.kill(signal));
      const { code, lines } = await finish(child);
      const result = lines.find((line) => line.type === 'result');
      if (signal === 'SIGINT') {
        assert.equal(code, 0);
        assert.deepEqual([result?.is_error, result?.terminal_reason], [true, 'aborted_streaming']);
      } else {
        assert.equal(code, 143);
        assert.equal(result, undefined);
      }
    }
  },
);

test('the setting names the agent plainly, and its placeholders', () => {
  const [entry] = demoAgents();
  assert.match(entry!.name, /demo/i);
  assert.ok(entry!.command.includes('${promptFile}'));
  assert.ok(entry!.resume!.includes('${agentSession}'));
});

/** An agent is added in a copy of the tree, in three files: the table's test then names every other place. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { tempDir } from '../support.ts';

const root = path.join(import.meta.dirname, '../../..');
const COPIED = [
  'src/agents',
  'src/platform',
  'src/store',
  'test/unit/agents',
  'test/fixtures/captures',
  'package.json',
  'package.nls.json',
  'README.md',
];

const AGENT = `import type { AgentEntry } from '../adapter.ts';
import { holoReader } from './output.ts';

export const holo: AgentEntry = {
  id: 'holo',
  name: 'Holo',
  command: 'holo',
  version: ['--version'],
  install: 'npm install -g holo-agent',
  oldestTried: '1.0.0',
  places: [],
  readers: [holoReader],
  can: [],
  turns: (command, args) => ({ start: () => ({ argv: [command, ...args], stdin: 'prompt' }) }),
};
`;

const OUTPUT = `import type { OutputReader } from '../adapter.ts';
import { textReader } from '../text/output.ts';

export const holoReader: OutputReader = { ...textReader, format: 'holo' };
`;

/** The tests that fail in a copy of the tree, by their names. */
async function failing(
  t: TestContext,
  change: (edit: typeof rewrite, copy: string) => void,
): Promise<readonly string[]> {
  const copy = await tempDir(t);
  for (const one of COPIED) cpSync(path.join(root, one), path.join(copy, one), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  change((file, from, to) => rewrite(path.join(copy, file), from, to), copy);
  // The child must not take itself for a part of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--test', '--test-reporter=tap', 'test/unit/agents/table.test.ts'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: copy, env, encoding: 'utf8' });
  assert.match(stdout, /^# tests \d/m);
  return [...stdout.matchAll(/^ {4}not ok \d+ - (.*)$/gm)].map((match) => match[1] ?? '');
}

function rewrite(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

test('nothing is missing as it is', async (t) => {
  assert.deepEqual(await failing(t, () => undefined), []);
});

test('of a new agent, everything beside its three files is named', async (t) => {
  const named = await failing(t, (edit, copy) => {
    mkdirSync(path.join(copy, 'src/agents/holo'));
    writeFileSync(path.join(copy, 'src/agents/holo/agent.ts'), AGENT);
    writeFileSync(path.join(copy, 'src/agents/holo/output.ts'), OUTPUT);
    edit('src/agents/table.ts', 'import { textReader', "import { holo } from './holo/agent.ts';\nimport { textReader");
    edit('src/agents/table.ts', '[claude, codex]', '[claude, codex, holo]');
  });
  assert.deepEqual(named, [
    'holo: the settings treeline.holo.command and .args, machine alone, with their words',
    'and settings of the agents in it alone',
    'and every format that a custom agent may have, with its words',
    'holo: there are recordings of every format it prints',
    'holo: the README says how to install it',
  ]);
});

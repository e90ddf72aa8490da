/** An agent is added in a copy of the tree, in three files: the table's test then names every other place. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { copyTree, edit, failingTests } from '../tree-copy.ts';

const COPIED = [
  'src',
  'test/unit/agents',
  'test/manifest',
  'test/fixtures/captures',
  'l10n',
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

const TESTS = 'test/unit/agents/table.test.ts';

test('of a new agent, everything beside its three files is named', async (t) => {
  const tree = await copyTree(t, ...COPIED);
  assert.deepEqual(failingTests(tree, TESTS), [], 'nothing is missing as it is');
  mkdirSync(path.join(tree, 'src/agents/holo'));
  writeFileSync(path.join(tree, 'src/agents/holo/agent.ts'), AGENT);
  writeFileSync(path.join(tree, 'src/agents/holo/output.ts'), OUTPUT);
  edit(
    tree,
    'src/agents/table.ts',
    'import { textReader',
    "import { holo } from './holo/agent.ts';\nimport { textReader",
  );
  edit(tree, 'src/agents/table.ts', '[claude, codex]', '[claude, codex, holo]');
  const words = [
    'holo: the settings treeline.holo.command and .args, machine alone, with their words',
    'and every format that a custom agent may have, with its words',
  ];
  const rest = [
    'holo: there are recordings of every format it prints',
    'holo: the README says its id, how to install it, and its formats',
  ];
  assert.deepEqual(
    failingTests(tree, TESTS).sort(),
    [...words, ...rest, 'and settings of the agents in it alone'].sort(),
  );
  execFileSync(process.execPath, ['test/manifest/main.mts'], { cwd: tree });
  assert.deepEqual(
    failingTests(tree, TESTS).sort(),
    [...words, ...rest].sort(),
    'npm run manifest writes the settings',
  );
  edit(
    tree,
    'package.nls.json',
    '  "setting.claude.command"',
    `  "setting.holo.command": "Holo's program.",
  "setting.holo.args": "Additional arguments for Holo.",
  "setting.customAgents.format.holo": "As printed by Holo.",
  "setting.claude.command"`,
  );
  assert.deepEqual(failingTests(tree, TESTS).sort(), [...rest].sort());
});

test('of an agent with a live protocol of its own, its driver is named', async (t) => {
  const live = 'test/unit/drivers/lines.test.ts';
  const tree = await copyTree(t, 'src', 'test/unit/drivers', 'test/fixtures/runs', 'package.json');
  assert.deepEqual(failingTests(tree, live), [], 'nothing is missing as it is');
  edit(tree, 'src/agents/codex/agent.ts', "stdin: 'prompt' };", "stdin: 'lines', protocol: 'holo' };");
  assert.deepEqual(failingTests(tree, live), [
    'every protocol that an agent speaks has its driver; one of another version has none',
  ]);
});

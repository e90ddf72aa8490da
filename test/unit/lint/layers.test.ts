import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';

const root = path.resolve(import.meta.dirname, '../../..');
const RULE = '@typescript-eslint/no-restricted-imports';

/** The messages of the layer rule, as the project's own configuration sets it for this file. */
async function lint(file: string, code: string): Promise<string[]> {
  const config = (await new ESLint({ cwd: root }).calculateConfigForFile(path.join(root, file))) as {
    rules: Linter.RulesRecord;
  };
  const rule = config.rules[RULE];
  const flat = {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser },
    rules: rule === undefined ? {} : { [RULE]: rule },
  } as Linter.Config;
  return new Linter({ cwd: root }).verify(code, flat, file).map((message) => message.message);
}

async function allowed(file: string, code: string): Promise<void> {
  assert.deepEqual(await lint(file, code), [], `${file} should be allowed: ${code}`);
}

async function refused(file: string, code: string): Promise<void> {
  assert.equal((await lint(file, code)).length, 1, `${file} should be refused: ${code}`);
}

test('vscode is for the folders that touch the editor, and the entry point', async () => {
  const code = "import * as vscode from 'vscode';";
  for (const file of ['src/extension.ts', 'src/views/a.ts', 'src/commands/a.ts', 'src/documents/a.ts']) {
    await allowed(file, code);
  }
  for (const folder of [
    'hosts',
    'steward',
    'sessions',
    'timeline',
    'drivers',
    'agents',
    'keeper',
    'store',
    'git',
    'platform',
    'protocol',
  ]) {
    await refused(`src/${folder}/a.ts`, code);
    await refused(`src/${folder}/deeper/a.ts`, code);
  }
  await refused('webview/a.ts', code);
});

test('a folder imports what stands below it, and nothing above', async () => {
  await allowed('src/sessions/a.ts', "import { x } from '../git/worktrees.ts';");
  await allowed('src/store/a.ts', "import { x } from '../platform/paths.ts';");
  await refused('src/platform/a.ts', "import { x } from '../git/worktrees.ts';");
  await refused('src/git/a.ts', "import type { X } from '../store/journal.ts';");
  await refused('src/timeline/a.ts', "import { x } from '../sessions/spawn.ts';");
  await refused('src/timeline/deeper/a.ts', "import { x } from '../../sessions/spawn.ts';");
  await refused('src/sessions/a.ts', "import { x } from '../views/tree.ts';");
  await refused('src/sessions/a.ts', "import { x } from '../steward/lease.ts';");
  await refused('src/steward/a.ts', "import { x } from '../hosts/repository.ts';");
  await refused('src/hosts/a.ts', "import { x } from '../views/tree.ts';");
  await allowed('src/hosts/a.ts', "import { x } from '../steward/steward.ts';");
  await refused('src/views/a.ts', "import { x } from '../extension.ts';");
  await refused('src/commands/a.ts', "import { x } from '../extension.ts';");
});

test('commands stand above documents, and documents above views', async () => {
  await allowed('src/commands/a.ts', "import { x } from '../documents/diff.ts';");
  await allowed('src/commands/a.ts', "import { x } from '../views/words.ts';");
  await allowed('src/documents/a.ts', "import { x } from '../views/words.ts';");
  await refused('src/documents/a.ts', "import { x } from '../commands/table.ts';");
  await refused('src/views/a.ts', "import { x } from '../documents/diff.ts';");
  await refused('src/views/a.ts', "import type { X } from '../commands/table.ts';");
});

test('the timeline and the drivers stand side by side', async () => {
  await allowed('src/drivers/a.ts', "import { x } from '../agents/text/control.ts';");
  await allowed('src/drivers/a.ts', "import { x } from './driver.ts';");
  await allowed('src/sessions/a.ts', "import { x } from '../drivers/table.ts';");
  await refused('src/drivers/a.ts', "import { x } from '../timeline/tailer.ts';");
  await refused('src/timeline/a.ts', "import { x } from '../drivers/lines.ts';");
  await refused('src/agents/a.ts', "import { x } from '../drivers/lines.ts';");
});

test('the keeper has three doors', async () => {
  await allowed('src/sessions/a.ts', "import { x } from '../keeper/client.ts';");
  await allowed('src/sessions/a.ts', "import type { X } from '../keeper/protocol.ts';");
  await allowed('src/sessions/a.ts', "import { rescue } from '../keeper/rescue.ts';");
  await refused('src/sessions/a.ts', "import { x } from '../keeper/main.ts';");
  await refused('src/commands/a.ts', "import { x } from '../keeper/main.ts';");
});

test('the protocol is types, and all that the webview shares with the host', async () => {
  await allowed('src/protocol/a.ts', "import type { X } from '../agents/events.ts';");
  await refused('src/protocol/a.ts', "import { x } from '../agents/events.ts';");
  await refused('src/protocol/a.ts', "import type { X } from '../timeline/content.ts';");
  await refused('src/agents/a.ts', "import type { X } from '../protocol/rows.ts';");
  await allowed('webview/a.ts', "import type { X } from '../src/protocol/timeline.ts';");
  await refused('webview/a.ts', "import type { X } from '../src/timeline/content.ts';");
});

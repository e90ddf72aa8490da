/** Who adds a row to one of the project's tables is told by the compiler where else something has to follow. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { copyTree, edit, failingTests } from '../tree-copy.ts';

const TSC = path.resolve(import.meta.dirname, '../../../node_modules/typescript/bin/tsc');

interface Case {
  readonly what: string;
  /** The table, and the place in it behind which the row is put. */
  readonly file: string;
  readonly behind: string;
  readonly row: string;
  /** Where the compiler looks, beside the sources. */
  readonly projects?: readonly string[];
  /** Every other file that has to follow. */
  readonly follow: readonly string[];
}

const SETTING =
  "  dreams: { section: 'sessions', type: 'integer', default: 1, minimum: 0, maximum: 9, scope: 'window' },\n";

const CASES: readonly Case[] = [
  {
    what: 'a type of facts about sessions',
    file: 'src/store/facts.ts',
    behind: "  'session.renamed': ofSession(1, 'anybody', shape({ name: string })),\n",
    row: "  'session.dreamt': ofSession(1, 'anybody', shape({ of: string })),\n",
    follow: ['src/store/lifecycle.ts'],
  },
  {
    what: 'a type of facts about the repository',
    file: 'src/store/facts.ts',
    behind: "  'session.renamed': ofSession(1, 'anybody', shape({ name: string })),\n",
    row: "  'repository.dreamt': ofRepository(1, shape({ of: string })),\n",
    follow: ['src/store/leadership.ts'],
  },
  {
    what: 'a status',
    file: 'src/store/model.ts',
    behind: "  'preparing',\n",
    row: "  'dreaming',\n",
    projects: ['webview'],
    follow: ['src/commands/exported-api.ts', 'src/protocol/statuses.ts'],
  },
  {
    what: 'a kind of events',
    file: 'src/agents/events.ts',
    behind: "  | { readonly kind: 'thinking'; readonly text: string }\n",
    row: "  | { readonly kind: 'dream'; readonly of: number }\n",
    projects: ['webview'],
    follow: ['src/protocol/kinds.ts', 'src/timeline/content.ts'],
  },
  {
    what: 'a card',
    file: 'src/protocol/kinds.ts',
    behind: "export type CardName = 'text'",
    row: " | 'dream'",
    projects: ['webview'],
    follow: ['webview/cards.ts'],
  },
  {
    what: 'a part of a row',
    file: 'src/protocol/rows.ts',
    behind: '  readonly todo: readonly Todo[];\n',
    row: '  readonly dream: { readonly of: string };\n',
    projects: ['webview'],
    follow: ['src/hosts/command/output.ts', 'src/timeline/content.ts'],
  },
  {
    what: 'a word that menus look for',
    file: 'src/commands/table.ts',
    behind: "menus: [onSession('5_edit@1'",
    row: ", 'dreaming'",
    follow: ['src/commands/table.ts'],
  },
  {
    what: 'a setting',
    file: 'src/sessions/settings.ts',
    behind: '  /** Template of a branch name. */\n',
    row: SETTING,
    follow: ['src/sessions/parse-settings.ts', 'src/sessions/settings.ts'],
  },
  {
    what: 'a command',
    file: 'src/commands/table.ts',
    behind: 'export const COMMANDS = {\n',
    row: '  dream: command<[], number>({}),\n',
    follow: ['src/commands/register.ts'],
  },
];

/** What the compiler says of some projects of the tree: for each error the file and the number. */
async function errorsIn(tree: string, projects: readonly string[]): Promise<string[]> {
  const outputs = projects.map(async (project) => {
    const info = path.join(tree, project, 'test.tsbuildinfo');
    const argv = [
      TSC,
      '--project',
      path.join(tree, project),
      '--incremental',
      '--tsBuildInfoFile',
      info,
      '--pretty',
      'false',
    ];
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, argv, { cwd: tree, maxBuffer: 2 ** 26 }, (_error, stdout) => resolve(stdout));
    });
    return [...output.matchAll(/^(\S.*)\(\d+,\d+\): (error TS\d+)/gm)].map(([, file, error]) => `${file}: ${error}`);
  });
  return (await Promise.all(outputs)).flat();
}

/** The files with errors that were not there before. */
function newIn(after: readonly string[], known: readonly string[]): string[] {
  const left = [...known];
  const more = after.filter((line) => {
    const place = left.indexOf(line);
    if (place !== -1) left.splice(place, 1);
    return place === -1;
  });
  return [...new Set(more.map((line) => line.slice(0, line.indexOf(':'))))].sort();
}

describe('the compiler names every other place', { timeout: 600_000 }, () => {
  let tree: string;
  let known: string[];
  before(async (t) => {
    tree = await copyTree(t as TestContext, 'src', 'webview', 'tsconfig.json', 'package.json');
    known = await errorsIn(tree, ['.', 'webview']);
  });

  for (const { what, file, behind, row, projects = [], follow } of CASES) {
    it(`for ${what}`, async () => {
      const whole = path.join(tree, file);
      const original = readFileSync(whole);
      edit(tree, file, behind, behind + row);
      try {
        assert.deepEqual(newIn(await errorsIn(tree, ['.', ...projects]), known), follow);
      } finally {
        writeFileSync(whole, original);
      }
    });
  }
});

describe('tests name what the compiler does not see', { timeout: 300_000 }, () => {
  const COPIED = ['src', 'test', 'l10n', 'package.json', 'package.nls.json', 'README.md'];
  const TESTS = ['commands/manifest', 'views/l10n', 'sessions/settings-scope'].map((one) => `test/unit/${one}.test.ts`);
  const manifest = (tree: string): unknown => execFileSync(process.execPath, ['test/manifest/main.mts'], { cwd: tree });

  it('of a setting', async (t) => {
    const tree = await copyTree(t, ...COPIED);
    assert.deepEqual(failingTests(tree, ...TESTS), [], 'nothing is missing as it is');
    const behind = '  /** Template of a branch name. */\n';
    edit(tree, 'src/sessions/settings.ts', behind, behind + SETTING);
    const others = [
      'the README says of every setting what it is where nobody sets it',
      'every setting is read somewhere',
    ];
    assert.deepEqual(failingTests(tree, ...TESTS), [
      'package.json has the commands and settings of the tables',
      ...others,
    ]);
    manifest(tree);
    assert.deepEqual(failingTests(tree, ...TESTS), [
      ...others,
      'no setting of a repository runs a program, deletes anything, or writes outside its place',
      'has every string that package.json names, and no other',
    ]);
  });

  it('of a command', async (t) => {
    const tree = await copyTree(t, ...COPIED);
    edit(
      tree,
      'src/commands/table.ts',
      'export const COMMANDS = {\n',
      'export const COMMANDS = {\n  dream: command<[]>({}),\n',
    );
    assert.deepEqual(failingTests(tree, ...TESTS), ['package.json has the commands and settings of the tables']);
    manifest(tree);
    assert.deepEqual(failingTests(tree, ...TESTS), ['has every string that package.json names, and no other']);
  });
});

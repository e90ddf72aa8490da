/** Who adds a row to one of the project's tables is told by the compiler where else something has to follow. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { copyTree, edit, failingTests } from '../tree-copy.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

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

/** The compiler, on the project's own files; where one is to be changed, what it then would be. */
class Compiler {
  readonly #options: ts.CompilerOptions;
  readonly #files: readonly string[];
  readonly #host: ts.CompilerHost;
  readonly #parsed = new Map<string, ts.SourceFile>();
  #changed: { readonly file: string; readonly text: string } | undefined;
  #last: ts.SemanticDiagnosticsBuilderProgram | undefined;

  constructor(project: string) {
    const config = path.join(ROOT, project, 'tsconfig.json');
    const read = ts.getParsedCommandLineOfConfigFile(config, {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic });
    assert.ok(read);
    this.#options = read.options;
    this.#files = read.fileNames;
    this.#host = ts.createIncrementalCompilerHost(this.#options);
    const parse = this.#host.getSourceFile.bind(this.#host);
    this.#host.getSourceFile = (file, version) => {
      if (path.resolve(file) === this.#changed?.file) return this.#versioned(file, this.#changed.text, version);
      const known = this.#parsed.get(file) ?? parse(file, version);
      if (known !== undefined) this.#parsed.set(file, known);
      return known;
    };
  }

  /** What it says where a file has another text: for each error the file and the number. */
  errors(change?: { readonly file: string; readonly text: string }): string[] {
    this.#changed = change && { ...change, file: path.join(ROOT, change.file) };
    this.#last = ts.createSemanticDiagnosticsBuilderProgram(this.#files, this.#options, this.#host, this.#last);
    return this.#last.getSemanticDiagnostics().map(({ file, code }) => {
      const name = file === undefined ? '' : path.relative(ROOT, file.fileName).replaceAll(path.sep, '/');
      return `${name}: TS${code}`;
    });
  }

  /** The builder knows what to look at again by versions. */
  #versioned(file: string, text: string, version: ts.ScriptTarget | ts.CreateSourceFileOptions): ts.SourceFile {
    const parsed = ts.createSourceFile(file, text, version, true);
    return Object.assign(parsed, { version: createHash('sha256').update(text).digest('hex') });
  }
}

function onUnRecoverableConfigFileDiagnostic({ messageText }: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
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
  const compilers = new Map<string, { readonly compiler: Compiler; readonly known: readonly string[] }>();

  /** The files with errors that a change brings. */
  function named(project: string, change: { readonly file: string; readonly text: string }): string[] {
    let one = compilers.get(project);
    if (one === undefined) {
      const compiler = new Compiler(project);
      one = { compiler, known: compiler.errors() };
      compilers.set(project, one);
    }
    return newIn(one.compiler.errors(change), one.known);
  }

  for (const { what, file, behind, row, projects = [], follow } of CASES) {
    it(`for ${what}`, () => {
      const parts = readFileSync(path.join(ROOT, file), 'utf8').split(behind);
      assert.equal(parts.length, 2, `${file} has the place once`);
      const change = { file, text: parts.join(behind + row) };
      const found = ['.', ...projects].flatMap((project) => named(project, change));
      assert.deepEqual([...new Set(found)].sort(), follow);
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

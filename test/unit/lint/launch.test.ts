/** F5: what .vscode/launch.json and tasks.json name is there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { tempDir } from '../support.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** JSON with comments. */
function json(file: string): unknown {
  const parsed = ts.parseConfigFileTextToJson(file, text(file)) as {
    readonly config?: unknown;
    readonly error?: unknown;
  };
  assert.equal(parsed.error, undefined, file);
  return parsed.config;
}

interface Launch {
  readonly name: string;
  readonly preLaunchTask?: string;
}

interface Task {
  readonly label: string;
  readonly type: 'npm' | 'process';
  readonly script?: string;
  readonly command?: string;
  readonly args?: readonly string[];
}

const { configurations } = json('.vscode/launch.json') as { readonly configurations: readonly Launch[] };
const { tasks } = json('.vscode/tasks.json') as { readonly tasks: readonly Task[] };
const { scripts } = json('package.json') as { readonly scripts: Readonly<Record<string, string>> };
const build = text('esbuild.mjs');
const tryIt = text('test/try.mjs');

/** Whether a file of the repository is there, or is made by a build or by `npm run try`. */
function exists(file: string): boolean {
  const [top, second, ...rest] = file.split('/');
  if (top === 'dist') return second === '**' || build.includes(`'${second}'`);
  // The rest of it is VS Code's.
  if (top === '.cache' && second === 'try') return tryIt.includes(`'${rest[0]}'`);
  return existsSync(path.join(root, file));
}

/** All paths in the repository that something names, at any depth. */
function paths(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(/\$\{workspaceFolder\}\/([^"]+)/g)].map(([, file]) => file!);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(paths) : [];
}

for (const configuration of configurations) {
  test(`${configuration.name}: its files and its task are there`, () => {
    const { preLaunchTask } = configuration;
    assert.deepEqual(
      paths(configuration).filter((file) => !exists(file)),
      [],
    );
    if (preLaunchTask !== undefined) {
      assert.ok(
        tasks.some(({ label }) => label === preLaunchTask),
        preLaunchTask,
      );
    }
  });
}

for (const { label, type, script = '', command, args = [] } of tasks) {
  test(`the task ${label}: its program is there`, () => {
    if (type === 'npm') assert.ok(script in scripts, script);
    else assert.ok(command === 'node' && existsSync(path.join(root, args[0]!)), args[0]);
  });
}

test('every script of package.json names a file that is there', () => {
  for (const [name, command] of Object.entries(scripts)) {
    for (const [, file] of command.matchAll(/\bnode (?:\S+\/task\.mjs (?:--vscode )?)?(\S+\.m[jt]s)/g)) {
      assert.ok(existsSync(path.join(root, file!)), `${name}: ${file}`);
    }
  }
});

test('a breakpoint in a source binds wherever a bundle runs: it names its source map by a whole address', async (t) => {
  const dist = await tempDir(t);
  execFileSync(process.execPath, ['esbuild.mjs', `--out=${dist}`], { cwd: root });
  const bundles = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  assert.ok(bundles.length >= 5);
  for (const name of bundles) {
    const [, address = ''] =
      /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(path.join(dist, name), 'utf8')) ?? [];
    const map = new URL(address);
    const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { readonly sources: readonly string[] };
    const own = sources
      .map((source) => fileURLToPath(new URL(source, map)))
      .filter((file) => file.startsWith(path.join(root, 'src')));
    assert.ok(own.length > 0 && own.every((file) => existsSync(file)), name);
  }
});

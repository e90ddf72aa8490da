// The tiers of the test command, cheap ones first. Each says how many checks passed and failed.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { run as runTests } from 'node:test';
import { spec } from 'node:test/reporters';
import { root, vsix } from './setup/paths.mjs';
import { run } from './setup/say.mjs';

/** The packed extension may not be larger than this. */
const MAX_VSIX_BYTES = 1.5 * 1024 * 1024;

/**
 * For tests that start process after process from the sources: two files at a time and more, since most of a test is waiting, and
 * what Node made of a source is kept for the next process.
 */
const PROCESSES = {
  concurrency: Math.max(2, availableParallelism()),
  compileCache: path.join(root, '.cache/compiled'),
};

const bin = (name, script) => [process.execPath, path.join(root, 'node_modules', name, script)];
const node = (...args) => [process.execPath, ...args];

/** Runs programs one after the other, each one check: passed when it exits with 0. */
async function check(...commands) {
  const counts = { passed: 0, failed: 0 };
  for (const argv of commands) {
    const { code } = await run(argv, { cwd: root, show: true });
    counts[code === 0 ? 'passed' : 'failed'] += 1;
  }
  return counts;
}

/** Runs the node:test files of a folder, each in a process of its own, and counts their tests. */
async function nodeTests(folder, { concurrency, compileCache }) {
  if (compileCache === undefined) delete process.env.NODE_COMPILE_CACHE;
  else process.env.NODE_COMPILE_CACHE = compileCache;
  const dir = path.join(root, folder);
  const files = readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => path.join(dir, name));
  const counts = { passed: 0, failed: 0 };
  const events = runTests({ files, concurrency, timeout: 300_000 });
  // One summary a file, and one over all (without a file).
  events.on('test:summary', ({ file, counts: found }) => {
    if (file !== undefined) return;
    counts.passed = found.passed;
    counts.failed = found.failed + found.cancelled;
  });
  const shown = events.compose(new spec());
  for await (const text of shown) process.stdout.write(text);
  if (counts.passed + counts.failed === 0) throw new Error(`No test ran in ${folder}.`);
  return counts;
}

/** The .vsix: `npm run package` makes it where nothing was built before, without a warning, and it is small. */
async function packaged() {
  // A fresh clone has neither folder.
  for (const folder of ['dist', path.dirname(vsix)])
    rmSync(path.resolve(root, folder), { recursive: true, force: true });
  // Node runs the script as npm would, without npm's own warnings.
  const { code, output } = await run(node('--run', 'package'), { cwd: root, show: true });
  const bytes = code === 0 && existsSync(vsix) ? statSync(vsix).size : 0;
  const checks = {
    'npm run package works in a fresh clone': bytes > 0,
    'without a warning': !/warn/i.test(output),
    [`under 1.5 MB (${(bytes / 1024).toFixed(0)} KiB)`]: bytes > 0 && bytes < MAX_VSIX_BYTES,
  };
  const counts = { passed: 0, failed: 0 };
  for (const [what, good] of Object.entries(checks)) {
    console.log(`${good ? '✔' : '✖'} ${what}`);
    counts[good ? 'passed' : 'failed'] += 1;
  }
  return counts;
}

/** The extension-host tests report through a child of their own. */
async function hostTests() {
  const built = await run(node('esbuild.mjs', '--host-tests'), { cwd: root, show: true });
  if (built.code !== 0) return { passed: 0, failed: 1 };
  const { code, output } = await run(node('test/host/run.mts'), { cwd: root, show: true });
  const counts = /^(\d+) passed, (\d+) failed$/m.exec(output);
  if (counts === null) return { passed: 0, failed: 1 };
  const failed = Number(counts[2]);
  return { passed: Number(counts[1]), failed: code !== 0 && failed === 0 ? 1 : failed };
}

/**
 * @type {{ name: string, what: string, needs: import('./setup/all.mjs').Need[],
 *   run: () => Promise<{ passed: number, failed: number }> }[]}
 */
export const tiers = [
  {
    name: 'format',
    what: 'is every file as prettier writes it?',
    needs: ['dependencies'],
    run: () => check([...bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']),
  },
  {
    name: 'lint',
    what: 'eslint, with the layer rule',
    needs: ['dependencies'],
    run: () => check([...bin('eslint', 'bin/eslint.js'), '--max-warnings', '0', '.']),
  },
  {
    name: 'types',
    what: 'tsc on src, webview and test',
    needs: ['dependencies'],
    run: () => check(...['.', 'webview', 'test'].map((project) => [...bin('typescript', 'bin/tsc'), '-p', project])),
  },
  {
    name: 'unit',
    what: 'the parts, with real git, files and processes',
    needs: ['dependencies'],
    run: () => nodeTests('test/unit', PROCESSES),
  },
  {
    name: 'faults',
    what: 'each failure caused for real, at random instants',
    needs: ['dependencies'],
    run: () => nodeTests('test/faults', PROCESSES),
  },
  {
    name: 'build',
    what: 'the bundles, as a developer builds them',
    needs: ['dependencies'],
    run: () => check(node('esbuild.mjs')),
  },
  {
    name: 'webview',
    what: 'the timeline page alone, in a browser',
    needs: ['dependencies', 'browser'],
    run: () => nodeTests('test/webview', { concurrency: 1 }),
  },
  { name: 'package', what: 'the .vsix, minified', needs: ['dependencies'], run: packaged },
  {
    name: 'host',
    what: 'inside the extension host of a real VS Code',
    needs: ['dependencies', 'vscode', 'browser'],
    run: hostTests,
  },
  {
    name: 'e2e',
    what: 'the packed .vsix in a real VS Code, with a browser as the user',
    needs: ['dependencies', 'vscode', 'browser', 'agents'],
    // One at a time: each drives a VS Code and a browser.
    run: () => nodeTests('test/e2e', { concurrency: 1 }),
  },
];

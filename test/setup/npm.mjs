// Runs npm, under the Node that runs this script, and installs what a lockfile says, once.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache } from './paths.mjs';
import { duration, Missing, run, say } from './say.mjs';

/**
 * The argv that starts npm. `npm_execpath` is set when npm itself started us, and survives the change to another Node.
 * Otherwise npm stands beside its Node, or is found on the PATH.
 */
function npmCommand() {
  const beside = path.dirname(process.env.TREELINE_FIRST_NODE ?? process.execPath);
  const candidates = [
    process.env.npm_execpath,
    path.join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    path.join(beside, 'node_modules/npm/bin/npm-cli.js'),
  ];
  const script = candidates.find((file) => file?.endsWith('npm-cli.js') && existsSync(file));
  return script === undefined ? ['npm'] : [process.execPath, script];
}

/** Runs npm with these arguments in `cwd`; throws with the end of its output when it fails. */
export async function npm(args, cwd) {
  const nodeDir = path.dirname(process.execPath);
  const env = { ...process.env, PATH: `${nodeDir}${path.delimiter}${process.env.PATH ?? ''}` };
  // What an npm that started us says of itself and its Node would be taken for the inner npm's own words.
  for (const name of ['NODE', 'npm_node_execpath', 'npm_config_user_agent', 'npm_config_local_prefix'])
    delete env[name];
  // Native add-ons build against the headers of the Node that will load them, where they came with it (no download).
  const headers = path.resolve(nodeDir, '..');
  if (existsSync(path.join(headers, 'include/node/node.h'))) env.npm_config_nodedir = headers;
  const { code, output } = await run([...npmCommand(), ...args, '--no-audit', '--no-fund'], { cwd, env });
  if (code !== 0) {
    throw new Missing(
      `npm ${args[0]} failed in ${cwd}; its last words: ${output.trim().split('\n').slice(-12).join('\n')}`,
    );
  }
}

/**
 * Installs the dependencies of the package in `folder`, unless that was done for the same lockfile and Node before.
 * @param {string} folder
 * @param {string} what for people: "the test VS Code (2 minutes, 600 MB)"
 */
export async function install(folder, what) {
  const lockfile = path.join(folder, 'package-lock.json');
  const stampFile = path.join(folder, 'node_modules', '.treeline-installed');
  const stamp = createHash('sha256')
    .update(readFileSync(lockfile))
    .update(`${process.version} ${process.platform} ${process.arch}`)
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say(`installing ${what}`);
  const start = performance.now();
  await npm(['ci', '--include=dev'], folder);
  writeFileSync(stampFile, stamp);
  say(`installed in ${duration(performance.now() - start)}`);
}

/** Installs one package of the registry into a folder of its own in the cache, and returns that package's folder. */
export async function fetchPackage(name, range) {
  const home = path.join(cache, name);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n');
  await npm(['install', `${name}@${range}`], home);
  return path.join(home, 'node_modules', name);
}

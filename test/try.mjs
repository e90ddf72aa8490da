// Opens VS Code with Treeline on a sample repository, or on one of your own:
//   npm run try                   the sample
//   npm run try -- PATH           your repository
//   npm run try -- --prepare      opens nothing: makes the sample and the settings that .vscode/launch.json uses
//   npm run try -- --browser      the browser VS Code, also where there is a desktop one; --port N chooses its port
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { demoAgents } from './demo/setting.mjs';
import { makeSample } from './demo/sample.mjs';
import { underNode24 } from './setup/node24.mjs';
import { cache, root, vsix } from './setup/paths.mjs';
import { Missing, run, say } from './setup/say.mjs';

const home = path.join(cache, 'try');
const settings = { 'treeline.customAgents': demoAgents({ live: true }) };

try {
  await underNode24(fileURLToPath(import.meta.url));
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      browser: { type: 'boolean', default: false },
      port: { type: 'string', default: '8460' },
      prepare: { type: 'boolean', default: false },
    },
  });
  if (values.prepare) {
    await prepare();
    process.exit(0);
  }
  const { onPath } = await import('./setup/vscode.mjs');
  const desktop = !values.browser && onPath('code');
  const { setUp } = await import('./setup/all.mjs');
  await setUp(new Set(desktop ? ['dependencies'] : ['dependencies', 'vscode']));
  say('building and packing Treeline');
  const { pack } = await import('./setup/package.mjs');
  const { bytes, output } = await pack();
  if (bytes === 0) throw new Error(`Treeline could not be built:\n${output}`);

  const folder = repository(positionals[0]);
  if (desktop) await openDesktop(folder);
  else await openBrowser(folder, Number(values.port));
} catch (error) {
  console.error(error instanceof Missing ? `treeline: ${error.message}` : error);
  process.exit(1);
}

/** The folder to open: the person's own, or the sample, which is made once. */
function repository(asked) {
  if (asked !== undefined) {
    if (!existsSync(asked))
      throw new Missing(`There is no folder ${path.resolve(asked)}: give the path of a git repository.`);
    return realpathSync(asked);
  }
  const folder = path.join(home, 'sample-project');
  say(`${makeSample(folder) ? 'made a sample repository' : 'the sample repository is kept from before'}: ${folder}`);
  return folder;
}

function hint() {
  say('to begin: the Treeline icon at the left, then "Spawn Agent…"; "Demo agent (no model)" works without any CLI');
  say(
    '"Demo agent, live (no model)" takes messages while it works, and asks: put "question" or "permission" in its prompt',
  );
}

/** What F5 in VS Code needs: see .vscode/launch.json. */
async function prepare() {
  const { setUp } = await import('./setup/all.mjs');
  await setUp(new Set(['dependencies']));
  const built = await run([process.execPath, path.join(root, 'esbuild.mjs')], { cwd: root, show: true });
  if (built.code !== 0) throw new Missing('Treeline could not be built; the reason stands above.');
  repository(undefined);
  writeSettings(path.join(home, 'debug'));
}

/** Makes the demo agent known to a VS Code with this user data folder. */
function writeSettings(userData) {
  mkdirSync(path.join(userData, 'User'), { recursive: true });
  writeFileSync(path.join(userData, 'User/settings.json'), JSON.stringify(settings, null, 2));
}

/** The desktop VS Code, with folders of its own: your settings and extensions stay as they are. */
async function openDesktop(folder) {
  const userData = path.join(home, 'desktop');
  writeSettings(userData);
  const code = ['code', '--user-data-dir', userData, '--extensions-dir', path.join(home, 'desktop-extensions')];
  const installed = await run([...code, '--force', '--install-extension', vsix]);
  if (installed.code !== 0) throw new Missing(`The desktop VS Code did not take ${vsix}: ${installed.output.trim()}`);
  say(`opening ${folder} in the desktop VS Code`);
  hint();
  const child = spawn(code[0], [...code.slice(1), '--disable-workspace-trust', '--new-window', folder], {
    stdio: 'inherit',
  });
  child.on('exit', (status) => process.exit(status ?? 1));
}

/** The browser VS Code, until Ctrl-C. The person's own environment: agent CLIs that are installed are found. */
async function openBrowser(folder, port) {
  const { VscodeServer } = await import('./support/vscode-server.mts');
  say('starting the browser VS Code');
  const dir = path.join(home, 'browser');
  mkdirSync(dir, { recursive: true });
  const options = { dir, port, environment: 'caller', extensions: [vsix], machineSettings: settings };
  const server = await VscodeServer.start(options).catch((error) => {
    if (!String(error).includes('EADDRINUSE')) throw error;
    throw new Missing(`Port ${port} is in use; choose another: npm run try -- --port ${port + 1}`);
  });
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  say(`open ${server.open(folder)}`);
  hint();
  say('Ctrl-C ends VS Code; agents that are at work go on, and are there again at the next start');

  async function stop() {
    await server.end();
    process.exit(0);
  }
}

/** Starts and stops the test VS Code (code-server): fresh folders, a scrubbed environment, everything ended afterwards. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { codeServer } from '../setup/vscode.mjs';

export interface ServerOptions {
  /** A folder for all that it keeps, which stays; without one, a scratch folder that `stop` removes. */
  dir?: string;
  /** The port of 127.0.0.1; without one, any that is free. */
  port?: number;
  /** Whose environment VS Code gets: nobody's (a scratch home), or the caller's, as a program that the person starts. */
  environment?: 'scratch' | 'caller';
  /** Packed extensions to install before the start. */
  extensions?: string[];
  /** Which of VS Code's own extensions it has, by their folders; without this, all. */
  builtins?: readonly string[];
  /** User settings, over those that keep the workbench quiet. */
  settings?: Record<string, unknown>;
  /** Settings of `machine` scope: a remote VS Code reads them from this machine's own file only. */
  machineSettings?: Record<string, unknown>;
  /** Whether every folder counts as trusted (true), or the user is asked as usual (false). */
  trustAll?: boolean;
  /** Turns on what extension tests need (the payload of `open`). It also silences notifications, so users' stories go without. */
  testDriver?: boolean;
  /** Folders to put before the PATH, for instance the one that holds the agents. */
  path?: string[];
  /** Puts files into the scratch home before the start, and says what environment goes with them. */
  prepareHome?: (home: string) => Promise<Record<string, string>>;
  /** Environment of VS Code, and so of the extension host, over the scrubbed one. */
  env?: Record<string, string>;
}

/** Without a network, and with nobody to greet. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.autofetch': false,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.startupPrompt': 'always',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.restoreWindows': 'none',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.settings.enableNaturalLanguageSearch': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** The name of the variable that marks every process of one server, those that outlive it included. */
const MARK = 'TREELINE_TEST_RUN';

export class VscodeServer {
  /** Scratch folder of this server; `home`, `user-data` and `extensions` are in it. */
  readonly dir: string;
  readonly home: string;
  readonly userData: string;
  /** The address of the workbench, with a slash at its end. */
  readonly url: string;
  readonly #options: ServerOptions;
  readonly #mark = randomUUID();
  #env: NodeJS.ProcessEnv = {};
  #process: ChildProcess | undefined;
  #log = '';

  private constructor(dir: string, port: number, options: ServerOptions) {
    this.dir = dir;
    this.home = path.join(dir, 'home');
    this.userData = path.join(dir, 'user-data');
    this.url = `http://127.0.0.1:${port}/`;
    this.#options = options;
  }

  /** A server with fresh folders, listening. */
  static async start(options: ServerOptions = {}): Promise<VscodeServer> {
    const dir = options.dir ?? (await realpath(await mkdtemp(path.join(os.tmpdir(), 'treeline-vscode-'))));
    const server = new VscodeServer(dir, options.port ?? (await freePort()), options);
    await mkdir(server.home, { recursive: true });
    server.#env = { ...server.#environment(), ...(await options.prepareHome?.(server.home)), ...options.env };
    if (options.environment !== 'caller') await server.#writeProfile();
    await server.#writeSettings();
    await server.#linkBuiltins(options.builtins ?? []);
    for (const vsix of options.extensions ?? []) await server.install(vsix);
    await server.restart();
    return server;
  }

  /** The environment of VS Code, as the user's terminals have it. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** What the server printed. */
  get log(): string {
    return this.#log;
  }

  /** Starts it (again), on the same address and folders. */
  async restart(): Promise<void> {
    await this.end();
    const { trustAll = true, testDriver = false, builtins } = this.#options;
    const child = this.#spawn([
      ...['--auth', 'none', '--bind-addr', new URL(this.url).host],
      ...['--disable-telemetry', '--disable-update-check'],
      ...(builtins === undefined ? [] : ['--vscode-option', `builtin-extensions-dir=${this.#builtins}`]),
      ...(testDriver ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
      ...(trustAll ? ['--disable-workspace-trust'] : []),
    ]);
    this.#process = child;
    process.once('exit', this.#killNow);
    child.stderr!.on('data', (chunk) => (this.#log += String(chunk)));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`VS Code did not start in 60 s:\n${this.#log}`)), 60_000);
      createInterface({ input: child.stdout! }).on('line', (line) => {
        this.#log += `${line}\n`;
        if (line.includes('HTTP server listening')) {
          clearTimeout(timer);
          resolve();
        }
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`VS Code ended with ${String(code)} at its start:\n${this.#log}`));
      });
    });
  }

  /** Ends the server and its extension hosts, and leaves the rest: `restart` begins it again. */
  async end(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) return;
    this.#process = undefined;
    process.removeListener('exit', this.#killNow);
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    kill(-child.pid, 'SIGTERM');
    const timer = setTimeout(() => kill(-child.pid!, 'SIGKILL'), 5_000);
    await exited;
    clearTimeout(timer);
    // The extension hosts linger after the server; the group goes as a whole.
    kill(-child.pid, 'SIGKILL');
  }

  /** Kills all of VS Code's own processes at once. What outlives a window goes on. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) return;
    this.#process = undefined;
    process.removeListener('exit', this.#killNow);
    const exited = once(child, 'exit');
    const own = (await this.processes()).filter(({ command }) => command.includes(path.dirname(codeServer)));
    const hosts = await this.extensionHosts();
    kill(-child.pid, 'SIGKILL');
    for (const pid of [...own.map((one) => one.pid), ...hosts]) kill(pid, 'SIGKILL');
    await exited;
  }

  /** Installs a packed extension, or puts it in the place of another version, also while the server runs. */
  install(vsix: string): Promise<void> {
    return this.#run(['--force', '--install-extension', vsix]);
  }

  /** Uninstalls an extension by its id, also while the server runs. */
  uninstall(extension: string): Promise<void> {
    return this.#run(['--uninstall-extension', extension]);
  }

  /** The processes in which extensions run: one for each window. */
  async extensionHosts(): Promise<number[]> {
    const all = await this.processes();
    return all.flatMap(({ pid, command }) => (command.includes('--type=extensionHost') ? [pid] : []));
  }

  /** Ends the server, all that it left running (keepers and agents outlive a window by design), and its folders. */
  async stop(): Promise<void> {
    await this.end();
    for (const { pid } of await this.processes()) kill(pid, 'SIGKILL');
    if (this.#options.dir === undefined) {
      await rm(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
  }

  /**
   * The processes alive that were started by this server, directly or not, by the mark in their environment: the way to
   * see what outlived a window and what an end left behind. Linux only; empty elsewhere.
   */
  async processes(): Promise<{ pid: number; command: string }[]> {
    if (process.platform !== 'linux') return [];
    const found = [];
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      // A process may end while it is looked at.
      const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
      if (!environment.includes(`${MARK}=${this.#mark}`)) continue;
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      if (command !== '') found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() });
    }
    return found;
  }

  /** The address that opens a folder or a .code-workspace file; `payload` is handed to the workbench (extension tests use it). */
  open(place: string, payload: Record<string, string> = {}): string {
    const url = new URL(this.url);
    url.searchParams.set(place.endsWith('.code-workspace') ? 'workspace' : 'folder', place);
    const entries = Object.entries(payload);
    if (entries.length > 0) url.searchParams.set('payload', JSON.stringify(entries));
    return url.href;
  }

  /** VS Code asks a login shell for the environment, and /etc/profile sets the PATH anew: the home's own profile has it. */
  async #writeProfile(): Promise<void> {
    const value = (this.#env['PATH'] ?? '').replaceAll("'", "'\\''");
    await writeFile(path.join(this.home, '.profile'), `export PATH='${value}'\n`);
  }

  async #writeSettings(): Promise<void> {
    const write = async (folder: string, settings: object, flag: string): Promise<void> => {
      await mkdir(path.join(this.userData, folder), { recursive: true });
      await writeFile(path.join(this.userData, folder, 'settings.json'), JSON.stringify(settings, null, 2), { flag });
    };
    await write('Machine', { ...this.#options.machineSettings }, 'w');
    // In a kept folder, what the person has set since then stays.
    await write('User', { ...quietSettings, ...this.#options.settings }, 'wx').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }

  get #builtins(): string {
    return path.join(this.dir, 'builtin-extensions');
  }

  async #linkBuiltins(names: readonly string[]): Promise<void> {
    const all = path.resolve(path.dirname(codeServer), '../../lib/vscode/extensions');
    for (const name of names) {
      await mkdir(this.#builtins, { recursive: true });
      await symlink(path.join(all, name), path.join(this.#builtins, name), 'junction');
    }
  }

  /** In a scratch home, nothing of the caller's environment reaches VS Code but the PATH and what was asked for. */
  #environment(): NodeJS.ProcessEnv {
    if (this.#options.environment === 'caller') {
      // Without what the npm, or the VS Code's terminal, that the command was typed into says of itself.
      const foreign = /^(npm_|NODE$|VSCODE_|ELECTRON_|TREELINE_)/;
      const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
      return Object.fromEntries(own);
    }
    const dirs = [...(this.#options.path ?? []), path.dirname(process.execPath), process.env['PATH'] ?? ''];
    return {
      PATH: dirs.join(path.delimiter),
      HOME: this.home,
      XDG_CONFIG_HOME: path.join(this.home, '.config'),
      XDG_DATA_HOME: path.join(this.home, '.local/share'),
      XDG_CACHE_HOME: path.join(this.home, '.cache'),
      XDG_STATE_HOME: path.join(this.home, '.local/state'),
      XDG_RUNTIME_DIR: path.join(this.home, '.run'),
      LANG: 'C.UTF-8',
      SHELL: '/bin/sh',
      GIT_CONFIG_NOSYSTEM: '1',
      [MARK]: this.#mark,
    };
  }

  #spawn(args: string[]): ChildProcess {
    const folders = ['--user-data-dir', this.userData, '--extensions-dir', path.join(this.dir, 'extensions')];
    const config = ['--config', path.join(this.dir, 'config.yaml')];
    // Detached: a process group of its own, so that a signal reaches all of the server.
    return spawn(process.execPath, [codeServer, ...folders, ...config, ...args], {
      cwd: this.dir,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async #run(args: string[]): Promise<void> {
    const child = this.#spawn(args);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += String(chunk)));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`code-server ${args.join(' ')} ended with ${String(code)}:\n${output}`);
  }

  readonly #killNow = (): void => {
    if (this.#process?.pid !== undefined) kill(-this.#process.pid, 'SIGKILL');
  };
}

/** Signals a process, or a group with a negative id; one that is gone already is what we want. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

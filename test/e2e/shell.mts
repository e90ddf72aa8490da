/** Treeline in a terminal: its command is installed, and run by a shell with the user's environment. */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { installShim, shimFile } from '../../src/hosts/shim.ts';
import type { VscodeServer } from '../support/vscode-server.mts';
import type { Workbench } from '../support/workbench.mts';
import { globalStorage, until } from './support.mts';

const run = promisify(execFile);

/** A session as `treeline list --json` tells of it. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly worktree: string;
  readonly turns: readonly { readonly begunAt?: number; readonly outcome?: string }[];
}

/** A shell in a folder, whose profile has the line that puts `treeline` on the PATH. */
export class Shell {
  readonly #server: VscodeServer;
  readonly #folder: string;
  readonly #profile: string;

  private constructor(server: VscodeServer, folder: string, profile: string) {
    this.#server = server;
    this.#folder = folder;
    this.#profile = profile;
  }

  /** Runs *Treeline: Install Shell Command*, and does what it says. */
  static async install(workbench: Workbench, server: VscodeServer, folder: string): Promise<Shell> {
    await workbench.command('Treeline: Install Shell Command');
    await workbench
      .dialog('Install the command treeline')
      .getByRole('button', { name: 'Install', exact: true })
      .click();
    const profile = await workbench.copied(() =>
      workbench.notificationAction('Its folder is not on your PATH', 'Copy Line'),
    );
    return new Shell(server, folder, profile);
  }

  /** The same command, put where the palette puts it, where neither it nor the palette is what a test is about. */
  static async of(server: VscodeServer, folder: string): Promise<Shell> {
    const storage = globalStorage(server);
    // A window makes the programs, and writes down its settings, some time after it has opened.
    const needed = [`${storage}/programs/*/treeline.cjs`, `${storage}/repos/*/settings.json`];
    await until(() => needed.every((file) => globSync(file).length > 0), 'there is a command line', { seconds: 60 });
    const { file } = await installShim(storage, { file: shimFile(process.platform, server.home) });
    return new Shell(server, folder, `export PATH="${path.dirname(file)}:$PATH"`);
  }

  /** What a script prints; rejects with what it says to stderr where it exits with another code than 0. */
  async run(script: string, stdin = ''): Promise<string> {
    const options = { cwd: this.#folder, env: this.#server.env, timeout: 60_000 };
    const running = run('/bin/sh', ['-c', `${this.#profile}\n${script}`], options);
    // Who ends without having read it says itself why.
    running.child.stdin!.on('error', () => undefined).end(stdin);
    const { stdout } = await running;
    return stdout;
  }

  /** Spawns a scripted agent; resolves when it works, or is queued. */
  async spawn(...program: readonly string[]): Promise<void> {
    await this.run('treeline spawn - --agent scripted', program.join('\n'));
  }

  async list(): Promise<Listed[]> {
    return JSON.parse(await this.run('treeline list --json')) as Listed[];
  }
}

/** Treeline in a terminal: its command is installed from the palette, and run by a shell with the user's environment. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { VscodeServer } from '../support/vscode-server.mts';
import type { Workbench } from '../support/workbench.mts';

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

  /** What a script prints; rejects with what it says to stderr where it exits with another code than 0. */
  async run(script: string): Promise<string> {
    const options = { cwd: this.#folder, env: this.#server.env, timeout: 60_000 };
    const { stdout } = await run('/bin/sh', ['-c', `${this.#profile}\n${script}`], options);
    return stdout;
  }

  async list(): Promise<Listed[]> {
    return JSON.parse(await this.run('treeline list --json')) as Listed[];
  }
}

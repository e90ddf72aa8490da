/** What the extension-host tests share: the activated extension, an agent of our own, and waiting for the editor. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ApiSession, ApiStatus, TreelineApi } from '../../src/api.ts';
import type { TestedParts } from '../../src/extension.ts';

export type Activated = TreelineApi & TestedParts;

/** The workspace's folder: a repository. */
export function workspaceFolder(): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (folder === undefined) throw new Error('No folder is open.');
  return folder;
}

/**
 * An agent that does what its prompt says: the prompt's first line is a JSON list of steps. `wait` holds it until a message
 * `go` comes on its stdin; `chatter` prints a line every so many ms for ever.
 */
const AGENT = `
import { mkdirSync, writeFileSync, rmSync, renameSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first = await lines.next();
for (const [step, ...args] of JSON.parse(first.value)) {
  if (step === 'say') console.log(args[0]);
  if (step === 'write') { mkdirSync(path.dirname(args[0]), { recursive: true }); writeFileSync(args[0], args[1]); }
  if (step === 'binary') writeFileSync(args[0], Buffer.from([0, 1, 2, 255, 0]));
  if (step === 'delete') rmSync(args[0]);
  if (step === 'move') renameSync(args[0], args[1]);
  if (step === 'git') execFileSync('git', args, { stdio: 'ignore' });
  if (step === 'wait') for (;;) { const { value, done } = await lines.next(); if (done || value === 'go') break; console.log('heard ' + value); }
  if (step === 'chatter') for (;;) { console.log('and on'); await new Promise((go) => setTimeout(go, args[0])); }
  if (step === 'exit') process.exit(args[0]);
}
process.exit(0);
`;

export type AgentStep =
  | readonly ['say', string]
  | readonly ['write', string, string]
  | readonly ['binary' | 'delete', string]
  | readonly ['move', string, string]
  | readonly ['git', ...string[]]
  | readonly ['wait']
  | readonly ['exit' | 'chatter', number];

export function steps(...list: readonly AgentStep[]): string {
  return JSON.stringify(list);
}

let ready: Promise<Activated> | undefined;

/** The activated extension, with the agent `script` in its settings. */
export function activated(): Promise<Activated> {
  ready ??= (async () => {
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'treeline-agent-')), 'agent.mjs');
    writeFileSync(file, AGENT);
    const command = [process.execPath, file];
    await vscode.workspace
      .getConfiguration('treeline')
      .update(
        'customAgents',
        [{ id: 'script', name: 'Script', command, resume: command, stdin: 'lines' }],
        vscode.ConfigurationTarget.Global,
      );
    const extension = vscode.extensions.getExtension<Activated>('treeline.treeline');
    if (extension === undefined) throw new Error('The extension is not there.');
    return extension.activate();
  })();
  return ready;
}

/** Waits, by the API's own events, until the session has this status. */
export async function reaches(api: TreelineApi, id: string, status: ApiStatus): Promise<ApiSession> {
  return becomes(api, id, (session) => session.status === status, `${id} is ${status}`);
}

/** Waits, by the API's own events, until the session is as `as` wants it. */
export async function becomes(
  api: TreelineApi,
  id: string,
  as: (session: ApiSession) => boolean,
  what: string,
): Promise<ApiSession> {
  return untilEvent(
    (look) => api.onDidChange(look),
    async () => {
      const session = await api.session(id);
      return session !== undefined && as(session) ? session : undefined;
    },
    what,
  );
}

/** Spawns the script agent and waits until its turn is over and judged. */
export async function finished(api: TreelineApi, name: string, ...list: readonly AgentStep[]): Promise<ApiSession> {
  const { id } = await api.spawn({ agent: 'script', prompt: steps(...list), name });
  return becomes(api, id, ({ turns }) => turns.at(-1)?.outcome !== undefined, `the turn of ${name} is judged`);
}

/** Waits for a condition that is looked at now and after each event. Fails after 15 s, naming `what`. */
export function untilEvent<T>(
  listen: (look: () => void) => { dispose(): unknown },
  condition: () => T | undefined | Promise<T | undefined>,
  what: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      void Promise.resolve(condition()).then(
        (found) => {
          if (found === undefined) return;
          end();
          resolve(found);
        },
        (error: unknown) => {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`Not within 15 s: ${what}`));
    }, 15_000);
    const subscription = listen(look);
    const end = (): void => {
      clearTimeout(timer);
      subscription.dispose();
    };
    look();
  });
}

export function gitIn(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trimEnd();
}

/** Closes all editors. */
export async function closeEditors(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

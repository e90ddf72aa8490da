import { isGitLocal } from './git-variables.ts';

/**
 * Variables of VS Code, code-server and Electron themselves, by the start of their names. A program that inherits them
 * behaves as a part of the host: ELECTRON_RUN_AS_NODE turns an Electron program into plain node, VSCODE_IPC_HOOK_CLI
 * and VSCODE_GIT_* lead back into the window that is perhaps long closed.
 */
const HOST_PREFIXES = ['VSCODE_', 'ELECTRON_', 'CODE_SERVER_'];

/** Set by the host, with names that are not its own: Electron's on Linux, code-server's node, the telemetry switch of VS Code. */
const HOST_NAMES = new Set([
  'CHROME_DESKTOP',
  'ORIGINAL_XDG_CURRENT_DESKTOP',
  'NODE_EXEC_PATH',
  'APPLICATION_INSIGHTS_NO_STATSBEAT',
  'APPLICATION_INSIGHTS_NO_DIAGNOSTIC_CHANNEL',
]);

/**
 * Variables that a user may well have set, but that the host points at itself too (seen in VS Code 1.139: BROWSER is a
 * script of the server, the askpass programs are scripts of the git extension): each is dropped only where its value
 * names the host's own.
 */
const HOST_VALUES: Readonly<Record<string, RegExp>> = {
  BROWSER: /[\\/]bin[\\/]helpers[\\/]browser\.(sh|cmd)$/,
  GIT_ASKPASS: /[\\/]git[\\/]dist[\\/]askpass(-empty)?\.sh$/,
  SSH_ASKPASS: /[\\/]git[\\/]dist[\\/]ssh-askpass(-empty)?\.sh$/,
  GIT_EDITOR: /[\\/]git[\\/]dist[\\/]git-editor(-empty)?\.sh$/,
  // The debugger's loader (js-debug), without which its options mean nothing.
  NODE_OPTIONS: /js-debug|bootloader\.js/,
  // What an integrated terminal says of itself, and the shell integration's start-up folder.
  TERM_PROGRAM: /^vscode$/,
  ZDOTDIR: /vscode-zsh/,
};

/** Where the snap package of VS Code keeps the user's value of a variable that it changed; empty when there was none. */
const SNAP_ORIGINAL = '_VSCODE_SNAP_ORIG';

/**
 * The environment for an agent: the user's own, without what the host added for itself, and without what would point the
 * agent's git at another repository: an editor that was started by a git hook or an alias has such variables. Undoes what
 * the host keeps aside: VS Code moves the user's NODE_OPTIONS to VSCODE_NODE_OPTIONS while it runs, and
 * its snap package does the like for some of its libraries' variables.
 */
export function agentEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isForeign(entry[0].toUpperCase(), entry[1]),
  );
  const result = new Map(kept);
  const nodeOptions = env['VSCODE_NODE_OPTIONS'];
  if (nodeOptions && !result.has('NODE_OPTIONS')) result.set('NODE_OPTIONS', nodeOptions);
  if (env['TERM_PROGRAM'] === 'vscode') result.delete('TERM_PROGRAM_VERSION');
  for (const [name, original] of kept.filter(([name]) => name.endsWith(SNAP_ORIGINAL))) {
    const changed = name.slice(0, -SNAP_ORIGINAL.length);
    result.delete(name);
    if (original === '') result.delete(changed);
    else result.set(changed, original);
  }
  return Object.fromEntries(result);
}

/** @param name in capitals: Windows does not tell names apart by case. */
function isForeign(name: string, value: string): boolean {
  return (
    isGitLocal(name) ||
    HOST_NAMES.has(name) ||
    HOST_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
    (Object.hasOwn(HOST_VALUES, name) && HOST_VALUES[name]?.test(value) === true)
  );
}

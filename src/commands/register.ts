import * as vscode from 'vscode';
import { isRecord } from '../platform/check.ts';
import { setSessionsLayout, setShowsArchived } from '../views/editor-settings.ts';
import type { SessionsNode } from '../views/sessions-nodes.ts';
import { archive, purge, removeWorktree, unarchive } from './archive-commands.ts';
import type { CommandContext } from './context.ts';
import { checkHealth, healthReports } from './health-command.ts';
import { rename, resume, send, stop } from './lifecycle-commands.ts';
import * as open from './open-commands.ts';
import { installShellCommand } from './shell-command.ts';
import { spawn } from './spawn.ts';
import { COMMAND_NAMES, commandId } from './table.ts';
import type { CommandHandlers } from './table.ts';

/** One handler for each command of the table. Those about a session take its id or a tree item first. */
const HANDLERS: CommandHandlers<CommandContext> = {
  spawn,
  send,
  stop,
  resume,
  rename,
  archive,
  unarchive,
  purge,
  removeWorktree,
  checkHealth,
  installShellCommand,
  openTimeline: open.openTimeline,
  followSelection: ({ panels }) => panels.openFollowing(),
  openLog: open.openLog,
  openDiff: open.diff,
  openFileDiff: (context, node) => withNode('file', node, (file) => open.fileDiff(context, file)),
  openWorktreeFile: (context, node) => withNode('file', node, (file) => open.openWorktreeFile(context, file)),
  openWorktree: open.openWorktree,
  addWorktreeToWorkspace: open.addWorktreeToWorkspace,
  openTerminal: open.openTerminal,
  copyBranch: open.copyBranch,
  copyWorktreePath: open.copyWorktreePath,
  copyAgentSession: open.copyAgentSession,
  submitPrompt,
  showLog: ({ log }) => log.show(),
  refresh: ({ sessionsTree, worktreesTree }) => {
    sessionsTree.refresh();
    worktreesTree.refresh();
  },
  showMoreSessions: ({ sessionsTree }, node) => withNode('more', node, (more) => sessionsTree.showMore(more)),
  showGrouped: () => setSessionsLayout('grouped'),
  showFlat: () => setSessionsLayout('flat'),
  showArchived: () => setShowsArchived(true),
  hideArchived: () => setShowsArchived(false),
  logEarlier: (context, uri) => pageLog(context, uri, 'earlier'),
  logLater: (context, uri) => pageLog(context, uri, 'later'),
  logEnd: (context, uri) => pageLog(context, uri, 'end'),
};

/** Registers all commands. A failure is told to the user; the command's result is undefined then. */
export function registerCommands(context: CommandContext): vscode.Disposable {
  return vscode.Disposable.from(
    healthReports,
    ...COMMAND_NAMES.map((name) => {
      // One signature for all: every handler takes whatever it is given.
      const run = HANDLERS[name] as (context: CommandContext, ...args: readonly unknown[]) => unknown;
      return vscode.commands.registerCommand(commandId(name), async (...args: unknown[]) => {
        try {
          return await run(context, ...args);
        } catch (error) {
          context.errors.report(error);
          return undefined;
        }
      });
    }),
  );
}

async function withNode<Kind extends SessionsNode['kind']>(
  kind: Kind,
  node: unknown,
  run: (node: Extract<SessionsNode, { readonly kind: Kind }>) => Promise<void>,
): Promise<void> {
  if (isRecord(node) && node['kind'] === kind) {
    await run(node as unknown as Extract<SessionsNode, { readonly kind: Kind }>);
  }
}

/** The document of an action in an editor's title, or the active one. */
function documentOf(argument: unknown): vscode.Uri | undefined {
  return argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
}

async function submitPrompt({ prompts }: CommandContext, argument: unknown): Promise<void> {
  const uri = documentOf(argument);
  const use = uri && prompts.use(uri);
  if (uri !== undefined && use !== undefined) {
    await prompts.submit(await vscode.workspace.openTextDocument(uri), use);
  }
}

async function pageLog({ logs }: CommandContext, argument: unknown, to: 'earlier' | 'later' | 'end'): Promise<void> {
  const uri = documentOf(argument);
  if (uri !== undefined) {
    await logs.page(uri, to);
  }
}

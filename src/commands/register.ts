import * as vscode from 'vscode';
import { isRecord } from '../platform/check.ts';
import { setSessionsLayout, setShowsArchived } from '../views/editor-settings.ts';
import type { SessionsNode } from '../views/sessions-nodes.ts';
import { archive, purge, removeWorktree, unarchive } from './archive-commands.ts';
import type { CommandContext } from './context.ts';
import { checkHealth, healthReports } from './health-command.ts';
import { rename, resume, send, stop } from './lifecycle-commands.ts';
import * as open from './open-commands.ts';
import { spawn } from './spawn.ts';

type Run = (context: CommandContext, ...args: readonly unknown[]) => unknown;

/** Every command by its id. Each takes a session id or a tree item first where it is about a session. */
const COMMANDS: Readonly<Record<string, Run>> = {
  'treeline.spawn': spawn,
  'treeline.send': send,
  'treeline.stop': stop,
  'treeline.resume': resume,
  'treeline.rename': rename,
  'treeline.archive': archive,
  'treeline.unarchive': unarchive,
  'treeline.purge': purge,
  'treeline.removeWorktree': removeWorktree,
  'treeline.checkHealth': checkHealth,
  'treeline.openTimeline': open.openTimeline,
  'treeline.followSelection': ({ panels }) => panels.openFollowing(),
  'treeline.openLog': open.openLog,
  'treeline.openDiff': open.diff,
  'treeline.openFileDiff': (context, node) => withNode('file', node, (file) => open.fileDiff(context, file)),
  'treeline.openWorktreeFile': (context, node) =>
    withNode('file', node, (file) => open.openWorktreeFile(context, file)),
  'treeline.openWorktree': open.openWorktree,
  'treeline.addWorktreeToWorkspace': open.addWorktreeToWorkspace,
  'treeline.openTerminal': open.openTerminal,
  'treeline.copyBranch': open.copyBranch,
  'treeline.copyWorktreePath': open.copyWorktreePath,
  'treeline.copyAgentSession': open.copyAgentSession,
  'treeline.submitPrompt': submitPrompt,
  'treeline.showLog': ({ log }) => log.show(),
  'treeline.refresh': ({ sessionsTree, worktreesTree }) => {
    sessionsTree.refresh();
    worktreesTree.refresh();
  },
  'treeline.showMoreSessions': ({ sessionsTree }, node) =>
    withNode('more', node, (more) => sessionsTree.showMore(more)),
  'treeline.showGrouped': () => setSessionsLayout('grouped'),
  'treeline.showFlat': () => setSessionsLayout('flat'),
  'treeline.showArchived': () => setShowsArchived(true),
  'treeline.hideArchived': () => setShowsArchived(false),
  'treeline.logEarlier': (context, uri) => pageLog(context, uri, 'earlier'),
  'treeline.logLater': (context, uri) => pageLog(context, uri, 'later'),
  'treeline.logEnd': (context, uri) => pageLog(context, uri, 'end'),
};

/** Registers all commands. A failure is told to the user; the command's result is undefined then. */
export function registerCommands(context: CommandContext): vscode.Disposable {
  return vscode.Disposable.from(
    healthReports,
    ...Object.entries(COMMANDS).map(([id, run]) =>
      vscode.commands.registerCommand(id, async (...args: unknown[]) => {
        try {
          return await run(context, ...args);
        } catch (error) {
          context.errors.report(error);
          return undefined;
        }
      }),
    ),
  );
}

function withNode<Kind extends SessionsNode['kind']>(
  kind: Kind,
  node: unknown,
  run: (node: Extract<SessionsNode, { readonly kind: Kind }>) => Promise<void>,
): Promise<void> | undefined {
  return isRecord(node) && node['kind'] === kind
    ? run(node as unknown as Extract<SessionsNode, { readonly kind: Kind }>)
    : undefined;
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

import { stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { STREAM_NAMES } from '../documents/log-uri.ts';
import { openDiff, openFileDiff } from '../documents/diff.ts';
import { RUN_FILES } from '../keeper/protocol.ts';
import type { StreamKey } from '../keeper/protocol.ts';
import { isRecord } from '../platform/check.ts';
import { TreelineError } from '../platform/errors.ts';
import { byteSize } from '../views/age.ts';
import { oneLine } from '../views/plain.ts';
import { findSession } from '../views/services.ts';
import type { Found } from '../views/services.ts';
import type { FileNode } from '../views/sessions-nodes.ts';
import type { WorktreeNode } from '../views/worktrees-tree.ts';
import { readOpenLog } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { choose } from './quick-input.ts';
import { optionsOf, sessionId, theSession } from './session-arg.ts';
import { commandId } from './table.ts';

const anySession = (): boolean => true;
const withWorktree = ({ session }: Found): boolean => session.worktreeReadyAt !== undefined;

export async function openTimeline(context: CommandContext, argument: unknown, options: unknown): Promise<void> {
  const found = await theSession(context, argument, vscode.l10n.t('Open Timeline'), anySession);
  if (found !== undefined) {
    const fromTree = isRecord(options) && options['from'] === 'tree';
    context.panels.open(found.session.id, { fromTree, preserveFocus: fromTree });
  }
}

const STREAMS = Object.entries(STREAM_NAMES) as readonly [StreamKey, string][];

/** Opens a log of a session; which one is asked where it is not given and there are several. */
export async function openLog(context: CommandContext, argument: unknown, options: unknown): Promise<void> {
  const found = await theSession(
    context,
    argument,
    vscode.l10n.t('Open Log'),
    ({ session }) => session.turns.length > 0,
  );
  if (found === undefined) {
    return;
  }
  const { session } = found;
  const given = readOpenLog(optionsOf(options, 'stream'), commandId('openLog'));
  if (given.turn !== undefined && given.turn > session.turns.length) {
    throw new TreelineError(
      'no-turn',
      vscode.l10n.t('The session “{0}” has no turn {1}.', oneLine(session.name), given.turn),
    );
  }
  const wanted = given.stream ?? (given.turn === undefined && given.byte === undefined ? undefined : 'stdout');
  if (wanted !== undefined) {
    const stream = STREAMS.find(([, name]) => name === wanted)?.[0] ?? 'o';
    const turn = given.turn ?? session.turns.length;
    await context.logs.openStream({ kind: 'stream', session: session.id, turn, stream }, given.byte);
    return;
  }
  const chosen = await choose(
    { title: vscode.l10n.t('Open Log of {0}', oneLine(session.name)) },
    vscode.l10n.t('Select a log'),
    logsOf(found),
  );
  if (chosen !== undefined) {
    const { turn, stream } = chosen;
    await context.logs.openStream({ kind: 'stream', session: session.id, turn, stream });
  }
}

/** The logs that hold something, newest turn first. */
async function logsOf({ session, repository }: Found) {
  const turns = session.turns.map(({ number }) => number).reverse();
  const all = await Promise.all(
    turns.flatMap((turn) =>
      STREAMS.map(async ([stream, name]) => {
        const size = await sizeOf(path.join(repository.turnFolder(session.id, turn), RUN_FILES[stream]));
        return {
          label: name,
          description: `${vscode.l10n.t('turn {0}', turn)} · ${byteSize(size, vscode.env.language)}`,
          iconPath: new vscode.ThemeIcon('output'),
          turn,
          stream,
          size,
        };
      }),
    ),
  );
  // The newest turn's output is offered even while it is empty: it will be followed.
  return all.filter(({ size, stream, turn }) => size > 0 || (stream === 'o' && turn === turns[0]));
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    // Not there yet.
    return 0;
  }
}

export async function diff(context: CommandContext, argument: unknown): Promise<void> {
  const found = await theSession(context, argument, vscode.l10n.t('Open Diff'), withWorktree);
  if (found !== undefined) {
    await openDiff(found);
  }
}

export async function fileDiff(context: CommandContext, node: FileNode): Promise<void> {
  const found = findSession(context.treeline, node.session);
  if (found !== undefined) {
    await openFileDiff(found, node.change);
  }
}

/** Opens the file of a changed file's item as it is in the worktree. */
export async function openWorktreeFile(context: CommandContext, node: FileNode): Promise<void> {
  const found = findSession(context.treeline, node.session);
  if (found !== undefined) {
    await vscode.commands.executeCommand(
      'vscode.open',
      vscode.Uri.file(path.join(found.session.worktree, node.change.path)),
    );
  }
}

/** A worktree, whether it was named by a session or by an item of the worktrees view. */
interface Place {
  readonly folder: string;
  readonly name: string;
  readonly branch: string | undefined;
}

async function thePlace(context: CommandContext, argument: unknown, title: string): Promise<Place | undefined> {
  if (isWorktreeNode(argument)) {
    const { path: folder, branch } = argument.worktree;
    return { folder, name: path.basename(folder), branch };
  }
  const found = await theSession(context, argument, title, withWorktree);
  return found && { folder: found.session.worktree, name: found.session.name, branch: found.session.branch };
}

/** A worktree's place, whose folder is there. */
async function thePresentPlace(context: CommandContext, argument: unknown, title: string): Promise<Place | undefined> {
  const place = await thePlace(context, argument, title);
  if (place !== undefined) {
    const there = await stat(place.folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!there) {
      throw new TreelineError(
        'worktree-gone',
        vscode.l10n.t('The worktree {0} no longer exists. Resume the session to recreate it.', place.folder),
      );
    }
  }
  return place;
}

export async function openWorktree(context: CommandContext, argument: unknown): Promise<void> {
  const place = await thePresentPlace(context, argument, vscode.l10n.t('Open Worktree in New Window'));
  if (place !== undefined) {
    await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(place.folder), { forceNewWindow: true });
  }
}

export async function addWorktreeToWorkspace(context: CommandContext, argument: unknown): Promise<void> {
  const place = await thePresentPlace(context, argument, vscode.l10n.t('Add Worktree to Workspace'));
  if (place !== undefined) {
    const end = vscode.workspace.workspaceFolders?.length ?? 0;
    vscode.workspace.updateWorkspaceFolders(end, 0, { uri: vscode.Uri.file(place.folder), name: oneLine(place.name) });
  }
}

export async function openTerminal(context: CommandContext, argument: unknown): Promise<void> {
  const place = await thePresentPlace(context, argument, vscode.l10n.t('Open Terminal in Worktree'));
  if (place !== undefined) {
    vscode.window.createTerminal({ name: oneLine(place.name), cwd: place.folder }).show();
  }
}

export async function copyBranch(context: CommandContext, argument: unknown): Promise<void> {
  const place = await thePlace(context, argument, vscode.l10n.t('Copy Branch Name'));
  if (place?.branch !== undefined) {
    await copy(place.branch);
  }
}

export async function copyWorktreePath(context: CommandContext, argument: unknown): Promise<void> {
  const place = await thePlace(context, argument, vscode.l10n.t('Copy Worktree Path'));
  if (place !== undefined) {
    await copy(place.folder);
  }
}

export async function copyAgentSession(context: CommandContext, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Copy Agent Session ID');
  const found = await theSession(context, argument, title, ({ session }) => session.agentSession !== undefined);
  if (found?.session.agentSession !== undefined) {
    await copy(found.session.agentSession);
  } else if (found !== undefined) {
    throw new TreelineError(
      'no-agent-session',
      vscode.l10n.t('The agent of “{0}” has not reported a session ID yet.', oneLine(found.session.name)),
    );
  }
}

async function copy(text: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', oneLine(text)), 3000);
}

export function isWorktreeNode(value: unknown): value is WorktreeNode {
  return isRecord(value) && value['kind'] === 'worktree' && sessionId(value) === undefined;
}

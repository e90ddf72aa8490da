import * as vscode from 'vscode';
import type { FileNode, MoreNode } from './sessions-nodes.ts';

/** The commands that views run, and what views hand to them. The compiler holds the table of commands to it (commands/table.ts). */
export interface ViewCommands {
  readonly openTimeline: [session: string, options: { readonly from: 'tree' }];
  readonly openFileDiff: [file: FileNode];
  readonly showMoreSessions: [more: MoreNode];
  readonly showArchived: [];
}

type Name = keyof ViewCommands;

/** What a click on an item does. */
export function onClick<N extends Name>(title: string, name: N, ...args: ViewCommands[N]): vscode.Command {
  return { title, command: `treeline.${name}`, arguments: args };
}

/** Runs a command as the editor would. */
export async function run<N extends Name>(name: N, ...args: ViewCommands[N]): Promise<void> {
  await vscode.commands.executeCommand(`treeline.${name}`, ...args);
}

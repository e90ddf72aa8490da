import * as vscode from 'vscode';
import { commandId } from './table.ts';
import type { CommandArguments, CommandName, CommandResult } from './table.ts';

/** Runs a command as the editor would. Undefined also after a failure, which the user has been told of. */
export async function call<Name extends CommandName>(
  name: Name,
  ...args: CommandArguments<Name>
): Promise<CommandResult<Name> | undefined> {
  return vscode.commands.executeCommand<CommandResult<Name> | undefined>(commandId(name), ...args);
}

/** What a click on an item or a code lens does. */
export function onClick<Name extends CommandName>(
  title: string,
  name: Name,
  ...args: CommandArguments<Name>
): vscode.Command {
  return { title, command: commandId(name), arguments: args };
}

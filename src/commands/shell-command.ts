import * as vscode from 'vscode';
import { installShim, shimFile } from '../hosts/shim.ts';
import { linkless } from '../views/plain.ts';
import type { CommandContext } from './context.ts';

/** Writes the command `treeline` for terminals, after the user has agreed, and tells how to reach it. */
export async function installShellCommand({ treeline }: CommandContext): Promise<void> {
  const install = vscode.l10n.t('Install');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Install the command treeline for terminals?'),
    { modal: true, detail: vscode.l10n.t('Treeline will write {0}.', shimFile()) },
    install,
  );
  if (chosen !== install) return;
  // What it runs.
  await treeline.copyPrograms();
  const { file, line } = await installShim(treeline.globalStorage);
  if (line === undefined) {
    await vscode.window.showInformationMessage(
      linkless(vscode.l10n.t('Installed {0}. Run “treeline help” in a terminal.', file)),
    );
    return;
  }
  const copy = vscode.l10n.t('Copy Line');
  const wanted = await vscode.window.showInformationMessage(
    linkless(
      vscode.l10n.t(
        'Installed {0}. Its folder is not on your PATH; add this line to your shell profile: {1}',
        file,
        line,
      ),
    ),
    copy,
  );
  if (wanted === copy) await vscode.env.clipboard.writeText(line);
}

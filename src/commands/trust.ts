import * as vscode from 'vscode';
import { TreelineError } from '../platform/errors.ts';

/**
 * Throws TreelineError where the workspace is not trusted: an agent and git's hooks run what the repository says. The
 * manifest keeps Treeline off there; this is the second lock.
 */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted) {
    throw new TreelineError('untrusted', vscode.l10n.t('Trust this workspace to start agents.'));
  }
}

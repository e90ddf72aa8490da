import path from 'node:path';
import * as vscode from 'vscode';
import type { ChangeKind } from '../git/types.ts';
import { oneLine } from './plain.ts';
import type { FileNode } from './sessions-nodes.ts';
import { onClick } from './view-commands.ts';

/** The item of a changed file: its own icon, the folder behind its name, and what happened to it. */
export function fileItem(node: FileNode, worktree: string): vscode.TreeItem {
  const { change } = node;
  const kind = kindLabel(change.kind);
  const folder = path.posix.dirname(change.path);
  const item = new vscode.TreeItem(oneLine(path.posix.basename(change.path)));
  item.id = node.id;
  item.resourceUri = vscode.Uri.file(path.join(worktree, change.path));
  item.iconPath = change.kind === 'submodule' ? new vscode.ThemeIcon('file-submodule') : vscode.ThemeIcon.File;
  item.description = [
    ...(folder === '.' ? [] : [oneLine(folder)]),
    kind,
    ...(change.added === undefined ? [] : [`+${change.added} −${change.removed ?? 0}`]),
    ...(change.binary ? [vscode.l10n.t('binary')] : []),
    ...(change.unreadable === true ? [vscode.l10n.t('cannot be read')] : []),
  ].join(' · ');
  item.tooltip = change.from === undefined ? change.path : `${change.from} → ${change.path}`;
  item.accessibilityInformation = { label: `${kind}: ${oneLine(change.path)}` };
  item.contextValue = `file ${change.kind}`;
  item.command = onClick(vscode.l10n.t('Open Changes'), 'openFileDiff', node);
  return item;
}

function kindLabel(kind: ChangeKind): string {
  switch (kind) {
    case 'added':
      return vscode.l10n.t('added');
    case 'untracked':
      return vscode.l10n.t('untracked');
    case 'modified':
      return vscode.l10n.t('modified');
    case 'deleted':
      return vscode.l10n.t('deleted');
    case 'renamed':
      return vscode.l10n.t('renamed');
    case 'type-changed':
      return vscode.l10n.t('type changed');
    case 'conflicted':
      return vscode.l10n.t('conflicted');
    case 'submodule':
      return vscode.l10n.t('submodule');
  }
}

import * as vscode from 'vscode';
import type { Layout } from './placement.ts';

/** The settings that only the views know. */

export function sessionsLayout(): Layout {
  return vscode.workspace.getConfiguration('treeline').get('sessionsLayout') === 'flat' ? 'flat' : 'grouped';
}

export async function setSessionsLayout(layout: Layout): Promise<void> {
  await vscode.workspace
    .getConfiguration('treeline')
    .update('sessionsLayout', layout, vscode.ConfigurationTarget.Global);
}

export function showsArchived(): boolean {
  return vscode.workspace.getConfiguration('treeline').get('showArchived') === true;
}

export async function setShowsArchived(shown: boolean): Promise<void> {
  await vscode.workspace.getConfiguration('treeline').update('showArchived', shown, vscode.ConfigurationTarget.Global);
}

export type NotificationLevel = 'needsYou' | 'all' | 'off';

export function notificationLevel(): NotificationLevel {
  const value: unknown = vscode.workspace.getConfiguration('treeline').get('notifications');
  return value === 'all' || value === 'off' ? value : 'needsYou';
}

import * as vscode from 'vscode';
import { readSetting } from '../sessions/read-setting.ts';
import type { SettingName, SettingValue } from '../sessions/settings.ts';
import type { Layout } from './placement.ts';

/** The settings that only the views know. */

export function sessionsLayout(): Layout {
  return read('sessionsLayout');
}

export async function setSessionsLayout(layout: Layout): Promise<void> {
  await write('sessionsLayout', layout);
}

export function showsArchived(): boolean {
  return read('showArchived');
}

export async function setShowsArchived(shown: boolean): Promise<void> {
  await write('showArchived', shown);
}

export type NotificationLevel = SettingValue<'notifications'>;

export function notificationLevel(): NotificationLevel {
  return read('notifications');
}

function read<Name extends SettingName>(name: Name): SettingValue<Name> {
  // The editor itself marks what is wrong in these; nothing but the look of a view depends on them.
  return readSetting(name, vscode.workspace.getConfiguration('treeline').get(name), () => undefined);
}

async function write<Name extends SettingName>(name: Name, value: SettingValue<Name>): Promise<void> {
  await vscode.workspace.getConfiguration('treeline').update(name, value, vscode.ConfigurationTarget.Global);
}

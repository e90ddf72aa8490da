import * as vscode from 'vscode';
import { isRecord } from '../platform/check.ts';
import { TreelineError } from '../platform/errors.ts';
import { description } from '../views/session-words.ts';
import { iconless } from '../views/plain.ts';
import { allSessions, findSession, reader } from '../views/services.ts';
import type { Found, Services } from '../views/services.ts';
import { STATUS_LOOKS } from '../protocol/statuses.ts';
import { choose } from './quick-input.ts';

/** The session id that a command was given: the id itself, or an item of the sessions tree. */
export function sessionId(argument: unknown): string | undefined {
  if (typeof argument === 'string') {
    return argument;
  }
  return isRecord(argument) && typeof argument['session'] === 'string' ? argument['session'] : undefined;
}

/** The options that a program gives beside the session. A menu puts its selected items in their place, which are none. */
export function optionsOf(argument: unknown, shorthand: string): unknown {
  return typeof argument === 'string' ? { [shorthand]: argument } : isRecord(argument) ? argument : {};
}

/**
 * The session that a command is about: the one it was given, else one that the user chooses from those that `fits` lets
 * through. Undefined: the user cancelled. Throws TreelineError when the given id is unknown, or when none fits.
 */
export async function theSession(
  services: Services,
  argument: unknown,
  title: string,
  fits: (found: Found) => boolean,
): Promise<Found | undefined> {
  await services.loaded();
  const id = sessionId(argument);
  if (id !== undefined) {
    const found = findSession(services.treeline, id);
    if (found === undefined) {
      throw new TreelineError(
        'no-session',
        vscode.l10n.t('Session {0} is not in a repository that is open in this window.', id),
      );
    }
    return found;
  }
  const fitting = allSessions(services.treeline).filter(fits);
  if (fitting.length === 0) {
    throw new TreelineError('no-session', vscode.l10n.t('No session supports this action right now.'));
  }
  const person = reader();
  const items = fitting.map((found) => ({
    label: iconless(found.session.name),
    description: iconless(description(found.session, found.repository.activity(found.session.id), person)),
    iconPath: new vscode.ThemeIcon(STATUS_LOOKS[found.session.status].icon),
    found,
  }));
  const chosen = await choose({ title }, vscode.l10n.t('Select a session'), items);
  return chosen?.found;
}

import * as vscode from 'vscode';
import { STRINGS } from '../protocol/strings.ts';

/** The page's sentences in the user's language. */
export function pageStrings(): Readonly<Record<string, string>> {
  // Their places ({0}) are filled by the page: `t` without arguments leaves them as they are.
  return Object.fromEntries(Object.entries(STRINGS).map(([name, text]) => [name, vscode.l10n.t(text)]));
}

import * as vscode from 'vscode';
import { TEMPLATES, textOf, type Saying } from '../words/saying.ts';

/** A saying in the user's language. */
export function told(saying: Saying): string {
  // Its places are filled by what it says: `t` without arguments leaves them as they are.
  return textOf(saying, (template) => vscode.l10n.t(template));
}

/** The templates of sayings in the user's language by the English ones, as far as they differ. */
export function translatedTemplates(): Readonly<Record<string, string>> {
  const all = TEMPLATES.map((template) => [template, vscode.l10n.t(template)] as const);
  return Object.fromEntries(all.filter(([english, text]) => text !== english));
}

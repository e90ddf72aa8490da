import * as vscode from 'vscode';
import { Coalescer } from './coalescer.ts';
import { allSessions, disposable } from './services.ts';
import type { Services } from './services.ts';
import { countGroups, summary } from './words.ts';

/** The status bar item: how many sessions work and how many need the user. Hidden while there is no session. */
export class StatusBar implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  readonly #services: Services;
  readonly #disposables: { dispose(): unknown }[];

  constructor(services: Services) {
    this.#services = services;
    this.#item = vscode.window.createStatusBarItem('treeline.status', vscode.StatusBarAlignment.Left, 0);
    this.#item.name = 'Treeline';
    this.#item.command = 'treeline.sessions.focus';
    const changes = new Coalescer<string>(200, () => this.#update());
    this.#disposables = [
      this.#item,
      disposable(() => changes.dispose()),
      disposable(services.treeline.onDidChange(({ sessions }) => changes.add(['', ...sessions]))),
    ];
    this.#update();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #update(): void {
    const sessions = allSessions(this.#services.treeline).filter(({ session }) => session.archive === undefined);
    if (sessions.length === 0) {
      this.#item.hide();
      return;
    }
    const counts = countGroups(sessions.map(({ session }) => session.status));
    const text = summary(counts, vscode.l10n.t);
    const icon = counts['needs-attention'] > 0 ? 'bell-dot' : 'list-tree';
    this.#item.text = `$(${icon}) ${text}`;
    this.#item.tooltip = vscode.l10n.t('Show Treeline sessions');
    this.#item.accessibilityInformation = { label: `Treeline: ${text}` };
    this.#item.backgroundColor =
      counts['needs-attention'] > 0 ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }
}

import * as vscode from 'vscode';
import { parseSettings } from '../sessions/parse-settings.ts';
import type { Settings } from '../sessions/settings.ts';

/** The settings of Treeline as they are now. What is wrong in them is told once, until it changes. */
export class SettingsReader implements vscode.Disposable {
  readonly #tell: (problems: readonly string[]) => void;
  readonly #changes = new vscode.EventEmitter<void>();
  readonly #subscription: vscode.Disposable;
  readonly onDidChange = this.#changes.event;
  #settings: Settings;
  #told = new Set<string>();

  constructor(tell: (problems: readonly string[]) => void) {
    this.#tell = tell;
    this.#settings = this.#parse();
    this.#subscription = vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('treeline')) {
        this.#settings = this.#parse();
        this.#changes.fire();
      }
    });
  }

  readonly read = (): Settings => this.#settings;

  dispose(): void {
    this.#subscription.dispose();
    this.#changes.dispose();
  }

  #parse(): Settings {
    const { settings, problems } = parseSettings(vscode.workspace.getConfiguration().get('treeline'));
    const news = problems.filter((problem) => !this.#told.has(problem));
    if (news.length > 0) {
      this.#tell(news);
    }
    this.#told = new Set(problems);
    return settings;
  }
}

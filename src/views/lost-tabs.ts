import * as vscode from 'vscode';

/** How long (ms) a tab may wait for its panel: the editor tells of both in messages of their own. */
const GRACE = 400;

/** What is known of a panel of this host. */
export interface Panel {
  readonly visible: boolean;
  /** Not a real column until the editor has told it. */
  readonly column: vscode.ViewColumn | undefined;
}

/**
 * Finds tabs of timelines that no extension host stands behind: when one dies, its pages stay in their tabs, and the editor hands them to
 * nobody. Only the tab that a group shows is looked at: a group shows one panel, so that it is certain which is whose, and a tab
 * that nobody sees is found when it is shown.
 */
export class LostTabs implements vscode.Disposable {
  readonly #viewType: string;
  readonly #panels: ReadonlySet<Panel>;
  readonly #found: (tab: vscode.Tab) => void;
  #subscriptions: readonly vscode.Disposable[] = [];
  /** The tabs that wait for their panels. */
  readonly #waiting = new Map<vscode.Tab, NodeJS.Timeout>();
  #disposed = false;

  /**
   * To be made when the serializer of the view type is registered.
   * @param panels those of this host.
   * @param found is handed each tab that has none of them.
   */
  constructor(viewType: string, panels: ReadonlySet<Panel>, found: (tab: vscode.Tab) => void) {
    this.#viewType = viewType;
    this.#panels = panels;
    this.#found = found;
    // The editor answers when it knows of the serializer, and by then has handed over the tabs that it restored itself.
    void vscode.commands.executeCommand('setContext', 'treeline.timelines', true).then(() => this.#begin());
  }

  #begin(): void {
    if (this.#disposed) {
      return;
    }
    const { tabGroups } = vscode.window;
    this.#subscriptions = [
      tabGroups.onDidChangeTabs(() => this.#look()),
      tabGroups.onDidChangeTabGroups(() => this.#look()),
    ];
    this.#look();
  }

  dispose(): void {
    this.#disposed = true;
    vscode.Disposable.from(...this.#subscriptions).dispose();
    for (const timer of this.#waiting.values()) {
      clearTimeout(timer);
    }
    this.#waiting.clear();
  }

  /** All tabs of timelines, whoever stands behind them. */
  get tabs(): readonly vscode.Tab[] {
    return vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.filter((tab) => this.#isTimeline(tab)));
  }

  /** Whether this is a tab of a timeline. The editor puts a word of its own before the type of a webview. */
  #isTimeline({ input }: vscode.Tab): boolean {
    return (
      input instanceof vscode.TabInputWebview && input.viewType.replace(/^mainThreadWebview-/, '') === this.#viewType
    );
  }

  #isLost(tab: vscode.Tab): boolean {
    if (!tab.isActive || !this.#isTimeline(tab) || this.tabs.length <= this.#panels.size) {
      return false;
    }
    const shown: number = tab.group.viewColumn;
    return ![...this.#panels].some(({ visible, column }) => {
      const known: number = column ?? 0;
      return visible && (known === shown || known < 1);
    });
  }

  #look(): void {
    for (const { activeTab } of vscode.window.tabGroups.all) {
      // Not judged at once: the panel that was shown until now may still count as the one that is.
      if (activeTab !== undefined && !this.#waiting.has(activeTab) && this.#isTimeline(activeTab)) {
        const timer = setTimeout(() => {
          this.#waiting.delete(activeTab);
          if (this.tabs.includes(activeTab) && this.#isLost(activeTab)) {
            this.#found(activeTab);
          }
        }, GRACE);
        this.#waiting.set(activeTab, timer);
      }
    }
  }
}

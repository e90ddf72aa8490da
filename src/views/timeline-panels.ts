import * as vscode from 'vscode';
import type { PageState } from '../protocol/timeline.ts';
import { ALL_ROWS } from '../timeline/rows.ts';
import { PanelMemory } from './panel-memory.ts';
import type { Services } from './services.ts';
import { TIMELINE_VIEW, TimelinePanel, pageState } from './timeline-panel.ts';
import type { PageActions } from './timeline-panel.ts';

/** All timelines of this window: at most one for each session, and one that follows the tree's selection. */
export class TimelinePanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #services: Services;
  readonly #actions: PageActions;
  readonly #panels = new Set<TimelinePanel>();
  readonly #serializer: vscode.Disposable;
  readonly #memory: PanelMemory;
  #selected: string | undefined;

  constructor(services: Services, actions: PageActions, workspaceState: vscode.Memento) {
    this.#services = services;
    this.#actions = actions;
    this.#memory = new PanelMemory(workspaceState);
    this.#serializer = vscode.window.registerWebviewPanelSerializer(TIMELINE_VIEW, this);
  }

  dispose(): void {
    this.#serializer.dispose();
    for (const panel of [...this.#panels]) {
      panel.dispose();
    }
  }

  /** Opens a session's own timeline, or shows it when it is open. From the tree, an open following timeline is enough. */
  open(session: string, { fromTree = false, preserveFocus = false } = {}): void {
    const following = this.#following();
    const own = [...this.#panels].find((panel) => !panel.follow && panel.session === session);
    if (own !== undefined) {
      own.reveal(preserveFocus);
    } else if (following !== undefined && (fromTree || following.session === session)) {
      following.show(session);
      following.reveal(preserveFocus);
    } else {
      this.#create({ session, follow: false, filter: ALL_ROWS }, preserveFocus);
    }
  }

  /** Opens the timeline that follows the tree's selection. */
  openFollowing(): void {
    const following = this.#following();
    if (following !== undefined) {
      following.reveal(false);
      return;
    }
    const session = this.#selected;
    this.#create({ follow: true, filter: ALL_ROWS, ...(session !== undefined && { session }) }, false);
  }

  /** The tree's selection is now this session. */
  select(session: string): void {
    this.#selected = session;
    this.#following()?.show(session);
  }

  /** Whether the user has this session before the eyes. */
  shows(session: string): boolean {
    return [...this.#panels].some((panel) => panel.visible && panel.session === session);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    this.#adopt(panel, pageState(state) ?? this.#stateOf(panel.title));
    return Promise.resolve();
  }

  /** The state of a panel that came back without one; one whose title nobody knows follows the selection. */
  #stateOf(title: string): PageState {
    const open = new Set([...this.#panels].flatMap(({ session }) => session ?? []));
    const session = this.#memory.find(title, open);
    return { follow: session === undefined, filter: ALL_ROWS, ...(session !== undefined && { session }) };
  }

  #create(state: PageState, preserveFocus: boolean): void {
    const panel = vscode.window.createWebviewPanel(
      TIMELINE_VIEW,
      vscode.l10n.t('Timeline'),
      { viewColumn: vscode.ViewColumn.Active, preserveFocus },
      // No retainContextWhenHidden: a page that nobody sees costs nothing, and asks anew when it is back.
      {},
    );
    this.#adopt(panel, state);
  }

  #adopt(webview: vscode.WebviewPanel, state: PageState): void {
    const panel = new TimelinePanel(webview, state, this.#services, {
      ...this.#actions,
      titled: (title, session) => this.#memory.note(title, session),
    });
    this.#panels.add(panel);
    panel.onDidDispose(() => {
      this.#panels.delete(panel);
      panel.dispose();
    });
  }

  #following(): TimelinePanel | undefined {
    return [...this.#panels].find((panel) => panel.follow);
  }
}

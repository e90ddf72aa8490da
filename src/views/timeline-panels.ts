import * as vscode from 'vscode';
import type { PageState } from '../protocol/timeline.ts';
import { ALL_ROWS } from '../protocol/rows.ts';
import { LostTabs } from './lost-tabs.ts';
import { PanelMemory, subjectOf } from './panel-memory.ts';
import type { Subject } from './panel-memory.ts';
import type { Services } from './services.ts';
import { TIMELINE_VIEW, TimelinePanel, pageState } from './timeline-panel.ts';
import type { PageActions } from './timeline-panel.ts';

/** All timelines of this window: at most one for each session, and one that follows the tree's selection. */
export class TimelinePanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #services: Services;
  readonly #actions: PageActions;
  readonly #panels = new Set<TimelinePanel>();
  readonly #memory: PanelMemory;
  readonly #serializer: vscode.Disposable;
  readonly #lost: LostTabs;
  #selected: string | undefined;

  constructor(services: Services, actions: PageActions, workspaceState: vscode.Memento) {
    this.#services = services;
    this.#actions = actions;
    this.#memory = new PanelMemory(workspaceState);
    this.#serializer = vscode.window.registerWebviewPanelSerializer(TIMELINE_VIEW, this);
    this.#lost = new LostTabs(TIMELINE_VIEW, this.#panels, (tab) => {
      this.#replace(tab, this.#memory.find(tab.label, this.#subjects()) ?? this.#stateOfUnknown());
    });
  }

  /** The tabs stay: the host that comes after this one takes them over. */
  dispose(): void {
    this.#serializer.dispose();
    this.#lost.dispose();
    for (const panel of this.#panels) {
      panel.dispose();
    }
  }

  /** Opens a session's own timeline, or shows it when it is open. From the tree, an open following timeline is enough. */
  open(session: string, { fromTree = false, preserveFocus = false } = {}): void {
    const own = this.#panelOf(session);
    const following = this.#panelOf('selection');
    const mayFollow = fromTree && this.#leftBehind(session) === undefined;
    if (own !== undefined) {
      own.reveal(preserveFocus);
    } else if (following !== undefined && (fromTree || following.session === session)) {
      following.show(session);
      following.reveal(preserveFocus);
    } else if (mayFollow && this.#leftBehind('selection') !== undefined) {
      this.#create({ session, follow: true, filter: ALL_ROWS }, preserveFocus);
    } else {
      this.#create({ session, follow: false, filter: ALL_ROWS }, preserveFocus);
    }
  }

  /** Opens the timeline that follows the tree's selection. */
  openFollowing(): void {
    const following = this.#panelOf('selection');
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
    this.#panelOf('selection')?.show(session);
  }

  /** Whether the user has this session before the eyes. */
  shows(session: string): boolean {
    return [...this.#panels].some((panel) => panel.visible && panel.session === session);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, kept: unknown): Promise<void> {
    const subjects = this.#subjects();
    const states = [pageState(kept), this.#memory.find(panel.title, subjects), this.#stateOfUnknown()];
    const state = states.find((one) => one !== undefined && !subjects.has(subjectOf(one) ?? ''));
    if (state === undefined) {
      // What it was about is open elsewhere by now.
      panel.dispose();
    } else {
      this.#adopt(panel, state);
    }
    return Promise.resolve();
  }

  /** A panel whose title nobody knows follows the selection, if none does; else it is about nothing. */
  #stateOfUnknown(): PageState | undefined {
    return this.#panelOf('selection') === undefined ? { follow: true, filter: ALL_ROWS } : undefined;
  }

  /** Makes a panel; in place of the tab where the same was open, if a host before this one left it. */
  #create(state: PageState, preserveFocus: boolean): void {
    const before = this.#leftBehind(subjectOf(state));
    if (before === undefined) {
      this.#show(state, vscode.ViewColumn.Active, preserveFocus);
    } else {
      const { place, ...others } = before.state;
      const same = state.session === undefined || state.session === others.session;
      this.#replace(before.tab, { ...others, ...state, ...(same && place && { place }) }, preserveFocus);
    }
  }

  /** The tab of a subject that a host before this one left; undefined where there is none, or it cannot be told from another. */
  #leftBehind(subject: Subject | undefined): { readonly tab: vscode.Tab; readonly state: PageState } | undefined {
    const known = subject === undefined ? undefined : this.#memory.of(subject);
    const panels = [...this.#panels];
    const tab = this.#lost.tabs.find(
      ({ label, group }) =>
        label === known?.title && !panels.some(({ title, column }) => title === label && column === group.viewColumn),
    );
    return known === undefined || tab === undefined ? undefined : { tab, state: known.state };
  }

  /** Puts a panel where a tab is, and closes the tab. Without a state, what the tab was about is open elsewhere. */
  #replace(tab: vscode.Tab, state: PageState | undefined, preserveFocus = true): void {
    const { group, isActive } = tab;
    const place = group.tabs.indexOf(tab) + 1;
    if (state !== undefined) {
      this.#show(state, group.viewColumn, preserveFocus);
    }
    const close = async (): Promise<void> => {
      // At once: the editor draws nothing between the making of the one and the end of the other.
      await vscode.window.tabGroups.close(tab, true);
      // A new tab stands behind the one that its group showed.
      if (state !== undefined && !isActive && group.isActive) {
        await vscode.commands.executeCommand('moveActiveEditor', { to: 'position', by: 'tab', value: place });
      }
    };
    close().catch((error: unknown) => this.#actions.failed(error));
  }

  #show(state: PageState, viewColumn: vscode.ViewColumn, preserveFocus: boolean): void {
    const panel = vscode.window.createWebviewPanel(
      TIMELINE_VIEW,
      vscode.l10n.t('Timeline'),
      { viewColumn, preserveFocus },
      // No retainContextWhenHidden: a page that nobody sees costs nothing, and asks anew when it is back.
      {},
    );
    this.#adopt(panel, state);
  }

  #adopt(webview: vscode.WebviewPanel, state: PageState): void {
    const panel = new TimelinePanel(webview, state, this.#services, {
      ...this.#actions,
      changed: (title, now) => this.#memory.note(title, now),
    });
    this.#panels.add(panel);
    panel.onDidDispose(() => {
      this.#panels.delete(panel);
      panel.dispose();
    });
  }

  #panelOf(subject: Subject): TimelinePanel | undefined {
    return [...this.#panels].find((panel) => subjectOf(panel) === subject);
  }

  /** What has a panel of this host. */
  #subjects(): ReadonlySet<Subject> {
    return new Set([...this.#panels].flatMap((panel) => subjectOf(panel) ?? []));
  }
}

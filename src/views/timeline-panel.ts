import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import type { Dispose } from '../platform/emitter.ts';
import { errorText } from '../platform/errors.ts';
import { isPageMessage, isPageState } from '../protocol/check.ts';
import type { HostMessage, PageMessage, PageState, Place, TextPart } from '../protocol/timeline.ts';
import type { RowFilter, RowPage } from '../protocol/rows.ts';
import { Coalescer } from './coalescer.ts';
import { DeltaPump } from './delta-pump.ts';
import { oneLine, shorten } from './plain.ts';
import { disposable, findSession } from './services.ts';
import type { Services } from './services.ts';
import { abilities } from './session-words.ts';
import { timelineHeader } from './timeline-header.ts';
import { timelineHtml } from './timeline-html.ts';
import { openTimeline } from './timeline-use.ts';
import { pageStrings } from './page-strings.ts';

export const TIMELINE_VIEW = 'treeline.timeline';

/** ms between two deltas: a frame of the page. */
const DELTA_REST_MS = 16;
/** ms between two headers at least. */
const HEADER_MS = 250;

const NO_ROWS: RowPage = { epoch: '', rev: 0, total: 0, from: 0, rows: [] };

/** What a panel asks of the rest of the extension when the user clicks something in the page. */
export interface PageActions {
  openFile(session: string, path: string, line: number | undefined): Promise<void>;
  openLog(session: string, seq: number, part: 'row' | 'result'): Promise<void>;
  openText(session: string, seq: number, part: TextPart): Promise<void>;
  openLink(href: string): Promise<void>;
  command(session: string, command: 'stop' | 'resume' | 'send' | 'diff' | 'log'): Promise<void>;
  failed(error: unknown): void;
}

/** And what those hear who look after the panels. */
export interface PanelActions extends PageActions {
  /** The panel's title, or what is kept of its page, is now this. */
  changed(title: string, state: PageState): void;
}

/** What the page was last asked for, and what it holds since. */
interface Shown {
  readonly filter: RowFilter;
  request: number;
  /** The revision that the page holds; undefined until its first page was sent. */
  rev?: number;
}

interface PageRequest {
  readonly filter: RowFilter;
  readonly from: number;
  readonly count: number;
  readonly request: number;
}

/** One timeline: a panel of a session, or the one that follows the tree's selection. */
export class TimelinePanel implements vscode.Disposable {
  readonly #services: Services;
  readonly #actions: PanelActions;
  readonly #panel: vscode.WebviewPanel;
  readonly #disposables: vscode.Disposable[] = [];
  readonly #deltas: DeltaPump;
  readonly #headers: Coalescer<string>;
  readonly follow: boolean;
  #session: string | undefined;
  #shown: Shown | undefined;
  /** The filter that the page uses, at first the one from its state before a reload. */
  #filter: RowFilter;
  #place: Place | undefined;
  #lastHeader = '';
  #closeTimeline: Dispose | undefined;

  constructor(panel: vscode.WebviewPanel, state: PageState, services: Services, actions: PanelActions) {
    this.#services = services;
    this.#actions = actions;
    this.#panel = panel;
    this.follow = state.follow;
    this.#session = state.session;
    this.#filter = state.filter;
    this.#place = state.place;
    this.#deltas = new DeltaPump(
      () => this.#sendDelta(),
      DELTA_REST_MS,
      (error) => this.#problem(error),
    );
    this.#headers = new Coalescer(HEADER_MS, () => this.#sendHeader());
    const { webview } = panel;
    const dist = distFolder(services.extensionUri);
    webview.options = { enableScripts: true, localResourceRoots: [dist] };
    panel.iconPath = vscode.Uri.joinPath(services.extensionUri, 'media', 'icon.png');
    this.#disposables.push(
      disposable(() => this.#headers.dispose()),
      disposable(() => this.#closeTimeline?.()),
      webview.onDidReceiveMessage((message: unknown) => this.#receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) {
          // The page is gone while nobody sees it; it will say `ready` when it is back.
          this.#shown = undefined;
        }
        this.#useTimeline();
      }),
      disposable(
        services.treeline.onDidChange(({ repositories, sessions }) => {
          if (repositories || (this.#session !== undefined && sessions.has(this.#session))) {
            this.#headers.add(['']);
            this.#useTimeline();
          }
        }),
      ),
      disposable(
        services.treeline.timelines.onActivity(({ session }) => {
          if (session === this.#session && this.#shown?.rev !== undefined && panel.visible) {
            this.#deltas.request();
          }
        }),
      ),
    );
    this.#setTitle();
    this.#useTimeline();
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
    webview.html = timelineHtml({
      cspSource: webview.cspSource,
      script: address('webview.js'),
      styles: [address('codicon.css'), address('webview.css')],
      nonce: randomBytes(16).toString('base64url'),
      language: vscode.env.language,
      reconnecting: pageStrings()['header.lost'] ?? '',
    });
  }

  get session(): string | undefined {
    return this.#session;
  }

  /** Whether somebody can see this panel now. */
  get visible(): boolean {
    return this.#panel.visible;
  }

  get title(): string {
    return this.#panel.title;
  }

  get column(): vscode.ViewColumn | undefined {
    return this.#panel.viewColumn;
  }

  readonly onDidDispose = (listener: () => void): void => {
    this.#panel.onDidDispose(listener, undefined, this.#disposables);
  };

  reveal(preserveFocus: boolean): void {
    this.#panel.reveal(undefined, preserveFocus);
  }

  /** Shows another session in this panel. */
  show(session: string): void {
    if (session === this.#session) {
      return;
    }
    this.#session = session;
    this.#place = undefined;
    this.#setTitle();
    this.#useTimeline();
    this.#shown = undefined;
    this.#lastHeader = '';
    // The page keeps its filter and asks for rows when it learns that the session is another.
    if (this.#panel.visible) {
      this.#hello();
    }
  }

  /** Has the session's timeline followed while this panel can be seen, and no longer. */
  #useTimeline(): void {
    const id = this.#panel.visible ? this.#session : undefined;
    const found = id === undefined ? undefined : findSession(this.#services.treeline, id);
    const close = this.#closeTimeline;
    // Opening what is open already tells of turns that came or ended.
    this.#closeTimeline = found === undefined ? undefined : openTimeline(this.#services, found);
    close?.();
  }

  /** Lets the panel go; its tab stays as it is. */
  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  /** What is kept of the page. */
  get #state(): PageState {
    return {
      follow: this.follow,
      filter: this.#filter,
      ...(this.#session !== undefined && { session: this.#session }),
      ...(this.#place !== undefined && { place: this.#place }),
    };
  }

  #setTitle(): void {
    const found = this.#session === undefined ? undefined : findSession(this.#services.treeline, this.#session);
    const name = shorten(oneLine(found?.session.name ?? vscode.l10n.t('Timeline')), 40);
    const title = this.follow ? vscode.l10n.t('Timeline: {0}', name) : name;
    if (this.#panel.title !== title) {
      this.#panel.title = title;
    }
    // Before the session is known, what was noted of it stays.
    if (found !== undefined) {
      this.#changed();
    }
  }

  #changed(): void {
    this.#actions.changed(this.#panel.title, this.#state);
  }

  #receive(message: unknown): void {
    if (!isPageMessage(message)) {
      this.#services.log.warn('The timeline page sent a message that is none of its own; it was ignored.');
      return;
    }
    this.#answer(message).catch((error: unknown) => {
      if (message.type === 'ready' || message.type === 'rows') {
        this.#problem(error);
      } else {
        this.#actions.failed(error);
      }
    });
  }

  async #answer(message: PageMessage): Promise<void> {
    if (message.type === 'ping') {
      this.#post({ type: 'pong' });
      return;
    }
    if (message.type === 'ready') {
      this.#shown = undefined;
      // With the filter of before, for a page that does not remember it.
      this.#hello();
      await this.#sendPage({ ...message, from: -message.count });
      return;
    }
    if (message.type === 'rows') {
      await this.#sendPage(message);
      return;
    }
    if (message.type === 'openLink') {
      await this.#actions.openLink(message.href);
      return;
    }
    const session = this.#session;
    if (session === undefined) {
      return;
    }
    switch (message.type) {
      case 'place':
        if (message.session === session) {
          this.#place = message.place;
          this.#changed();
        }
        return;
      case 'openFile':
        return this.#actions.openFile(session, message.path, message.line);
      case 'openLog':
        return this.#actions.openLog(session, message.seq, message.part);
      case 'openText':
        return this.#actions.openText(session, message.seq, message.part);
      case 'command':
        return this.#actions.command(session, message.command);
    }
  }

  #hello(): void {
    const header = this.#header();
    this.#lastHeader = JSON.stringify(header);
    this.#post({
      type: 'hello',
      state: this.#state,
      header,
      strings: pageStrings(),
      locale: vscode.env.language,
    });
  }

  async #sendPage(wanted: PageRequest): Promise<void> {
    const session = this.#session;
    const { filter, from, count, request } = wanted;
    this.#filter = filter;
    const shown = this.#asked(filter, request);
    if (session === undefined || findSession(this.#services.treeline, session) === undefined) {
      // The page asks again when it is told of a session.
      this.#post({ type: 'page', request, page: NO_ROWS });
      return;
    }
    const page = await this.#stillOf(session, this.#services.treeline.timelines.page(session, filter, from, count));
    if (page === undefined) {
      return;
    }
    shown.rev ??= page.rev;
    this.#post({ type: 'page', request, page });
    // What came while the page was made was not asked for by anybody yet.
    this.#deltas.request();
  }

  /** What comes of a question about a session; undefined, also where it is refused, when the page shows another one by then. */
  async #stillOf<T>(session: string, asked: Promise<T>): Promise<T | undefined> {
    try {
      const answer = await asked;
      return this.#session === session ? answer : undefined;
    } catch (error) {
      // The refusal would be taken for one of the session that is shown now.
      if (this.#session !== session) {
        return undefined;
      }
      throw error;
    }
  }

  /** Notes what the page shows from now on. Deltas go on where they were; those of another filter wait for its first rows. */
  #asked(filter: RowFilter, request: number): Shown {
    if (this.#shown !== undefined && isDeepStrictEqual(this.#shown.filter, filter)) {
      this.#shown.request = request;
      return this.#shown;
    }
    this.#shown = { filter, request };
    return this.#shown;
  }

  async #sendDelta(): Promise<void> {
    const shown = this.#shown;
    const session = this.#session;
    if (shown?.rev === undefined || session === undefined || !this.#panel.visible) {
      return;
    }
    if (findSession(this.#services.treeline, session) === undefined) {
      return;
    }
    const delta = await this.#stillOf(
      session,
      this.#services.treeline.timelines.delta(session, shown.rev, shown.filter),
    );
    if (delta === undefined || this.#shown !== shown || (delta.rev === shown.rev && !delta.reset)) {
      return;
    }
    shown.rev = delta.rev;
    this.#post({ type: 'delta', request: shown.request, delta });
  }

  #header(): ReturnType<typeof timelineHeader> | null {
    const found = this.#session === undefined ? undefined : findSession(this.#services.treeline, this.#session);
    if (found === undefined) {
      return null;
    }
    const { session, repository } = found;
    const can = abilities(session);
    return timelineHeader(session, repository.activity(session.id), can, vscode.l10n.t);
  }

  #sendHeader(): void {
    this.#setTitle();
    if (!this.#panel.visible) {
      return;
    }
    const header = this.#header();
    const text = JSON.stringify(header);
    if (text !== this.#lastHeader) {
      this.#lastHeader = text;
      this.#post({ type: 'header', header });
    }
  }

  #problem(error: unknown): void {
    this.#services.log.error(`Timeline of ${this.#session ?? 'no session'}: ${errorText(error)}`);
    this.#post({ type: 'error', message: errorText(error) });
  }

  #post(message: HostMessage): void {
    // Resolves with false when nobody hears it: a hidden page asks for everything when it is back.
    void this.#panel.webview.postMessage(message);
  }
}

/** The state of a page before a reload; undefined where there is none, or a strange one. */
export function pageState(state: unknown): PageState | undefined {
  return isPageState(state) ? state : undefined;
}

function distFolder(extension: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extension, 'dist');
}

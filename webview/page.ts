import { MOST_EXPANDED } from '../src/protocol/check.ts';
import { TEXT_PARTS } from '../src/protocol/names.ts';
import { Announcer } from './announcer.ts';
import { RowActions } from './actions.ts';
import { h } from './dom.ts';
import { EmptyView } from './empty.ts';
import { Feed } from './feed.ts';
import { FilterBar } from './filter.ts';
import { HeaderView } from './header.ts';
import { highlight } from './highlight.ts';
import { post, recall, remember } from './host.ts';
import { handleKeys } from './keys.ts';
import { List } from './list.ts';
import { Liveness } from './liveness.ts';
import { canToggle, drawPlaceholder, drawRow } from './row.ts';
import { Words } from './words.ts';
import type { Opened, Start } from './feed.ts';
import type { LinkTarget } from './links.ts';
import type { Header, HostMessage, PageState, Place, Row, RowFilter } from '../src/protocol/timeline.ts';

/** The page's memory is written this long (ms) after a change. */
const MEMORY_DELAY = 250;
type Hello = Extract<HostMessage, { type: 'hello' }>;

/** The whole page: joins the rows' feed, the list that shows them, the header and the filter. */
export class Page {
  readonly #root: HTMLElement;
  /** What is remembered of an earlier life: by the editor, or else by the host. */
  #memory: PageState | undefined = recall();
  readonly #feed: Feed;
  readonly #liveness: Liveness;
  readonly #expanded = new Set<number>(this.#memory?.place?.expanded);
  #view: View | undefined;
  #follow = false;
  #header: Header | null = null;
  /** A session was in view. */
  #entered = false;
  /** Rows that came while the reader was away from the end. */
  #unseen = 0;
  #anchorY = this.#memory?.place?.anchor?.y ?? 0;
  #memoryTimer: number | undefined;
  /** The place that the host was told of last. */
  #told = '';
  #lost = false;
  /** The list of an earlier life was shown again: from now on the reader is where it stands. */
  #arrived = false;
  /** A list was opened, perhaps before the host greeted. */
  #isOpen = false;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#feed = new Feed(post, {
      changed: (appended) => {
        this.#changed(appended);
      },
      opened: (opened) => {
        this.#opened(opened);
      },
    });
    this.#liveness = new Liveness(
      () => {
        post({ type: 'ping' });
      },
      (lost) => {
        this.#setLost(lost);
      },
    );
  }

  /** Asks the host for everything. */
  start(): void {
    const { place: { anchor } = {}, filter } = this.#memory ?? {};
    this.#feed.open(filter ?? { groups: [], query: '' }, anchor === undefined ? 'end' : { seq: anchor.seq }, {
      greet: true,
    });
    for (const event of ['pagehide', 'visibilitychange']) {
      window.addEventListener(event, () => {
        this.#remember();
      });
    }
    this.#liveness.start();
  }

  receive(message: HostMessage): void {
    this.#liveness.heard();
    switch (message.type) {
      case 'hello':
        this.#hello(message);
        break;
      case 'header':
        // What comes before the greeting is older than the greeting, which says where the reader was.
        if (this.#view !== undefined) {
          this.#setHeader(message.header);
        }
        break;
      case 'page':
        this.#feed.page(message.request, message.page);
        break;
      case 'delta':
        this.#feed.delta(message.request, message.delta);
        break;
      case 'error':
        this.#feed.failed();
        this.#view?.empty.fail(message.message);
        break;
      case 'pong':
        break;
    }
  }

  /** The host does not answer any more, or does again: then it tells of what was new meanwhile. */
  #setLost(lost: boolean): void {
    this.#lost = lost;
    const view = this.#view;
    if (view === undefined) {
      // Before the host's first words there are none but those that stand in the document.
      const words = lost ? (this.#root.dataset['reconnecting'] ?? '') : '';
      this.#root.replaceChildren(h('p', { class: 'reconnecting', role: 'status' }, words));
      return;
    }
    view.header.lost = lost;
    view.announcer.connection(lost);
  }

  #hello({ state, header, strings, locale }: Hello): void {
    this.#follow = state.follow;
    if (this.#view !== undefined) {
      this.#setHeader(header);
      return;
    }
    document.documentElement.lang = locale;
    this.#view = this.#build(new Words(strings, locale));
    const known = this.#memory !== undefined;
    this.#memory ??= state;
    const { filter, place } = this.#memory;
    for (const seq of place?.expanded ?? []) {
      this.#expanded.add(seq);
    }
    this.#view.filter.show(filter);
    this.#header = header;
    if (header === null) {
      if (!known) {
        this.#feed.open(filter, 'end');
      }
    } else {
      // The first request was made in the hope that it is the session of before.
      const same = this.#enter(header.session);
      if (!same) {
        this.#feed.open(filter, 'end');
      } else if (!known && (place?.anchor !== undefined || !sameFilter(filter, this.#feed.filter))) {
        this.#feed.open(filter, this.#startAt(place?.anchor));
      }
      this.#arrived ||= this.#isOpen && !this.#feed.awaits;
    }
    this.#showHeader();
    this.#schedule();
  }

  #build(words: Words): View {
    const feed = this.#feed;
    const list = new List(
      {
        get total() {
          return feed.total;
        },
        at: (position) => feed.at(position),
        positionOf: (seq) => feed.positionOf(seq),
        want: (first, last) => {
          feed.want(first, last);
        },
        variant: ({ seq, tool }) =>
          `${this.#expanded.has(seq) ? 'open' : ''}${tool === undefined ? '' : feed.filter.query}`,
        draw: (element, row) => {
          this.#draw(element, row, words);
        },
      },
      {
        moved: () => {
          this.#moved();
        },
        rendered: () => {
          this.#rendered();
        },
      },
    );
    const view: View = {
      words,
      list,
      header: new HeaderView(words, (command) => {
        post({ type: 'command', command });
      }),
      filter: new FilterBar(words, (filter) => {
        this.#reload(filter);
      }),
      empty: new EmptyView(words),
      announcer: new Announcer(words),
      actions: new RowActions(list, words),
      jump: h('vscode-button', { class: 'jump', appearance: 'primary' }),
    };
    view.jump.addEventListener('click', () => {
      list.toEnd();
      list.focus(feed.total - 1);
    });
    list.element.addEventListener('click', (event) => {
      this.#click(event);
    });
    handleKeys(list, view.filter, (row) => {
      this.#toggle(row);
    });
    feed.follow(() => this.#startAt(list.place));
    this.#root.replaceChildren(
      view.header.element,
      view.filter.element,
      h('main', { class: 'timeline' }, list.element, view.empty.element, view.jump),
      view.announcer.element,
    );
    return view;
  }

  #setHeader(header: Header | null): void {
    const changed = header?.session !== this.#header?.session;
    this.#header = header;
    if (changed) {
      this.#unseen = 0;
      this.#view?.announcer.reset();
      this.#feed.clear();
      this.#view?.list.open({ position: 0, start: 'end' }, 0);
      if (header !== null) {
        const same = this.#enter(header.session);
        this.#feed.open(this.#feed.filter, same ? this.#startAt(this.#memory?.place?.anchor) : 'end');
      }
      this.#schedule();
    }
    this.#showHeader();
  }

  /**
   * A session comes into view. Returns whether it is the one that the page remembers from its life before: after a reload of
   * the window, the host may know it only some time after the page asked.
   */
  #enter(session: string): boolean {
    const same = !this.#entered && (this.#memory?.session ?? session) === session;
    this.#entered = true;
    if (!same) {
      this.#expanded.clear();
    }
    if (this.#memory?.session !== session) {
      // At once: a window that is reloaded now shall know what its panel is about.
      this.#remember();
    }
    return same;
  }

  #showHeader(): void {
    const view = this.#view;
    const header = this.#header;
    if (view === undefined) {
      return;
    }
    view.header.lost = this.#lost;
    view.header.show(header);
    view.filter.element.hidden = header === null;
    view.announcer.status(header?.statusLabel);
    view.list.label = view.words.say('list.label', header?.name ?? '');
    this.#showState();
  }

  /** A new filter: from the row that is being read, or from the end. */
  #reload(filter: RowFilter): void {
    this.#feed.open(filter, this.#startAt(this.#view?.list.reading));
    this.#showState();
    this.#schedule();
  }

  /** Remembers where the row shall be in the view until the list is there. */
  #startAt(place: List['place']): Start {
    this.#anchorY = place?.y ?? 0;
    return place === undefined ? 'end' : { seq: place.seq };
  }

  #opened(opened: Opened): void {
    this.#unseen = 0;
    this.#isOpen = true;
    this.#arrived ||= this.#header !== null && !this.#feed.awaits;
    this.#view?.list.open(opened, this.#anchorY);
    this.#moved();
  }

  #changed(appended: number): void {
    const view = this.#view;
    if (view === undefined) {
      return;
    }
    if (!view.list.sticks) {
      this.#unseen += appended;
    }
    view.announcer.added(appended, this.#feed.at(this.#feed.total - 1));
    view.list.invalidate();
    this.#showState();
  }

  #moved(): void {
    const view = this.#view;
    if (view === undefined) {
      return;
    }
    if (view.list.sticks) {
      this.#unseen = 0;
    }
    this.#showState();
    this.#schedule();
  }

  #rendered(): void {
    const view = this.#view;
    if (view !== undefined) {
      view.actions.update();
      highlight(view.list.element, this.#feed.filter.query);
    }
  }

  /** The count, the button to the end, and what stands where no rows are. */
  #showState(): void {
    const view = this.#view;
    if (view === undefined) {
      return;
    }
    const { total, isLoading, filter, greatestSeq } = this.#feed;
    const unfiltered = filter.groups.length === 0 && filter.query === '';
    view.filter.count(total, Math.max(greatestSeq, this.#header?.rows ?? 0));
    view.jump.hidden = view.list.sticks || total === 0;
    view.jump.textContent =
      this.#unseen === 0
        ? view.words.say('list.jump')
        : view.words.say('list.jump.new', view.words.number(this.#unseen));
    view.list.busy = isLoading;
    view.empty.show(
      this.#header === null
        ? 'noSession'
        : total > 0
          ? 'none'
          : isLoading
            ? 'loading'
            : unfiltered
              ? 'noRows'
              : 'noMatch',
    );
  }

  #draw(element: HTMLElement, row: Row | undefined, words: Words): void {
    const focused = document.activeElement;
    const inside = focused !== element && element.contains(focused);
    const toggle = inside && (focused as HTMLElement).dataset['do'] === 'toggle';
    if (row === undefined) {
      drawPlaceholder(element, words);
    } else {
      const expanded = this.#expanded.has(row.seq);
      const worktree = this.#header?.worktree ?? '';
      drawRow(element, row, { words, expanded, query: this.#feed.filter.query, worktree });
    }
    if (inside) {
      // What had the focus is drawn anew: it stays on its successor, or on the row.
      (toggle ? (element.querySelector<HTMLElement>('[data-do="toggle"]') ?? element) : element).focus({
        preventScroll: true,
      });
    }
  }

  #toggle(row: Row): void {
    if (!canToggle(row)) {
      return;
    }
    if (!this.#expanded.delete(row.seq)) {
      this.#expanded.add(row.seq);
    }
    this.#view?.list.hold(this.#feed.positionOf(row.seq) ?? -1);
    this.#schedule();
  }

  #click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const row = this.#view?.list.rowAt(target);
    if (target === null || row === undefined) {
      return;
    }
    const link = target.closest<HTMLElement>('[data-target]')?.dataset['target'];
    const button = target.closest<HTMLElement>('[data-do]')?.dataset;
    if (link !== undefined) {
      // Written by links.ts: no other attribute of this name gets through the sanitiser.
      post(JSON.parse(link) as LinkTarget);
    } else if (button?.['do'] === 'log') {
      post({ type: 'openLog', seq: row.seq, part: button['part'] === 'result' ? 'result' : 'row' });
    } else if (button?.['do'] === 'text') {
      const part = TEXT_PARTS.find((name) => name === button['part']);
      post({ type: 'openText', seq: row.seq, part: part ?? 'text' });
    } else if (button?.['do'] === 'toggle') {
      this.#toggle(row);
    } else if (target.closest('.tool') !== null && target.closest('.details') === null && isCollapsed()) {
      this.#toggle(row);
    }
  }

  #schedule(): void {
    // Not put off by further changes: an agent may print without a pause.
    this.#memoryTimer ??= window.setTimeout(() => {
      this.#memoryTimer = undefined;
      this.#remember();
    }, MEMORY_DELAY);
  }

  #remember(): void {
    const view = this.#view;
    // Until there is a session, what was remembered of it stays true.
    if (view === undefined || !this.#entered) {
      return;
    }
    const session = this.#header?.session;
    // While the rows are still to come, the reader is where they will be shown.
    const comes = this.#feed.awaits && !this.#arrived && session === this.#memory?.session;
    const anchor = comes ? this.#memory?.place?.anchor : view.list.place;
    if (anchor === undefined && !comes && !view.list.sticks) {
      // The rows where the reader went are still to come.
      this.#schedule();
      return;
    }
    const place: Place = {
      ...(anchor !== undefined && { anchor }),
      expanded: [...this.#expanded].slice(-MOST_EXPANDED),
    };
    remember({ ...(session !== undefined && { session }), follow: this.#follow, filter: this.#feed.filter, place });
    const told = JSON.stringify([session, place]);
    if (session !== undefined && told !== this.#told) {
      this.#told = told;
      post({ type: 'place', session, place });
    }
  }
}

interface View {
  readonly words: Words;
  readonly list: List;
  readonly header: HeaderView;
  readonly filter: FilterBar;
  readonly empty: EmptyView;
  readonly announcer: Announcer;
  readonly actions: RowActions;
  readonly jump: HTMLElement;
}

function sameFilter(a: RowFilter, b: RowFilter): boolean {
  return a.query === b.query && a.groups.join() === b.groups.join();
}

/** A click at the end of a selection is none. */
function isCollapsed(): boolean {
  return document.getSelection()?.isCollapsed !== false;
}

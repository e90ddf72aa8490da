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
import { canToggle, drawPlaceholder, drawRow } from './row.ts';
import { Words } from './words.ts';
import type { Opened, Start } from './feed.ts';
import type { LinkTarget } from './links.ts';
import type { Memory } from './host.ts';
import type { Header, HostMessage, Row, RowFilter } from '../src/protocol/timeline.ts';

/** The page's memory is written this long (ms) after a change. */
const MEMORY_DELAY = 250;
/** So many open rows are remembered. */
const MAX_EXPANDED = 500;

type Hello = Extract<HostMessage, { type: 'hello' }>;

/** The whole page: joins the rows' feed, the list that shows them, the header and the filter. */
export class Page {
  readonly #root: HTMLElement;
  readonly #memory: Memory | undefined = recall();
  readonly #feed: Feed;
  readonly #expanded = new Set<number>(this.#memory?.expanded);
  #view: View | undefined;
  #follow = false;
  #header: Header | null = null;
  /** A session was in view. */
  #entered = false;
  /** Rows that came while the reader was away from the end. */
  #unseen = 0;
  #anchorY = this.#memory?.anchor?.y ?? 0;
  #memoryTimer: number | undefined;

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
  }

  /** Asks the host for everything. */
  start(): void {
    const { anchor, filter } = this.#memory ?? {};
    this.#feed.open(filter ?? { groups: [], query: '' }, anchor === undefined ? 'end' : { seq: anchor.seq }, {
      greet: true,
    });
    for (const event of ['pagehide', 'visibilitychange']) {
      window.addEventListener(event, () => {
        this.#remember();
      });
    }
  }

  receive(message: HostMessage): void {
    switch (message.type) {
      case 'hello':
        this.#hello(message);
        break;
      case 'header':
        this.#setHeader(message.header);
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
    }
  }

  #hello({ state, header, strings, locale }: Hello): void {
    this.#follow = state.follow;
    if (this.#view !== undefined) {
      this.#setHeader(header);
      return;
    }
    document.documentElement.lang = locale;
    this.#view = this.#build(new Words(strings, locale));
    const filter = this.#memory?.filter ?? state.filter;
    this.#view.filter.show(filter);
    this.#header = header;
    if (header !== null) {
      // The first request was made in the hope that it is the session of before.
      const same = this.#enter(header.session);
      if (!same || !sameFilter(filter, this.#feed.filter)) {
        this.#feed.open(filter, 'end');
      }
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
        this.#feed.open(this.#feed.filter, same ? this.#startAt(this.#memory?.anchor) : 'end');
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
      const part = (['input', 'output', 'diff'] as const).find((name) => name === button['part']);
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
    const { place } = view.list;
    remember({
      ...(this.#header !== null && { session: this.#header.session }),
      follow: this.#follow,
      filter: this.#feed.filter,
      ...(place !== undefined && { anchor: place }),
      expanded: [...this.#expanded].slice(-MAX_EXPANDED),
    });
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

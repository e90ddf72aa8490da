import { h } from './dom.ts';
import { Heights } from './heights.ts';
import type { Opened } from './feed.ts';
import type { Row } from '../src/protocol/timeline.ts';

/** The height of a row of one line, in CSS pixels: main.css has the same. */
const ROW_HEIGHT = 24;
/** Rows are kept ready this far above and below the view. */
const OVERSCAN = 120;
/** As near to the end as this counts as at the end. */
const END_ZONE = 24;
/** After this long (ms) without a scroll event, scrolling is over. */
const SETTLED = 150;

/** Where the list's data comes from and how its rows are drawn. */
export interface ListSource {
  readonly total: number;
  at(position: number): Row | undefined;
  positionOf(seq: number): number | undefined;
  want(first: number, last: number): void;
  /** What a row's drawing depends on besides its revision. */
  variant(row: Row): string;
  draw(element: HTMLElement, row: Row | undefined): void;
}

export interface ListEvents {
  /** The reader came to the end or left it, or rows came while away. */
  moved(): void;
  rendered(): void;
}

interface Drawn {
  readonly element: HTMLElement;
  version: string;
}

/**
 * A windowed list of rows of any height. Its law: the row being read never moves. One row is the anchor, with the place
 * of its top edge in the view; whatever changes (rows come, grow, shrink, are measured for the first time), all is laid
 * out around it before the browser paints. At the end of the list the last row's bottom edge is the anchor.
 *
 * While the reader scrolls, the scroll position is the reader's: a correction goes into `#shift`, which moves the rows
 * in place of it, and is folded into the scroll position when the scrolling is over.
 */
export class List {
  readonly element: HTMLElement;
  readonly #source: ListSource;
  readonly #events: ListEvents;
  readonly #sizer = h('div', { class: 'sizer' });
  readonly #window = h('div', { class: 'window', role: 'feed' });
  readonly #heights = new Heights(ROW_HEIGHT);
  readonly #drawn = new Map<number, Drawn>();
  readonly #expected = { height: 0 };
  #anchor = { position: 0, y: 0 };
  #stick = true;
  #shift = 0;
  /** The scroll position that this list set itself. */
  #set = 0;
  #first = 0;
  #last = -1;
  #active: number | undefined;
  #scrolledAt = 0;
  #upAt = 0;
  #settle: number | undefined;
  #frame: number | undefined;

  constructor(source: ListSource, events: ListEvents) {
    this.#source = source;
    this.#events = events;
    this.#sizer.append(this.#window);
    this.element = h('div', { class: 'scroller', tabindex: -1 }, this.#sizer);
    this.element.addEventListener('scroll', () => {
      this.#onScroll();
    });
    this.element.addEventListener('wheel', (event) => (this.#upAt = event.deltaY < 0 ? event.timeStamp : 0), {
      passive: true,
    });
    this.element.addEventListener('focusin', (event) => {
      const position = this.#positionOf(event.target);
      if (position !== undefined) {
        this.#activate(position);
      }
    });
    const observer = new ResizeObserver(() => {
      // A change that this list made itself was measured then.
      if (this.#viewHeight !== this.element.clientHeight || this.#window.offsetHeight !== this.#expected.height) {
        this.render();
      }
    });
    observer.observe(this.element);
    observer.observe(this.#window);
  }

  #viewHeight = 0;

  /** Whether the list follows its end. */
  get sticks(): boolean {
    return this.#stick;
  }

  set label(text: string) {
    this.#window.setAttribute('aria-label', text);
  }

  set busy(is: boolean) {
    this.#window.setAttribute('aria-busy', String(is));
  }

  /** Where the reader is; undefined at the end. */
  get place(): { readonly seq: number; readonly y: number } | undefined {
    const row = this.#source.at(this.#anchor.position);
    return this.#stick || row === undefined ? undefined : { seq: row.seq, y: this.#anchor.y };
  }

  /** The row that a list loaded in this one's stead shall begin at: the one last pressed or walked to, or the place. */
  get reading(): { readonly seq: number; readonly y: number } | undefined {
    const active = this.#active;
    const row = active === undefined || !this.#drawn.has(active) ? undefined : this.#source.at(active);
    return active === undefined || row === undefined || active === this.#source.total - 1
      ? this.place
      : { seq: row.seq, y: this.#top(active) - this.element.scrollTop };
  }

  /** Shows another list from where it was loaded for; `y`: where that row's top edge shall be in the view. */
  open({ position, start }: Opened, y: number): void {
    for (const { element } of this.#drawn.values()) {
      element.remove();
    }
    this.#drawn.clear();
    this.#heights.clear();
    this.#active = undefined;
    this.#shift = 0;
    this.#stick = start === 'end';
    this.#anchor = { position, y };
    this.render();
  }

  toEnd(): void {
    this.#stick = true;
    this.#scrolledAt = 0;
    this.render();
    this.#events.moved();
  }

  /** Renders before the next frame; several calls are one. */
  invalidate(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.render();
    });
  }

  /** Renders with the row at `position` held where it is: it is about to change its height by the reader's own hand. */
  hold(position: number): void {
    const drawn = this.#drawn.get(position);
    if (drawn !== undefined) {
      this.#anchor = { position, y: this.#top(position) - this.element.scrollTop };
      this.#stick = false;
    }
    this.render();
    this.#reconsider();
  }

  /** The row that an event happened in. */
  rowAt(target: EventTarget | null): Row | undefined {
    const position = this.#positionOf(target);
    return position === undefined ? undefined : this.#source.at(position);
  }

  /** Moves the focus to a row: by so many rows, by a view's height, or to an edge. */
  move(to: 'up' | 'down' | 'page-up' | 'page-down' | 'first' | 'last'): void {
    const total = this.#source.total;
    if (total === 0) {
      return;
    }
    const current = this.#active ?? this.#entry();
    const step = this.#active === undefined && (to === 'up' || to === 'down') ? 0 : 1;
    const target = {
      up: () => current - step,
      down: () => current + step,
      'page-up': () => Math.min(current - 1, this.#heights.at(this.#heights.top(current) - this.#viewHeight * 0.9)),
      'page-down': () => Math.max(current + 1, this.#heights.at(this.#heights.top(current) + this.#viewHeight * 0.9)),
      first: () => 0,
      last: () => total - 1,
    }[to]();
    this.focus(Math.max(0, Math.min(total - 1, target)));
  }

  /** Focuses a row, scrolled into view by the shortest way. */
  focus(position: number): void {
    this.#activate(position);
    this.#scrolledAt = 0;
    const height = this.#heights.get(position);
    const y = this.#top(position) - this.element.scrollTop;
    if (position === this.#source.total - 1) {
      this.#stick = true;
    } else if (y < 0 || height > this.#viewHeight) {
      this.#stick = false;
      this.#anchor = { position, y: 0 };
    } else if (y + height > this.#viewHeight) {
      this.#stick = false;
      this.#anchor = { position, y: this.#viewHeight - height };
    } else {
      // The reader moved up: new rows shall not push this one away.
      this.#stick = false;
      this.#anchor = { position, y };
    }
    this.render();
    if (this.#anchor.y > 0 && !this.#stick && y + height > this.#viewHeight) {
      // Measured only now: put its real bottom edge at the view's.
      this.#anchor = { position, y: this.#viewHeight - this.#heights.get(position) };
      this.render();
    }
    this.#drawn.get(position)?.element.focus({ preventScroll: true });
    this.#events.moved();
  }

  /** The element of a drawn row. */
  elementOf(position: number): HTMLElement | undefined {
    return this.#drawn.get(position)?.element;
  }

  /** Lays out what is in view, measures it, and puts the anchor where it was: all before the browser paints. */
  render(): void {
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
      this.#frame = undefined;
    }
    const total = this.#source.total;
    this.#heights.resize(total);
    this.#viewHeight = this.element.clientHeight;
    if (this.#viewHeight === 0) {
      return;
    }
    // Heights of rows seen for the first time may bring others into view: two passes nearly always do.
    for (let pass = 0, changed = true; changed && pass < 5; pass += 1) {
      this.#place(total);
      this.#draw();
      changed = pass < 4 && this.#measure();
    }
    this.#position(total);
    this.#source.want(this.#first, this.#last);
    this.#events.rendered();
  }

  #top(position: number): number {
    return this.#heights.top(position) + this.#shift;
  }

  /** Decides which rows are in view, from the anchor alone. */
  #place(total: number): void {
    const height = this.#heights.total;
    let top: number;
    if (this.#stick || height <= this.#viewHeight) {
      top = Math.max(0, height - this.#viewHeight);
    } else {
      this.#anchor.position = Math.max(0, Math.min(this.#anchor.position, total - 1));
      const wanted = this.#heights.top(this.#anchor.position) - this.#anchor.y;
      top = Math.max(0, Math.min(wanted, height - this.#viewHeight));
    }
    this.#wanted = top;
    this.#first = this.#heights.at(top - OVERSCAN);
    this.#last = total === 0 ? -1 : this.#heights.at(top + this.#viewHeight + OVERSCAN);
  }

  /** Where the view begins, in the rows' own coordinates. */
  #wanted = 0;

  #draw(): void {
    for (const [position, { element }] of this.#drawn) {
      if (position < this.#first || position > this.#last) {
        this.#drawn.delete(position);
        const focused = element.contains(document.activeElement);
        element.remove();
        if (focused) {
          // The keyboard goes on from the same row, wherever it is.
          this.element.focus({ preventScroll: true });
        }
      }
    }
    let next = this.#window.firstElementChild;
    for (let position = this.#first; position <= this.#last; position += 1) {
      const row = this.#source.at(position);
      const version = row === undefined ? '' : `${row.seq}:${row.rev}:${this.#source.variant(row)}`;
      let drawn = this.#drawn.get(position);
      if (drawn === undefined) {
        const element = h('div', { role: 'article', tabindex: -1, 'aria-posinset': position + 1 });
        element.dataset['position'] = String(position);
        drawn = { element, version: 'none' };
        this.#drawn.set(position, drawn);
      }
      if (drawn.version !== version) {
        drawn.version = version;
        this.#source.draw(drawn.element, row);
      }
      if (drawn.element === next) {
        next = next.nextElementSibling;
      } else {
        this.#window.insertBefore(drawn.element, next);
      }
    }
  }

  /** Reads the heights of all rows in the window. Returns whether one was new. */
  #measure(): boolean {
    let changed = false;
    for (const [position, { element }] of this.#drawn) {
      const { height } = element.getBoundingClientRect();
      if (height !== this.#heights.get(position)) {
        this.#heights.set(position, height);
        changed = true;
      }
    }
    return changed;
  }

  /** Writes the positions: of the window, of the sizer, and of the view. */
  #position(total: number): void {
    const height = this.#heights.total;
    const scrolling = performance.now() - this.#scrolledAt < SETTLED;
    const current = this.element.scrollTop;
    // Rows before the first or after the last could not be reached with a shift.
    const reachable = this.#first > 0 && this.#last < total - 1;
    this.#shift = scrolling && reachable ? current - this.#wanted : 0;
    this.#sizer.style.height = `${Math.max(0, height + this.#shift)}px`;
    this.#window.style.transform = `translateY(${this.#top(this.#first)}px)`;
    const target = this.#wanted + this.#shift;
    if (Math.abs(current - target) > 0.01) {
      this.element.scrollTop = target;
    }
    this.#set = this.element.scrollTop;
    if (this.#shift === 0 && Math.abs(this.#set - target) < 1 && this.#set !== target) {
      // The browser rounds scroll positions: the rows take up the rest, so that none moves by a part of a pixel.
      this.#window.style.transform = `translateY(${this.#top(this.#first) + this.#set - target}px)`;
    }
    this.#expected.height = this.#window.offsetHeight;
    const entry = this.#active !== undefined && this.#drawn.has(this.#active) ? this.#active : this.#entry();
    for (const [position, { element }] of this.#drawn) {
      element.tabIndex = position === entry ? 0 : -1;
      element.setAttribute('aria-setsize', String(total));
    }
    if (this.#shift !== 0) {
      window.clearTimeout(this.#settle);
      this.#settle = window.setTimeout(() => {
        this.render();
      }, SETTLED);
    }
  }

  #onScroll(): void {
    const top = this.element.scrollTop;
    if (Math.abs(top - this.#set) < 1) {
      return;
    }
    const up = top < this.#set;
    this.#set = top;
    this.#scrolledAt = performance.now();
    const rest = this.#heights.total + this.#shift - top - this.#viewHeight;
    // The first pixels of a wheel's way up are still near the end: the wheel says what the reader wants.
    this.#stick = rest <= 1 || (rest <= END_ZONE && !(up && performance.now() - this.#upAt < 2 * SETTLED));
    this.#choose();
    this.render();
    this.#events.moved();
  }

  /** Makes the row that is read the anchor: the focused one if it is in view, else the first that is seen whole. */
  #choose(): void {
    const top = this.element.scrollTop - this.#shift;
    const first = this.#heights.at(top);
    let position = this.#heights.top(first) < top && first + 1 < this.#source.total ? first + 1 : first;
    if (this.#heights.top(position) > top + this.#viewHeight) {
      position = first;
    }
    const active = this.#active;
    if (active !== undefined && this.#drawn.get(active)?.element.contains(document.activeElement) === true) {
      const y = this.#heights.top(active) - top;
      if (y >= 0 && y < this.#viewHeight) {
        position = active;
      }
    }
    this.#anchor = { position, y: this.#heights.top(position) - top };
  }

  /** After a change by the reader's own hand: is the end still in view? */
  #reconsider(): void {
    const rest = this.#heights.total + this.#shift - this.element.scrollTop - this.#viewHeight;
    this.#stick = rest <= END_ZONE;
    if (!this.#stick) {
      this.#choose();
    }
    this.#events.moved();
  }

  /** The row that Tab leads to when none was active: the last at the end, else the first in view. */
  #entry(): number {
    return this.#stick ? this.#source.total - 1 : Math.max(this.#first, Math.min(this.#anchor.position, this.#last));
  }

  #activate(position: number): void {
    if (this.#active !== position) {
      this.#active = position;
      for (const [at, { element }] of this.#drawn) {
        element.tabIndex = at === position ? 0 : -1;
      }
    }
  }

  #positionOf(target: EventTarget | null): number | undefined {
    const element = target instanceof Element ? target.closest<HTMLElement>('[data-position]') : null;
    return element === null ? undefined : Number(element.dataset['position']);
  }
}

import { h, icon, setText } from './dom.ts';
import { GROUPS } from './looks.ts';
import type { RowFilter, RowGroup } from '../src/protocol/timeline.ts';
import type { Button, TextField } from './toolkit.ts';
import type { Words } from './words.ts';

/** The search waits this long (ms) for the next letter. */
const DEBOUNCE = 150;
const MAX_QUERY = 1000;

/** The bar with a toggle for each group of rows, a search field, and how many rows there are. */
export class FilterBar {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #changed: (filter: RowFilter) => void;
  readonly #toggles: ReadonlyMap<RowGroup, Button>;
  readonly #search: TextField;
  readonly #count = h('span', { class: 'count' });
  readonly #clear: Button;
  #filter: RowFilter = { groups: [], query: '' };
  #timer: number | undefined;

  constructor(words: Words, changed: (filter: RowFilter) => void) {
    this.#words = words;
    this.#changed = changed;
    const groups = h('div', { class: 'groups', role: 'group', 'aria-label': words.say('filter.kinds') });
    this.#toggles = new Map(GROUPS.map(({ group, icon: name }) => [group, this.#toggle(group, name)]));
    groups.append(...this.#toggles.values());
    this.#search = h('vscode-text-field', {
      class: 'search',
      placeholder: words.say('filter.search.placeholder'),
      maxlength: MAX_QUERY,
    });
    this.#search.append(h('span', { slot: 'start', class: 'codicon codicon-search', 'aria-hidden': 'true' }));
    this.#search.addEventListener('input', () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => {
        this.#apply({ ...this.#filter, query: this.#search.value.slice(0, MAX_QUERY) });
      }, DEBOUNCE);
    });
    this.#clear = h('vscode-button', {
      appearance: 'icon',
      class: 'clear',
      'aria-label': words.say('filter.clear'),
      title: words.say('filter.clear'),
    });
    this.#clear.append(icon('clear-all'));
    this.#clear.addEventListener('click', () => {
      this.clear();
      this.focus();
    });
    this.element = h(
      'div',
      { class: 'filter', role: 'search', 'aria-label': words.say('filter.label') },
      groups,
      this.#search,
      this.#count,
      this.#clear,
    );
    this.show(this.#filter);
  }

  #toggle(group: RowGroup, name: string): Button {
    const label = this.#words.say(`filter.${group}`);
    const button = h('vscode-button', { appearance: 'icon', class: 'group', 'aria-label': label, title: label });
    button.append(icon(name), h('b', { class: 'button-label' }, label));
    button.addEventListener('click', () => {
      const { groups } = this.#filter;
      this.#apply({
        ...this.#filter,
        groups: groups.includes(group) ? groups.filter((other) => other !== group) : [...groups, group],
      });
    });
    return button;
  }

  /** Shows a filter without telling anybody. */
  show(filter: RowFilter): void {
    this.#filter = filter;
    for (const [group, button] of this.#toggles) {
      const pressed = filter.groups.includes(group);
      // The toolkit's button takes ARIA states as properties only.
      button.ariaPressed = pressed ? 'true' : 'false';
      button.classList.toggle('pressed', pressed);
    }
    if (this.#search.value !== filter.query) {
      this.#search.value = filter.query;
    }
    this.#clear.hidden = filter.groups.length === 0 && filter.query === '';
  }

  /** @param total how many rows pass the filter, @param all how many there are. */
  count(total: number, all: number): void {
    const words = this.#words;
    const numbers = [words.number(total), words.number(Math.max(total, all))] as const;
    setText(this.#count, this.#clear.hidden ? numbers[0] : words.say('filter.count', ...numbers));
    this.#count.title = words.say('filter.count.title', ...numbers);
  }

  focus(): void {
    this.#search.focus();
    const input = this.#search.shadowRoot?.querySelector('input');
    input?.select();
  }

  get hasFocus(): boolean {
    return this.#search.contains(document.activeElement);
  }

  get isActive(): boolean {
    return !this.#clear.hidden || this.#search.value !== '';
  }

  clear(): void {
    this.#apply({ groups: [], query: '' });
  }

  #apply(filter: RowFilter): void {
    window.clearTimeout(this.#timer);
    const { groups, query } = this.#filter;
    if (filter.query === query && filter.groups.join() === groups.join()) {
      this.show(filter);
      return;
    }
    this.show(filter);
    this.#changed(filter);
  }
}

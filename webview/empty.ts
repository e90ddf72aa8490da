import { h, icon } from './dom.ts';
import type { Words } from './words.ts';

export type EmptyState = 'none' | 'noSession' | 'noRows' | 'noMatch' | 'loading';

/** What stands in place of the rows when there are none, and says why; and what went wrong, over them. */
export class EmptyView {
  readonly element = h('div', { class: 'empty', hidden: true });
  readonly #words: Words;
  #state: EmptyState = 'none';
  #error: string | undefined;

  constructor(words: Words) {
    this.#words = words;
  }

  show(state: EmptyState): void {
    if (state === this.#state && this.#error === undefined) {
      return;
    }
    this.#state = state;
    if (state === 'none') {
      this.#error = undefined;
    }
    this.#fill();
  }

  /** Until there is something else to show. */
  fail(message: string): void {
    this.#error = message;
    this.#fill();
  }

  #fill(): void {
    const words = this.#words;
    const text = (title: string, hint?: string): HTMLElement[] => [
      h('p', { class: 'empty-title' }, title),
      ...(hint === undefined ? [] : [h('p', {}, hint)]),
    ];
    this.element.hidden = this.#state === 'none' && this.#error === undefined;
    if (this.#error !== undefined) {
      this.element.replaceChildren(icon('error'), ...text(this.#error));
      return;
    }
    this.element.replaceChildren(
      ...{
        none: () => [],
        loading: () => [h('vscode-progress-ring', { 'aria-label': words.say('list.loading') })],
        noSession: () => [icon('list-tree'), ...text(words.say('list.noSession'), words.say('list.noSession.hint'))],
        noRows: () => [icon('pulse'), ...text(words.say('list.noRows'), words.say('list.noRows.hint'))],
        noMatch: () => [icon('search'), ...text(words.say('list.noMatch'))],
      }[this.#state](),
    );
  }
}

import { h, icon } from './dom.ts';
import type { Row } from '../src/protocol/timeline.ts';
import type { List } from './list.ts';
import type { Words } from './words.ts';

/**
 * Puts a row's buttons into it while the pointer is over it or the focus is in it, and lets Tab reach what else can be
 * pressed in the focused row: so the other rows stay lean, and Tab does not lead through all of them.
 */
export class RowActions {
  readonly #list: List;
  readonly #words: Words;
  #hovered: HTMLElement | undefined;
  #focused: HTMLElement | undefined;

  constructor(list: List, words: Words) {
    this.#list = list;
    this.#words = words;
    const { element } = list;
    element.addEventListener('pointerover', (event) => {
      this.#set(rowOf(event.target), this.#focused);
    });
    element.addEventListener('pointerleave', () => {
      this.#set(undefined, this.#focused);
    });
    element.addEventListener('focusin', (event) => {
      this.#set(this.#hovered, rowOf(event.target));
    });
    element.addEventListener('focusout', (event) => {
      this.#set(this.#hovered, rowOf(event.relatedTarget));
    });
  }

  /** After rows were drawn. */
  update(): void {
    const targets = new Set([this.#hovered, this.#focused]);
    for (const bar of this.#list.element.querySelectorAll('.row-actions')) {
      if (!targets.has(bar.parentElement ?? undefined)) {
        bar.remove();
      }
    }
    for (const target of targets) {
      const row = this.#list.rowAt(target ?? null);
      if (target?.isConnected === true && row !== undefined && target.querySelector('.row-actions') === null) {
        target.append(...actions(row, this.#words));
      }
    }
    for (const control of this.#focused?.querySelectorAll<HTMLElement>('[data-do], [data-target]') ?? []) {
      control.tabIndex = 0;
    }
  }

  #set(hovered: HTMLElement | undefined, focused: HTMLElement | undefined): void {
    if (hovered === this.#hovered && focused === this.#focused) {
      return;
    }
    if (focused !== this.#focused) {
      for (const control of this.#focused?.querySelectorAll<HTMLElement>('[data-do], [data-target]') ?? []) {
        control.tabIndex = -1;
      }
    }
    this.#hovered = hovered;
    this.#focused = focused;
    this.update();
  }
}

function rowOf(target: EventTarget | null): HTMLElement | undefined {
  return (target instanceof Element ? target.closest<HTMLElement>('[data-position]') : null) ?? undefined;
}

function actions(row: Row, words: Words): HTMLElement[] {
  const buttons = [
    ...(row.log === undefined ? [] : [button('row', 'output', words.say('action.log'))]),
    ...(row.tool?.resultLog === undefined ? [] : [button('result', 'reply', words.say('action.resultLog'))]),
    ...(row.request?.answerLog === undefined ? [] : [button('result', 'reply', words.say('action.answerLog'))]),
  ];
  return buttons.length === 0
    ? []
    : [h('div', { class: 'row-actions', role: 'toolbar', 'aria-label': words.say('action.row') }, ...buttons)];
}

function button(part: 'row' | 'result', name: string, label: string): HTMLElement {
  return h(
    'button',
    { type: 'button', tabindex: -1, 'data-do': 'log', 'data-part': part, 'aria-label': label, title: label },
    icon(name),
  );
}

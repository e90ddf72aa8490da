import type { FilterBar } from './filter.ts';
import type { List } from './list.ts';
import type { Row } from '../src/protocol/timeline.ts';

const MOVES = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  PageUp: 'page-up',
  PageDown: 'page-down',
  Home: 'first',
  End: 'last',
} as const;

/** The keyboard: walking the rows, opening them, and the way to the search field and back. */
export function handleKeys(list: List, filter: FilterBar, toggle: (row: Row) => void): void {
  list.element.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const target = event.target as HTMLElement;
    const onRow = target === list.element || target.dataset['position'] !== undefined;
    const move = (MOVES as Readonly<Partial<Record<string, (typeof MOVES)[keyof typeof MOVES]>>>)[event.key];
    if (move !== undefined) {
      list.move(move);
    } else if (event.key === 'Enter' && target.dataset['target'] !== undefined) {
      target.click();
    } else if ((event.key === 'Enter' || event.key === ' ') && onRow) {
      const row = list.rowAt(target);
      if (row !== undefined) {
        toggle(row);
      }
    } else {
      return;
    }
    event.preventDefault();
  });
  document.addEventListener('keydown', (event) => {
    const find = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'f';
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (find || (plain && event.key === 'f' && !filter.hasFocus)) {
      filter.focus();
      event.preventDefault();
    } else if (plain && event.key === 'Escape' && filter.isActive) {
      filter.clear();
      event.preventDefault();
    } else if (plain && filter.hasFocus && (event.key === 'Escape' || event.key === 'ArrowDown')) {
      list.move('down');
      event.preventDefault();
    }
  });
}

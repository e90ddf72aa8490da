import type { RowKind } from '../timeline/rows.ts';
import type { RowGroup } from './names.ts';

/** How the text of a row is shown. */
export type TextStyle = 'markdown' | 'plain' | 'mono';

/** All that differs from one kind of rows to another, but for what it draws beside its text (webview/row.ts). */
export interface KindOfRow {
  /** Where the filter finds it; in `problems` too, when it is one. */
  readonly group: RowGroup;
  /** A codicon. */
  readonly icon: string;
  readonly style: TextStyle;
  /** More lines than this are folded away. */
  readonly lines: number;
  /** The kind's name stands before the text. */
  readonly named?: true;
  /** Each row of it is a problem; of the others, those that say that they are not `ok`. */
  readonly problem?: true;
  /**
   * Its words may rest on more than its own line (a total, a list that grows step by step): kept in the index. The others are read
   * from the log again whenever they are shown, and may be of any size.
   */
  readonly kept?: true;
  /** Its words stand in its line as they are: what the line does not hold, the row does not show. */
  readonly verbatim?: true;
}

/** The one table of kinds. A kind has its name in strings.ts (`row.…`). */
export const KINDS: Readonly<Record<RowKind, KindOfRow>> = {
  session: { group: 'system', icon: 'link', style: 'plain', lines: 2, kept: true },
  prompt: { group: 'messages', icon: 'account', style: 'plain', lines: 8, verbatim: true },
  text: { group: 'messages', icon: 'comment', style: 'markdown', lines: 30, verbatim: true },
  thinking: { group: 'thinking', icon: 'lightbulb', style: 'markdown', lines: 6, verbatim: true },
  tool: { group: 'tools', icon: 'tools', style: 'plain', lines: 0 },
  files: { group: 'files', icon: 'files', style: 'plain', lines: 4 },
  todo: { group: 'messages', icon: 'checklist', style: 'plain', lines: 4, kept: true },
  request: { group: 'messages', icon: 'question', style: 'plain', lines: 20, named: true, kept: true },
  denial: { group: 'problems', icon: 'shield', style: 'plain', lines: 6, named: true, problem: true, kept: true },
  retry: { group: 'system', icon: 'refresh', style: 'plain', lines: 4, named: true, kept: true },
  notice: { group: 'system', icon: 'info', style: 'plain', lines: 4, kept: true },
  warning: { group: 'problems', icon: 'warning', style: 'plain', lines: 6, named: true, problem: true, kept: true },
  error: { group: 'problems', icon: 'error', style: 'plain', lines: 12, named: true, problem: true, kept: true },
  result: { group: 'messages', icon: 'pass', style: 'markdown', lines: 12, named: true, kept: true },
  output: { group: 'messages', icon: 'output', style: 'mono', lines: 16, verbatim: true },
  raw: { group: 'system', icon: 'code', style: 'mono', lines: 3, verbatim: true },
  'turn-start': { group: 'messages', icon: 'account', style: 'plain', lines: 10 },
  'turn-end': { group: 'system', icon: 'milestone', style: 'plain', lines: 6, kept: true },
  sent: { group: 'messages', icon: 'send', style: 'plain', lines: 8, named: true },
  keeper: { group: 'system', icon: 'server-process', style: 'plain', lines: 3 },
  stderr: { group: 'system', icon: 'terminal', style: 'mono', lines: 6, verbatim: true },
};

import type { Outcome } from '../store/model.ts';
import type { RequestPart, RowKind } from './rows.ts';
import type { RowGroup } from './names.ts';

/** How the text of a row is shown. */
export type TextStyle = 'markdown' | 'plain' | 'mono';

/** What a row draws beside its text (webview/cards.ts). */
export type CardName = 'text' | 'tool' | 'files' | 'todo' | 'request' | 'turn' | 'result' | 'ending';

/** All that differs from one kind of rows to another. */
export interface KindOfRow {
  /** What it is, in English: a sentence of the page (strings.ts). `{0}` stands for the row's turn. */
  readonly title: string;
  /** Where the filter finds it; in `problems` too, when it is one. */
  readonly group: RowGroup;
  readonly card: CardName;
  /** A codicon. */
  readonly icon: string;
  /** Another icon in its place, for what a request is about, how a turn ended, or a row that is a problem. */
  readonly icons?: Readonly<Partial<Record<RequestPart['about'] | Outcome | 'problem', string>>>;
  readonly style: TextStyle;
  /** More lines than this are folded away. */
  readonly lines: number;
  /** The title stands before the text. */
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

/** The one table of kinds. */
export const KINDS: Readonly<Record<RowKind, KindOfRow>> = {
  session: { title: 'Conversation', group: 'system', card: 'text', icon: 'link', style: 'plain', lines: 2, kept: true },
  prompt: {
    title: 'Prompt',
    group: 'messages',
    card: 'text',
    icon: 'account',
    style: 'plain',
    lines: 8,
    verbatim: true,
  },
  text: {
    title: 'Message',
    group: 'messages',
    card: 'text',
    icon: 'comment',
    style: 'markdown',
    lines: 30,
    verbatim: true,
  },
  thinking: {
    title: 'Thinking',
    group: 'thinking',
    card: 'text',
    icon: 'lightbulb',
    style: 'markdown',
    lines: 6,
    verbatim: true,
  },
  tool: { title: 'Tool', group: 'tools', card: 'tool', icon: 'tools', style: 'plain', lines: 0 },
  files: { title: 'Files changed', group: 'files', card: 'files', icon: 'files', style: 'plain', lines: 4 },
  todo: {
    title: 'To-do list',
    group: 'messages',
    card: 'todo',
    icon: 'checklist',
    style: 'plain',
    lines: 4,
    kept: true,
  },
  request: {
    title: 'Request',
    group: 'messages',
    card: 'request',
    icon: 'question',
    icons: { permission: 'shield', plan: 'checklist' },
    style: 'plain',
    lines: 12,
    kept: true,
  },
  denial: {
    title: 'Permission denied',
    group: 'problems',
    card: 'text',
    icon: 'shield',
    style: 'plain',
    lines: 6,
    named: true,
    problem: true,
    kept: true,
  },
  retry: {
    title: 'Retry',
    group: 'system',
    card: 'text',
    icon: 'refresh',
    style: 'plain',
    lines: 4,
    named: true,
    kept: true,
  },
  notice: { title: 'Notice', group: 'system', card: 'text', icon: 'info', style: 'plain', lines: 4, kept: true },
  warning: {
    title: 'Warning',
    group: 'problems',
    card: 'text',
    icon: 'warning',
    style: 'plain',
    lines: 6,
    named: true,
    problem: true,
    kept: true,
  },
  error: {
    title: 'Error',
    group: 'problems',
    card: 'text',
    icon: 'error',
    style: 'plain',
    lines: 12,
    named: true,
    problem: true,
    kept: true,
  },
  result: {
    title: 'Result',
    group: 'messages',
    card: 'result',
    icon: 'pass',
    icons: { problem: 'error' },
    style: 'markdown',
    lines: 12,
    named: true,
    kept: true,
  },
  output: {
    title: 'Output',
    group: 'messages',
    card: 'text',
    icon: 'output',
    style: 'mono',
    lines: 16,
    verbatim: true,
  },
  raw: {
    title: 'Unrecognized output',
    group: 'system',
    card: 'text',
    icon: 'code',
    style: 'mono',
    lines: 3,
    verbatim: true,
  },
  'turn-start': { title: 'Turn {0}', group: 'messages', card: 'turn', icon: 'account', style: 'plain', lines: 10 },
  'turn-end': {
    title: 'End of turn {0}',
    group: 'system',
    card: 'ending',
    icon: 'milestone',
    icons: {
      completed: 'pass',
      failed: 'error',
      interrupted: 'circle-slash',
      killed: 'circle-slash',
      unknown: 'question',
    } satisfies Record<Outcome, string>,
    style: 'plain',
    lines: 6,
    kept: true,
  },
  sent: { title: 'Sent', group: 'messages', card: 'text', icon: 'send', style: 'plain', lines: 8, named: true },
  keeper: { title: 'Treeline', group: 'system', card: 'text', icon: 'server-process', style: 'plain', lines: 3 },
  stderr: { title: 'stderr', group: 'system', card: 'text', icon: 'terminal', style: 'mono', lines: 6, verbatim: true },
};

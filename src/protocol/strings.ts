import type { RowKind } from './rows.ts';
import { KINDS } from './kinds.ts';

/** What a row is, as a screen reader says it, and as a heading where one is shown. */
const TITLES = Object.fromEntries(Object.entries(KINDS).map(([kind, { title }]) => [`row.${kind}`, title])) as Readonly<
  Record<`row.${RowKind}`, string>
>;

/**
 * Every sentence of the timeline page, in English, by name. The host sends them in the user's language with `hello`;
 * `{0}`, `{1}` stand for what the page puts in. `….one` and `….other` are chosen by the locale's plural rules.
 */
export const STRINGS = {
  ...TITLES,

  // Header
  'header.stop': 'Stop',
  'header.stop.title': 'Stop the agent and every process it started',
  'header.resume': 'Resume',
  'header.resume.title': 'Start the next turn with a follow-up prompt',
  'header.send': 'Send Message',
  'header.send.title': 'Send a follow-up message to the running agent',
  'header.diff': 'Open Diff',
  'header.diff.title': 'Show all changes of this session',
  'header.log': 'Open Log',
  'header.log.title': 'Show the raw output of the agent',
  'header.turn': 'turn {0}',
  'header.agent': 'Agent',
  'header.branch': 'Branch',
  'header.elapsed': 'Elapsed time',
  'header.tokens': '{0} tokens',
  'header.tokens.title': 'Tokens: {0} in ({1} from cache), {2} out',
  'header.cost.title': 'Cost so far, as reported by the agent',
  'header.retrying': 'retrying',
  'header.lost': 'Reconnecting…',
  'header.lost.title': 'Treeline is not responding. What you see here may be out of date.',
  'header.actions': 'Session actions',
  'header.evidence': '{0} · since {1}',

  // Filter bar
  'filter.label': 'Filter timeline',
  'filter.kinds': 'Show only',
  'filter.messages': 'Messages',
  'filter.thinking': 'Thinking',
  'filter.tools': 'Tools',
  'filter.files': 'Files',
  'filter.problems': 'Problems',
  'filter.system': 'System',
  'filter.search': 'Search',
  'filter.search.placeholder': 'Search (f)',
  'filter.clear': 'Clear filter',
  'filter.count': '{0} of {1}',
  'filter.count.title': '{0} of {1} events shown',

  // List
  'list.label': 'Timeline of {0}',
  'list.loading': 'Loading…',
  'list.jump': 'Jump to latest',
  'list.jump.new': 'Jump to latest ({0} new)',
  'list.noSession': 'No session is selected',
  'list.noSession.hint': 'Select a session in the Sessions view to see its timeline here.',
  'list.noRows': 'Nothing has happened yet',
  'list.noRows.hint': 'What the agent says and does appears here as it happens.',
  'list.noMatch': 'No events match the filter',

  // Rows
  'row.depth': 'sub-agent',

  // Tool calls
  'tool.running': 'running',
  'tool.ok': 'done',
  'tool.failed': 'failed',
  'tool.denied': 'denied',
  'tool.exit': 'exit {0}',
  'tool.input': 'Input',
  'tool.output': 'Output',
  'tool.diff': 'Changes',
  'tool.noDetails': 'No further details.',

  // What an agent waits for, and what came of it
  'request.permission': 'Permission',
  'request.question': 'Question',
  'request.plan': 'Plan',
  'request.choices': 'Choices',
  'request.answer': 'Answer',
  'answer.open': 'Waiting for an answer',
  'answer.answered': 'Answered',
  'answer.choice': 'Answered: {0}',
  'answer.cancelled': 'Withdrawn by the agent',
  'answer.lapsed': 'Not answered',
  'choice.open': 'can be chosen',
  'choice.made': 'chosen',
  'choice.left': 'not chosen',

  // Files and to-dos
  'change.add': 'added',
  'change.update': 'changed',
  'change.delete': 'deleted',
  'files.more': '{0} more',
  'todo.open': 'open',
  'todo.doing': 'in progress',
  'todo.done': 'done',
  'todo.progress': '{0} of {1} done',
  'expected.present': 'expected, present',
  'expected.missing': 'expected, missing',

  // Ends of turns
  'outcome.completed': 'Completed',
  'outcome.failed': 'Failed',
  'outcome.interrupted': 'Interrupted',
  'outcome.killed': 'Killed',
  'outcome.unknown': 'Outcome unknown',
  'end.usage': '{0} tokens in, {1} out',

  // What can be done with a row
  'action.log': 'Open log here',
  'action.resultLog': 'Open log at the result',
  'action.answerLog': 'Open log at the answer',
  'action.more': 'Show more',
  'action.less': 'Show less',
  'action.all': 'Show all ({0})',
  'action.file': 'Open {0}',
  'action.row': 'Row actions',

  // Live region
  'live.new.one': '{0} new event',
  'live.new.other': '{0} new events',
  'live.connected': 'Connected again',
  'live.running': 'running {0}',
  'live.failed': '{0} failed',
  'live.status': 'now {0}',
} as const satisfies Readonly<Record<string, string>>;

export type StringKey = keyof typeof STRINGS;

import { isOpen, isQueued, isStoppable, lastTurn, runOf } from '../store/lifecycle.ts';
import type { Session } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import { textOf } from '../words/saying.ts';
import { age, duration } from './age.ts';
import { oneLine } from './plain.ts';
import { held, statusLabel } from './words.ts';
import type { Translate } from './words.ts';

/** The reader: language, and the present moment in ms since the epoch. */
export interface Reader {
  readonly t: Translate;
  readonly locale: string;
  readonly now: number;
}

/** What can be done with a session in its present state. */
export interface Abilities {
  readonly stop: boolean;
  readonly resume: boolean;
  /** An agent runs that reads lines. */
  readonly send: boolean;
  readonly diff: boolean;
}

/** What can be done with a session, as the facts tell: settings may have changed since its agent was started. */
export function abilities(session: Session): Abilities {
  const turn = lastTurn(session);
  const open = turn !== undefined && isOpen(turn);
  const made = session.worktreeReadyAt !== undefined;
  return {
    // An agent that waits for its next prompt can be stopped, too.
    stop: turn !== undefined && isStoppable(session, turn) && session.status !== 'stopping',
    resume: turn !== undefined && !open && session.archive === undefined,
    send: open && runOf(session, turn)?.agent?.reads === 'lines' && session.status === 'working',
    diff: made && session.archive === undefined,
  };
}

export function canArchive(session: Session): boolean {
  const turn = lastTurn(session);
  return session.archive === undefined && (turn === undefined || !isStoppable(session, turn));
}

/** Whether something of the session lies in the trash. */
export function canPurge({ archive }: Session): boolean {
  return archive !== undefined && archive.purgedAt === undefined;
}

/** The words that `when` clauses of menus look for in a session's `viewItem`, and whether they hold for it. */
function wordsOf(session: Session, can: Abilities) {
  return {
    stoppable: can.stop,
    resumable: can.resume,
    sendable: can.send,
    diff: can.diff,
    agentSession: session.agentSession !== undefined,
    archivable: canArchive(session),
    restorable: session.archive !== undefined,
    purgeable: canPurge(session),
  } as const satisfies Readonly<Record<string, boolean>>;
}

/** A word that a menu may ask for. */
export type SessionWord = keyof ReturnType<typeof wordsOf>;

/** A session's `viewItem`: what it is, and what can be done with it. */
export function contextWords(session: Session, can: Abilities): string {
  const turn = lastTurn(session);
  const progress = turn !== undefined && isOpen(turn) ? [isQueued(turn) ? 'waiting' : 'live'] : [];
  return ['session', session.status, ...progress, ...held(wordsOf(session, can))].join(' ');
}

/** When a session last gave a sign of life: its last output or the fact that its status rests on. */
export function lastSignAt(session: Session, activity: Activity | undefined): number {
  return Math.max(activity?.lastEventAt ?? 0, session.evidence.at);
}

/** The text behind the name in the tree. A narrow side bar cuts its end, so the most important comes first: `3 min · claude · turn 2 · treeline/fix-login-1a2b`. */
export function description(session: Session, activity: Activity | undefined, reader: Reader): string {
  const turn = lastTurn(session);
  return [
    age(lastSignAt(session, activity), reader.now, reader.locale, reader.t),
    ...(activity?.retrying === true ? [reader.t('retrying')] : []),
    oneLine(session.agent.name),
    ...(turn === undefined ? [] : [reader.t('turn {0}', turn.number)]),
    session.branch,
  ].join(' · ');
}

/** What a screen reader says: the status first. */
export function accessibleLabel(session: Session, activity: Activity | undefined, reader: Reader): string {
  return `${statusLabel(session.status, reader.t)}: ${oneLine(session.name)}, ${description(session, activity, reader).replaceAll(' · ', ', ')}`;
}

/** A line of the tooltip. `code`: a value to be shown letter by letter. */
export interface TooltipLine {
  readonly label: string;
  readonly value: string;
  readonly code?: boolean;
}

/** The evidence of a session's status, and its particulars. */
export function tooltipLines(session: Session, activity: Activity | undefined, reader: Reader): readonly TooltipLine[] {
  const { t, locale, now } = reader;
  const ago = (at: number): string => t('{0} ago', duration(now - at, locale));
  const { evidence } = session;
  const turn = lastTurn(session);
  const line = (label: string, value: string | undefined, code = false): TooltipLine[] =>
    value === undefined || value === '' ? [] : [{ label, value, ...(code && { code }) }];
  return [
    ...line(t('Evidence'), `${oneLine(textOf(evidence.detail, t))} (${ago(evidence.at)})`),
    ...line(
      t('Last output'),
      activity?.lastEventAt === undefined
        ? undefined
        : `${oneLine(activity.lastLine ?? '')} (${ago(activity.lastEventAt)})`.trim(),
    ),
    ...line(t('Prompt'), turn === undefined ? undefined : oneLine(turn.prompt)),
    ...line(t('Agent'), [session.agent.name, activity?.model].filter(Boolean).map(String).map(oneLine).join(' · ')),
    ...line(t('Agent session'), session.agentSession, true),
    ...line(t('Branch'), session.branch, true),
    ...line(t('Base'), `${session.base.ref} ${session.base.commit.slice(0, 10)}`, true),
    ...line(t('Worktree'), session.worktree, true),
    ...line(t('Tokens'), tokens(activity, reader)),
    ...line(t('Cost'), activity?.cost === undefined ? undefined : money(activity.cost, locale)),
  ];
}

function tokens(activity: Activity | undefined, { t, locale }: Reader): string | undefined {
  const usage = activity?.usage;
  if (usage === undefined) {
    return undefined;
  }
  const count = new Intl.NumberFormat(locale);
  return t('{0} in, {1} out', count.format(usage.input), count.format(usage.output));
}

/** US dollars, with cents or, below ten cents, with more. */
export function money(dollars: number, locale: string): string {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: dollars < 0.1 ? 4 : 2,
  }).format(dollars);
}

/**
 * The independent check after a soak: journal, logs, timelines and processes are held against each other, the files read
 * with nothing of Treeline's. Returns the differences, each a sentence; none is what is wanted.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { Session } from '../../src/store/model.ts';
import type { Row } from '../../src/protocol/rows.ts';
import { marked } from '../faults/truth.ts';

/** What Treeline shows at the end. */
export interface Shown {
  readonly sessions: readonly Session[];
  /** Rows of a session, all of them. */
  rows(session: Session): Promise<readonly Row[]>;
}

interface JournalFact {
  readonly id: string;
  readonly type: string;
  readonly session: string;
  readonly run?: number;
}

export async function differences(store: string, shown: Shown): Promise<string[]> {
  const facts = readFacts(path.join(store, 'journal.jsonl'));
  const created = new Set(facts.filter(({ type }) => type === 'session.created').map(({ session }) => session));
  const listed = new Set(shown.sessions.map(({ id }) => id));
  const found = [
    ...[...created].filter((id) => !listed.has(id)).map((id) => `${id} is in the journal and not in the list.`),
    ...[...listed].filter((id) => !created.has(id)).map((id) => `${id} is in the list and not in the journal.`),
    ...duplicates(facts.map(({ id }) => id)).map((id) => `The fact ${id} stands in the journal twice.`),
    ...marked([...created]).map(({ pid, mark, command }) => `Process ${pid} of ${mark} still runs: ${command}`),
  ];
  for (const session of shown.sessions) {
    found.push(...(await ofSession(store, session, facts, shown)));
  }
  return found;
}

async function ofSession(
  store: string,
  session: Session,
  facts: readonly JournalFact[],
  shown: Shown,
): Promise<string[]> {
  const found: string[] = [];
  const rows = await shown.rows(session);
  const numbers = rows.map(({ seq }) => seq);
  if (numbers.some((seq, index) => seq !== index + 1)) {
    found.push(`${session.id}: its rows are not numbered without a gap.`);
  }
  const runs = path.join(store, 'sessions', session.id, 'runs');
  for (const run of existsSync(runs)
    ? readdirSync(runs)
        .map(Number)
        .sort((a, b) => a - b)
    : []) {
    const at = `${session.id}, run ${run}`;
    const started = facts.some(
      (fact) => fact.session === session.id && fact.run === run && fact.type === 'agent.started',
    );
    const exited = facts.some((fact) => fact.session === session.id && fact.run === run && fact.type === 'run.exited');
    if (!started) {
      continue;
    }
    if (!exited) {
      found.push(`${at}: the agent started, and nothing says how it ended.`);
    }
    if (session.runs[run - 1]?.exit === undefined) {
      found.push(`${at}: it is shown as if it ran.`);
    }
    const served = new Set(session.turns.filter(({ claim }) => claim?.run === run).map(({ number }) => number));
    const lines = outputLines(path.join(runs, String(run), 'stdout.log'));
    const bad = lines.findIndex((line, index) => line !== `line ${index + 1}`);
    if (bad !== -1) {
      found.push(`${at}: line ${bad + 1} of its output reads ${JSON.stringify(lines[bad])}.`);
    }
    const texts = rows.filter((row) => served.has(row.turn) && row.kind === 'output').map((row) => row.text.text);
    if (texts.length !== lines.length || texts.some((text, index) => text !== lines[index])) {
      found.push(`${at}: ${lines.length} lines stand in the log and ${texts.length} in the timeline, or not the same.`);
    }
  }
  return found;
}

/** The whole lines; a last one that the agent's end cut short is a line when it is one of ours. */
function outputLines(file: string): string[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.filter((line, index) => line !== '' || index < lines.length - 1);
}

function readFacts(journal: string): JournalFact[] {
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalFact);
}

function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  return ids.filter((id) => seen.size === seen.add(id).size);
}

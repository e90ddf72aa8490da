import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { oneLine } from '../../agents/text.ts';
import { patches, patchesBetween } from '../../git/patch.ts';
import { resolveCommit } from '../../git/repository.ts';
import { TreelineError } from '../../platform/errors.ts';
import { bySeverity } from '../../sessions/health.ts';
import { examinePrograms } from '../../sessions/health-programs.ts';
import { printEvents, printLog } from './follow.ts';
import { eventLine, harmless, say, sessionData, sessionLine, sessionTable } from './output.ts';
import type { Place } from './place.ts';

/** What a command was given. */
export interface Given {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly watch: boolean;
  readonly follow: boolean;
  readonly fresh: boolean;
  readonly agent?: string;
  readonly name?: string;
  readonly base?: string;
  readonly expect: readonly string[];
}

type Option = Exclude<keyof Given, 'words'>;

export interface Verb {
  readonly options: readonly Option[];
  readonly run: (place: Place, given: Given) => Promise<void>;
}

export const VERBS: Readonly<Record<string, Verb>> = {
  list: { options: ['json', 'watch'], run: list },
  spawn: { options: ['agent', 'name', 'base', 'expect', 'json'], run: spawn },
  send: { options: [], run: send },
  stop: { options: [], run: stop },
  resume: { options: ['fresh', 'json'], run: resume },
  log: { options: ['follow'], run: log },
  events: { options: ['follow', 'json'], run: events },
  diff: { options: [], run: diff },
  archive: { options: [], run: archive },
  health: { options: ['json'], run: health },
};

async function list({ sessions, store }: Place, { json, watch }: Given): Promise<void> {
  const show = (): void => {
    const all = sessions.list();
    if (json) {
      say(JSON.stringify(all.map(sessionData)));
      return;
    }
    // A terminal shows the list in one place; a file gets one after the other.
    if (watch && process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J\u001b[3J');
    say(sessionTable(watch ? all : all.filter(({ archive: gone }) => gone === undefined), Date.now()));
  };
  show();
  if (!watch) return;
  sessions.onDidChange(show);
  // Until somebody ends it.
  setInterval(() => store.refresh(), 1000);
  await new Promise<never>(() => undefined);
}

async function spawn(place: Place, { words, agent, name, base, expect, json }: Given): Promise<void> {
  const prompt = await promptOf(words);
  const chosen = agent ?? (await usualAgent(place));
  place.requireAgent(chosen);
  const request = { agent: chosen, prompt, expects: expect, ...(name && { name }), ...(base && { base }) };
  const session = await place.wanting(() => place.sessions.spawn(request));
  say(json ? JSON.stringify(sessionData(session)) : sessionLine(session));
}

async function send({ sessions, wanting, find }: Place, { words: [name, ...words] }: Given): Promise<void> {
  const { id } = find(name);
  const message = await promptOf(words);
  await wanting(() => sessions.send(id, message));
}

async function stop({ sessions, wanting, find }: Place, { words: [name] }: Given): Promise<void> {
  const { id } = find(name);
  await wanting(() => sessions.stop(id));
  say(sessionLine(find(id)));
}

async function resume(place: Place, { words: [name, ...words], fresh, json }: Given): Promise<void> {
  const { id, agent } = place.find(name);
  const prompt = await promptOf(words);
  place.requireAgent(agent.id);
  const session = await place.wanting(() => place.sessions.resume(id, { prompt, fresh }));
  say(json ? JSON.stringify(sessionData(session)) : sessionLine(session));
}

async function log(place: Place, { words: [name], follow }: Given): Promise<void> {
  await printLog(place, place.find(name).id, follow);
}

async function events(place: Place, { words: [name], follow, json }: Given): Promise<void> {
  const { id } = place.find(name);
  await printEvents(place, id, { follow, print: (row) => say(json ? JSON.stringify(row) : eventLine(row)) });
}

async function diff({ sessions, find }: Place, { words: [name] }: Given): Promise<void> {
  const { worktree, base, branch } = find(name);
  const { repository } = sessions;
  const pieces = existsSync(worktree)
    ? patches(worktree, base.commit)
    : patchesBetween(repository, base.commit, await resolveCommit(repository, `refs/heads/${branch}`));
  for await (const piece of pieces) process.stdout.write(harmless(piece));
}

async function archive({ sessions, wanting, find }: Place, { words: [name] }: Given): Promise<void> {
  const { id } = find(name);
  const session = await wanting(() => sessions.archive(id));
  say(sessionLine(session));
}

async function health({ sessions, agents, detector }: Place, { json }: Given): Promise<void> {
  const used = new Set(sessions.list().map(({ agent }) => agent.id));
  const findings = bySeverity([...(await examinePrograms(detector, agents, used)), ...(await sessions.examine())]);
  if (json) {
    say(
      JSON.stringify(
        findings.map(({ kind, severity, sentence, evidence }) => ({ kind, severity, sentence, evidence })),
      ),
    );
    return;
  }
  if (findings.length === 0) say('No problems found.');
  for (const { severity, sentence, evidence } of findings) {
    say(`${severity.padEnd(7)}  ${oneLine(sentence)}`);
    for (const line of evidence) say(`         ${oneLine(line)}`);
  }
}

/** The words of a prompt; `-` takes it from stdin. */
async function promptOf(words: readonly string[]): Promise<string> {
  return words.length === 1 && words[0] === '-' ? text(process.stdin) : words.join(' ');
}

/** The agent of the newest session, else the first that is installed. */
async function usualAgent({ sessions, agents, detector }: Place): Promise<string> {
  const last = sessions.list()[0]?.agent.id;
  if (last !== undefined && agents.some(({ id }) => id === last)) return last;
  for (const { id, detection } of agents) {
    const { found } = await detector.detect({ ...detection, argv: detection.argv.slice(0, 1) });
    if (found) return id;
  }
  throw new TreelineError('agent-missing', 'No agent is installed. Name one with --agent.');
}

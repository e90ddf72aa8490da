/**
 * A format for tests, with all that live agents may print. A line is JSON:
 * `{say, id?}` and `{part, id?}` a message and a piece of one, `{ask, id}` and `{answer, id}` a request and its answer,
 * `{call}` and `{did}` a tool, `{end}` the end of a turn with the tokens of the whole process.
 */
import type { Before, OutputParser, OutputReader, Seen } from '../../../src/agents/adapter.ts';
import type { AgentEvent } from '../../../src/agents/events.ts';
import { ending, judgement } from '../../../src/agents/judge.ts';

interface Line {
  readonly say?: string;
  readonly part?: string;
  readonly ask?: string;
  readonly answer?: string;
  readonly call?: string;
  readonly did?: string;
  readonly end?: number;
  readonly id?: string;
}

class LiveParser implements OutputParser {
  seen: Seen = {};
  #before: number;

  constructor(before: Before) {
    this.#before = before.usage?.input ?? 0;
  }

  nextTurn(): void {
    this.#before += this.seen.usage?.input ?? 0;
    this.seen = {};
  }

  line(text: string): readonly AgentEvent[] {
    const { say, part, ask, call, did, end, id } = JSON.parse(text) as Line;
    const named = id === undefined ? {} : { id };
    if (say !== undefined) {
      this.seen.lastText = say;
      return [{ kind: 'text', text: say, ...named }];
    }
    if (part !== undefined) return [{ kind: 'text-part', text: part, ...named }];
    if (ask !== undefined) {
      const choices = ['yes', 'no'].map((one) => ({ id: one, label: `Say ${one}` }));
      return [{ kind: 'request', id: id ?? '', about: 'permission', title: ask, choices }];
    }
    if (call !== undefined) return [{ kind: 'tool', id: call, name: 'Bash', argument: call }];
    if (did !== undefined) return [{ kind: 'tool-result', id: did, done: true, ok: true, output: 'did' }];
    if (end === undefined) return [{ kind: 'raw', text }];
    this.seen.usage = { input: end - this.#before, output: 0, cached: 0 };
    this.seen.result = { ok: true, text: 'Done.' };
    return [{ kind: 'result', ok: true, text: 'Done.' }];
  }

  sent(text: string): readonly AgentEvent[] | undefined {
    if (!text.startsWith('{')) return undefined;
    const { answer, id } = JSON.parse(text) as Line;
    return answer === undefined
      ? undefined
      : [{ kind: 'request-closed', id: id ?? '', how: 'answered', choice: answer }];
  }
}

export const liveReader: OutputReader = {
  format: 'live',
  parser: (before) => new LiveParser(before),
  judge: (seen, exit) => judgement(ending(seen, exit), seen),
};

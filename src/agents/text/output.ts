import type { AgentEvent } from '../events.ts';
import type { Before, OutputParser, OutputReader, Seen } from '../adapter.ts';
import { quoted, say } from '../../words/saying.ts';
import { ending, exitEnding, judgement, lastLine } from '../judge.ts';
import { cut, oneLine, SUMMARY_LENGTH } from '../text.ts';
import { readControl, readTold, type Control } from './control.ts';

/**
 * Any program's plain output: a line is an event, and the exit status says how it went. A program that says hello as a live agent
 * tells the end of its turns, and what it asks, by control lines.
 */
class TextParser implements OutputParser {
  seen: Seen = {};
  #live: boolean;

  constructor({ live = false }: Before) {
    this.#live = live;
  }

  nextTurn(): void {
    this.seen = {};
  }

  line(text: string): readonly AgentEvent[] {
    const control = readControl(text);
    if (control?.kind === 'hello') {
      this.#live = true;
      return [];
    }
    if (control && this.#live) return this.#control(control);
    const words = oneLine(text, SUMMARY_LENGTH);
    if (words === '') return [];
    // It goes on: what was asked was answered, and what was the end of a turn is not the end any more.
    delete this.seen.attention;
    delete this.seen.result;
    this.seen.lastText = words;
    return [{ kind: 'output', text }];
  }

  /** What was told to a live agent: an answer settles its request, and a message is shown by its words. */
  sent(text: string): readonly AgentEvent[] | undefined {
    const told = this.#live ? readTold(text) : undefined;
    if (told === undefined) return undefined;
    if ('message' in told) return told.message.turn === undefined ? [{ kind: 'prompt', text: told.message.text }] : [];
    if ('interrupt' in told) return [];
    delete this.seen.attention;
    return [{ kind: 'request-closed', how: 'answered', ...told.answer }];
  }

  #control(control: Exclude<Control, { kind: 'hello' }>): readonly AgentEvent[] {
    switch (control.kind) {
      case 'request': {
        const { kind: about, ...request } = control.request;
        this.seen.attention = {
          for: about === 'question' ? 'input' : 'permission',
          what: quoted(oneLine(request.title)),
        };
        return [{ kind: 'request', about, ...request }];
      }
      case 'turn-ended': {
        const { outcome, summary = '' } = control;
        const ok = outcome === 'completed';
        const text = cut(summary.trim(), SUMMARY_LENGTH);
        delete this.seen.attention;
        this.seen.result = { ok, text, ...(outcome === 'interrupted' && { interrupted: true }) };
        return [{ kind: 'result', ok, text: text === '' ? say(outcome) : text }];
      }
      case 'withdrawn':
        delete this.seen.attention;
        return [{ kind: 'request-closed', id: control.id, how: 'cancelled' }];
      case 'received':
        return [];
    }
  }
}

export const textReader: OutputReader = {
  format: 'text',
  parser: (before) => new TextParser(before),
  judge(seen, exit, stderr) {
    const reason = lastLine(stderr) ?? seen.lastText;
    return judgement(seen.result ? ending(seen, exit, reason) : exitEnding(seen, exit, reason), seen);
  },
};

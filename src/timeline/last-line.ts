import type { AgentEvent } from '../agents/events.ts';
import { cut, oneLine } from '../agents/text.ts';

/** Characters of the line. */
const LENGTH = 200;
/** Characters that are held on to: enough for a line where much of them is blank. */
const HELD = LENGTH * 4;

/** The line that says what the agent did last: its words, or the tool that it called. */
export class LastLine {
  #last = '';
  /** The beginnings of messages that come in pieces. */
  readonly #messages = new Map<string, string>();

  get text(): string {
    return oneLine(this.#last, LENGTH);
  }

  note(event: AgentEvent): void {
    switch (event.kind) {
      case 'text-part': {
        const key = messageKey(event);
        const head = cut((this.#messages.get(key) ?? '') + event.text, HELD);
        this.#messages.set(key, head);
        this.#say(head);
        return;
      }
      case 'text':
      case 'output':
        this.#say(event.text);
        break;
      case 'tool':
        this.#say(event.argument === '' ? event.name : `${event.name}: ${event.argument}`);
        break;
      default:
    }
    if (this.#messages.size > 0) this.#messages.delete(messageKey(event));
  }

  /** No piece of a message comes any more. */
  endTurn(): void {
    this.#messages.clear();
  }

  #say(text: string): void {
    // A piece, so that the whole is not held on to.
    if (text !== '') this.#last = cut(text, HELD);
  }
}

/** Tells messages apart that come in pieces. One without an id goes on until its agent (or sub-agent) does something else. */
export function messageKey(event: AgentEvent): string {
  const id = event.kind === 'text' || event.kind === 'text-part' ? event.id : undefined;
  return JSON.stringify([event.parent ?? null, id ?? null]);
}

import type { AgentEvent } from './events.ts';
import type { OutputParser, OutputReader, Seen } from './adapter.ts';
import { say } from '../words/saying.ts';
import { exitEnding, judgement, lastLine } from './judge.ts';
import { oneLine } from './text.ts';

/** Output that no reader knows: one row says so, and the log has the rest. */
class UnknownParser implements OutputParser {
  readonly seen: Seen = {};
  readonly #format: string;
  #said = false;

  constructor(format: string) {
    this.#format = format;
  }

  line(): readonly AgentEvent[] {
    if (this.#said) {
      return [];
    }
    this.#said = true;
    return [{ kind: 'notice', text: say('unknown-format', { format: oneLine(this.#format, 40) }) }];
  }
}

/** The reader of a format that has none: how a turn ended follows from its exit alone. */
export function unknownReader(format: string): OutputReader {
  return {
    format,
    parser: () => new UnknownParser(format),
    judge: (seen, exit, stderr) => judgement(exitEnding(seen, exit, lastLine(stderr)), seen),
  };
}

import type { AgentEvent } from '../events.ts';
import type { OutputParser, OutputReader, Seen } from '../adapter.ts';
import { exitEnding, judgement, lastLine } from '../judge.ts';
import { oneLine, SUMMARY_LENGTH } from '../text.ts';

/** Any program's plain output: a line is an event, and the exit status says how it went. */
class TextParser implements OutputParser {
  readonly seen: Seen = {};

  line(text: string): readonly AgentEvent[] {
    const words = oneLine(text, SUMMARY_LENGTH);
    if (words === '') return [];
    this.seen.lastText = words;
    return [{ kind: 'output', text }];
  }
}

export const textReader: OutputReader = {
  format: 'text',
  parser: () => new TextParser(),
  judge: (seen, exit, stderr) => judgement(exitEnding(seen, exit, lastLine(stderr) ?? seen.lastText), seen),
};

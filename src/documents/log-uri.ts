import { STREAM_KEYS, type StreamKey } from '../keeper/protocol.ts';
import { TEXT_PARTS, type TextPart } from '../protocol/names.ts';

/** What can be read as a log: a stream of a turn, or the whole of a text that a timeline row shows a piece of. */
export type LogSource =
  | { readonly kind: 'stream'; readonly session: string; readonly turn: number; readonly stream: StreamKey }
  | { readonly kind: 'row'; readonly session: string; readonly seq: number; readonly part: TextPart };

/** What a person calls the streams; also the ends of their files' names. */
export const STREAM_NAMES: Readonly<Record<StreamKey, string>> = {
  o: 'stdout',
  e: 'stderr',
  i: 'stdin',
  k: 'treeline',
};

/** The endings by which the editor chooses a language. */
const PART_ENDINGS: Readonly<Record<TextPart, string>> = {
  text: 'md',
  input: 'json',
  output: 'log',
  diff: 'diff',
  request: 'md',
};

/** The path of a log document. Its last segment is what the tab shows; the rest is what it stands for. */
export function logPath(source: LogSource, label: string): string {
  const name = label.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60) || 'session';
  return source.kind === 'stream'
    ? `/${source.session}/turn-${source.turn}/${name}.${STREAM_NAMES[source.stream]}.log`
    : `/${source.session}/row-${source.seq}/${name}.${source.part}.${PART_ENDINGS[source.part]}`;
}

/** Reads a path that `logPath` made; anything else is undefined, so that nothing but a log can be named. */
export function parseLogPath(path: string): LogSource | undefined {
  const [, session = '', kind, number = '', file = ''] =
    /^\/([\w-]+)\/(turn|row)-([1-9]\d{0,15})\/([^/]+)$/.exec(path) ?? [];
  if (kind === 'turn') {
    const stream = STREAM_KEYS.find((key) => file.endsWith(`.${STREAM_NAMES[key]}.log`));
    return stream && { kind: 'stream', session, turn: Number(number), stream };
  }
  if (kind === 'row') {
    const part = TEXT_PARTS.find((each) => file.endsWith(`.${each}.${PART_ENDINGS[each]}`));
    return part && { kind: 'row', session, seq: Number(number), part };
  }
  return undefined;
}

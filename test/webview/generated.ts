import { makeRow } from './stand-in-host.ts';
import type { RowInit } from './stand-in-host.ts';
import type { Row } from '../../src/protocol/timeline.ts';

const whole = (text: string) => ({ text, bytes: Buffer.byteLength(text), cut: false });

/** Row by number: messages, thinking and tool calls of different heights, the same at every run. */
export function generated(seq: number): RowInit {
  switch (seq % 10) {
    case 1:
      return { kind: 'text', text: `Step ${seq}: I look at the **router** and its tests first.\n\n- one\n- two` };
    case 2:
      return {
        kind: 'thinking',
        text: `Perhaps the redirect of request ${seq} loses its query. `.repeat(1 + (seq % 7)),
      };
    case 3:
      return { kind: 'stderr', text: `warning ${seq}: deprecated option` };
    case 4:
      return {
        kind: 'tool',
        problem: true,
        tool: {
          name: 'Bash',
          argument: `npm test -- --grep ${seq}`,
          state: 'failed',
          exitCode: 1,
          durationMs: 2310,
          output: whole(`1 failing\nAssertionError: needle-${seq}`),
        },
      };
    case 5:
      return { kind: 'text', text: 'A longer explanation follows. '.repeat(2 + (seq % 13)) };
    default:
      return {
        kind: 'tool',
        depth: seq % 10 === 7 ? 1 : 0,
        tool: {
          name: 'Read',
          argument: `src/routes/login-${seq}.ts`,
          file: `src/routes/login-${seq}.ts`,
          line: 12,
          state: 'ok',
          durationMs: 40,
          input: whole(JSON.stringify({ file_path: `src/routes/login-${seq}.ts`, limit: 40 })),
          output: whole('const a = 1;\n'.repeat(12)),
          diff: whole('@@ -1,2 +1,2 @@\n-const a = 1;\n+const a = 2;\n export { a };'),
          resultLog: { stream: 'o', offset: 1, length: 2 },
        },
      };
  }
}

export function generatedRows(count: number): Row[] {
  return Array.from({ length: count }, (_, index) => makeRow(index + 1, generated(index + 1)));
}

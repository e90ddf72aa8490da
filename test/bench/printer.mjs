// An agent that prints stream-json lines, each with the moment (ns since the epoch) at which it was written.
//   printer.mjs LINES_PER_SECOND [WAKES_PER_SECOND]     an uneven clock, as agents have; for as long as a row may take
import { writeSync } from 'node:fs';

const [rate = 10, wakes = rate] = process.argv.slice(2).map(Number);
const session_id = '01a1fb15-c1c5-7861-9019-ca32b28a6fdb';
const filler = 'the agent says some words as agents do '.repeat(4);
let n = 0;

/** @param {string} text */
const line = (text) =>
  JSON.stringify({
    type: 'assistant',
    message: {
      id: `msg_${n}`,
      type: 'message',
      role: 'assistant',
      model: 'model-x',
      content: [{ type: 'text', text }],
    },
    parent_tool_use_id: null,
    session_id,
  });

writeSync(
  1,
  `${JSON.stringify({ type: 'system', subtype: 'init', cwd: '/w', model: 'model-x', tools: [], session_id })}\n`,
);
const print = () => {
  for (let i = 0; i < rate / wakes; i += 1) {
    n += 1;
    const at = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
    writeSync(1, `${line(`${n} @${at}@ ${filler}`)}\n`);
  }
  setTimeout(print, (1000 / wakes) * (0.5 + Math.random()));
};
print();
// Nobody is left to stop the agents of a benchmark that was killed.
setTimeout(() => process.exit(), 300_000);

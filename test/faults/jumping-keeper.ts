/** The keeper, on a machine whose clock is set anew in the middle of a turn: by TREELINE_TEST_JUMP ms, when the agent has said something. */
import { statSync } from 'node:fs';
import path from 'node:path';

const jump = Number(process.env['TREELINE_TEST_JUMP'] ?? 0);
const output = path.join(process.argv.at(-1) ?? '', 'stdout.log');
const { now } = Date;
let jumped = false;
Date.now = () => {
  jumped ||= (statSync(output, { throwIfNoEntry: false })?.size ?? 0) > 0;
  return jumped ? now() + jump : now();
};

await import('../../src/keeper/main.ts');

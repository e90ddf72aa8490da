/** The timeline's worker, which also ends itself as soon as a file appears: a crash that a test can cause. */
import { existsSync, rmSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import '../../../src/timeline/worker.ts';

const { wasm } = workerData as { wasm: string };
const trap = `${wasm}.crash`;
setInterval(() => {
  if (!existsSync(trap)) return;
  rmSync(trap);
  process.exit(1);
}, 5);

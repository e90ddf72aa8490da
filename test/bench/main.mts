/**
 * The benchmark: `npm run bench -- [--quick] [--json] [--only NAME]… [--dir FOLDER]`. One table of figures, each beside a
 * baseline that is measured in the same run. Ratios are what holds on another machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../setup/paths.mjs';
import { summarise, type Summary } from './figure.mts';
import { table } from './report.mts';
import { runRow } from './row.mts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    dir: { type: 'string', default: os.tmpdir() },
  },
});

const say = (text: string): void => console.error(text);

const folder = path.join(import.meta.dirname, 'rows');
const rows = (await readdir(folder)).map((name) => path.basename(name, '.mts')).sort();
const unknown = options.only.find((name) => !rows.includes(name));
if (unknown !== undefined) {
  say(`There is no row “${unknown}”; there are: ${rows.join(', ')}.`);
  process.exit(2);
}
const chosen = options.only.length === 0 ? rows : options.only;

const machine = {
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.availableParallelism(),
  memoryGb: Math.round(os.totalmem() / 1024 ** 3),
  system: `${os.type()} ${os.release()} ${os.arch()}`,
  node: process.version,
  git: execFileSync('git', ['version'], { encoding: 'utf8' }).trim(),
  loadBefore: os.loadavg()[0] ?? NaN,
  quick: options.quick,
};
const scratch = await realpath(await mkdtemp(path.join(options.dir, 'treeline-bench-')));
const dist = path.join(scratch, 'dist');
execFileSync(process.execPath, ['esbuild.mjs', '--production', `--out=${dist}`], { cwd: root, stdio: 'inherit' });
process.env['TREELINE_BENCH_DIST'] = dist;
const clear = (): Promise<void> => rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
const figures: Summary[] = [];
const failed: { row: string; why: string }[] = [];
const skipped: { row: string; why: string }[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say(`Ended by ${signal}.`);
    void clear().finally(() => process.exit(1));
  });
}
try {
  for (const name of chosen) {
    const start = performance.now();
    try {
      const found = await runRow(path.join(folder, `${name}.mts`), { scratch, quick: options.quick });
      if ('skipped' in found) skipped.push({ row: name, why: found.skipped });
      else figures.push(...found.map(summarise));
    } catch (error) {
      failed.push({ row: name, why: error instanceof Error ? error.message : String(error) });
    }
    say(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
} finally {
  await clear();
}

if (options.json) {
  console.log(JSON.stringify({ machine, figures, skipped, failed }, null, 2));
} else {
  const { cpu, cores, memoryGb, system, node, git, loadBefore } = machine;
  console.log(
    `${cpu}, ${cores} cores, ${memoryGb} GB · ${system} · node ${node} · ${git} · load ${loadBefore.toFixed(1)}`,
  );
  console.log('Only ratios hold on another machine.\n');
  console.log(table(figures));
  for (const { what, note } of figures) if (note !== undefined) console.log(`\n${what}: ${note}`);
  for (const { row, why } of skipped) console.log(`\n${row} skipped: ${why}`);
  for (const { row, why } of failed) console.log(`\n${row} FAILED: ${why}`);
}
process.exit(failed.length === 0 ? 0 : 1);

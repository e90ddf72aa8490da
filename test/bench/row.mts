/** A row of the benchmark, run in a process of its own: both ends of it. */
import { fork } from 'node:child_process';
import type { Figure } from './figure.mts';

/** A row that takes longer than this is ended: ms. */
const LONGEST = 300_000;

export interface RowContext {
  /** A folder for everything that the benchmark makes, shared by all rows; removed at the end. */
  readonly scratch: string;
  /** Sizes that take seconds: to see that all works, not for figures. */
  readonly quick: boolean;
}

/** In a row's file: measures, and hands the figures to the benchmark. Run alone, the file prints them. */
export async function row(measure: (context: RowContext) => Promise<readonly Figure[]>): Promise<void> {
  const context = JSON.parse(process.argv[2] ?? '{}') as RowContext;
  const figures = await measure(context);
  await new Promise<void>((done, failed) => {
    if (process.send === undefined) throw new Error('A row is run by main.mts.');
    process.send(figures, (error: Error | null) => {
      if (error === null) done();
      else failed(error);
    });
  });
  // Whatever a row still holds open.
  process.exit(0);
}

/** In the benchmark: runs a row's file and resolves with its figures. */
export function runRow(file: string, context: RowContext): Promise<readonly Figure[]> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LONGEST);
    const child = fork(file, [JSON.stringify(context)], { execArgv: ['--expose-gc'], stdio: 'inherit', signal });
    let figures: readonly Figure[] | undefined;
    child.on('message', (message) => (figures = message as readonly Figure[]));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (figures === undefined) reject(new Error(`It ended with code ${String(code)} before it had any figures.`));
      else resolve(figures);
    });
  });
}

/** A row of the benchmark, run in a process of its own: both ends of it. */
import { fork } from 'node:child_process';
import type { Figure } from './figure.mts';

/** A row that takes longer than this is ended: ms. */
const LONGEST = 900_000;

export interface RowContext {
  /** A folder for everything that the benchmark makes, shared by all rows; removed at the end. */
  readonly scratch: string;
  /** Sizes that take seconds: to see that all works, not for figures. */
  readonly quick: boolean;
}

/** What comes of a row: its figures, or why this machine cannot measure them. */
export type Outcome = readonly Figure[] | { readonly skipped: string };

/** In a row's file: measures, and hands the outcome to the benchmark. */
export async function row(measure: (context: RowContext) => Promise<Outcome>): Promise<void> {
  const context = JSON.parse(process.argv[2] ?? '{}') as RowContext;
  const outcome = await measure(context);
  await new Promise<void>((done, failed) => {
    if (process.send === undefined) throw new Error('A row is run by main.mts.');
    process.send(outcome, (error: Error | null) => {
      if (error === null) done();
      else failed(error);
    });
  });
  // Whatever a row still holds open.
  process.exit(0);
}

/** In the benchmark: runs a row's file and resolves with its outcome. */
export function runRow(file: string, context: RowContext): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LONGEST);
    const child = fork(file, [JSON.stringify(context)], { execArgv: ['--expose-gc'], stdio: 'inherit', signal });
    let outcome: Outcome | undefined;
    child.on('message', (message) => (outcome = message as Outcome));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (outcome === undefined) reject(new Error(`It ended with code ${String(code)} before it had any figures.`));
      else resolve(outcome);
    });
  });
}

import { availableParallelism, loadavg } from 'node:os';

/** A time that is promised on a machine of its own: where more wants to run than there are cores, each gets its share later. */
export function patience(ms: number): number {
  return ms * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}

/** What the benchmark measures, and how it is summed up. */

export type Unit = 'ms' | 'MB' | '%' | 'count' | 'lines/s';

/** What a figure is to reach; each part that is given must hold. */
export interface Goal {
  /** The figure divided by its baseline is at most this. */
  readonly ratio?: number;
  /** The figure divided by its baseline is at least this: for figures where more is better. */
  readonly ratioAtLeast?: number;
  /** The median is at most this. */
  readonly most?: number;
  /** The median is at most this much above the baseline's. */
  readonly more?: number;
}

/** One line of the table. */
export interface Figure {
  readonly what: string;
  readonly unit: Unit;
  /** The measurements; their median is the figure. */
  readonly values: readonly number[];
  /** What it is measured against, taken in the same run between the measurements. */
  readonly baseline?: readonly number[];
  /** Absent for a figure that only informs. */
  readonly goal?: Goal;
  /** How it was measured, where that is not plain. */
  readonly note?: string;
}

export interface Summary extends Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly baselineMedian?: number;
  readonly ratio?: number;
  readonly reached?: boolean;
}

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function summarise(figure: Figure): Summary {
  const { values, baseline, goal } = figure;
  const own = median(values);
  const base = baseline === undefined ? undefined : median(baseline);
  const ratio = base === undefined ? undefined : own / base;
  const summary = { ...figure, median: own, least: Math.min(...values), most: Math.max(...values) };
  return {
    ...summary,
    ...(base !== undefined && { baselineMedian: base }),
    ...(ratio !== undefined && Number.isFinite(ratio) && { ratio }),
    ...(goal !== undefined && { reached: isReached(goal, own, base) }),
  };
}

function isReached(goal: Goal, own: number, base = NaN): boolean {
  return (
    (goal.ratio === undefined || own <= base * goal.ratio) &&
    (goal.ratioAtLeast === undefined || own >= base * goal.ratioAtLeast) &&
    (goal.most === undefined || own <= goal.most) &&
    (goal.more === undefined || own <= base + goal.more)
  );
}

/** Milliseconds that some work takes. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The keeper, for which the 5 s that it does without a steward are 300 ms, and the 30 s between two of them 1 s. */
const { setTimeout: wait } = globalThis;
const shorter = (ms = 0): number => (ms > 10_000 && ms <= 30_000 ? 1000 : ms === 5000 ? 300 : ms);
globalThis.setTimeout = ((task: () => void, ms?: number) => wait(task, shorter(ms))) as typeof wait;

await import('../../../src/keeper/main.ts');

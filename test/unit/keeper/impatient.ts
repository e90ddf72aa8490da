/** The keeper, for which the two minutes that it waits for a first client are 300 ms. */
const { setTimeout: wait } = globalThis;
globalThis.setTimeout = ((task: () => void, ms?: number) => wait(task, ms === 120_000 ? 300 : ms)) as typeof wait;

await import('../../../src/keeper/main.ts');

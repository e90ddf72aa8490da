/** The keeper, on a machine whose clock is set anew in the middle of a turn: by TREELINE_TEST_JUMP ms, after 400 ms. */
const jump = Number(process.env['TREELINE_TEST_JUMP'] ?? 0);
const { now } = Date;
const startedAt = now();
Date.now = () => (now() - startedAt > 400 ? now() + jump : now());

await import('../../src/keeper/main.ts');

// The test command: sets up what is missing, runs every tier, and ends with one line "N passed, N failed".
//   npm test               all tiers
//   npm test -- unit e2e   these tiers, with the set-up that they need
import { fileURLToPath } from 'node:url';
import { underNode24 } from './setup/node24.mjs';
import { duration, Missing, say } from './setup/say.mjs';

const total = { passed: 0, failed: 0 };
try {
  await underNode24(fileURLToPath(import.meta.url));
  const { tiers } = await import('./tiers.mjs');
  const asked = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
  const unknown = asked.find((name) => !tiers.some((tier) => tier.name === name));
  if (unknown !== undefined) {
    throw new Missing(`There is no tier "${unknown}"; there are: ${tiers.map((tier) => tier.name).join(', ')}.`);
  }
  const { setUp } = await import('./setup/all.mjs');
  const chosen = tiers.filter((tier) => asked.length === 0 || asked.includes(tier.name));
  await setUp(new Set(chosen.flatMap((tier) => tier.needs)));
  for (const tier of chosen) {
    say(`${tier.name}: ${tier.what}`);
    const start = performance.now();
    const { passed, failed } = await tier.run();
    total.passed += passed;
    total.failed += failed;
    say(`${tier.name}: ${passed} passed, ${failed} failed in ${duration(performance.now() - start)}`);
  }
} catch (error) {
  total.failed += 1;
  console.error(error instanceof Missing ? `treeline: ${error.message}` : error);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

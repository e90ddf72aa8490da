// npm run package: builds Treeline and packs it into dist-test/treeline.vsix.
import { fileURLToPath } from 'node:url';
import { underNode24 } from './setup/node24.mjs';
import { vsix } from './setup/paths.mjs';
import { Missing, say } from './setup/say.mjs';

try {
  await underNode24(fileURLToPath(import.meta.url));
  const { setUp } = await import('./setup/all.mjs');
  await setUp(new Set(['dependencies']));
  const { pack } = await import('./setup/package.mjs');
  const { bytes } = await pack({ show: true });
  if (bytes === 0) throw new Missing('The extension could not be packed; the reason stands above.');
  say(`packed ${vsix}`);
} catch (error) {
  console.error(error instanceof Missing ? `treeline: ${error.message}` : error);
  process.exit(1);
}

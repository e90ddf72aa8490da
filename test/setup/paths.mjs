// Where things are in this checkout.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** Everything that the scripts fetch or make, apart from node_modules: may be deleted at any time. */
export const cache = path.join(root, '.cache');
/** The packed extension. */
export const vsix = path.join(root, 'dist-test', 'treeline.vsix');

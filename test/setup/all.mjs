// Everything that a tier, the bench or `npm run try` may need, made ready in one place.
import { setUpAgents } from './agents.mjs';
import { missingBrowserPackages } from './browser.mjs';
import { install } from './npm.mjs';
import { root } from './paths.mjs';
import { Missing } from './say.mjs';
import { missingPackages, setUpVscode } from './vscode.mjs';

/** @typedef {'dependencies' | 'vscode' | 'browser' | 'agents'} Need */

/**
 * The Debian packages that the machine lacks.
 * @param {Set<Need>} needs
 */
export function missing(needs) {
  return [...(needs.has('vscode') ? missingPackages() : []), ...(needs.has('browser') ? missingBrowserPackages() : [])];
}

/**
 * Says what the machine lacks before anything long begins, then installs what the registry can bring.
 * @param {Set<Need>} needs
 */
export async function setUp(needs) {
  const packages = missing(needs);
  if (packages.length > 0) {
    throw new Missing(`Please install what is missing first: sudo apt-get install ${packages.join(' ')}`);
  }
  if (needs.has('dependencies')) await install(root, 'the dependencies');
  if (needs.has('vscode')) await setUpVscode();
  if (needs.has('agents')) await setUpAgents();
}

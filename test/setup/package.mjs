// Builds the extension for use, and packs it.
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { root, vsix } from './paths.mjs';
import { run } from './say.mjs';

/**
 * Makes dist/ anew, minified, and the .vsix from it.
 * @returns {Promise<{ bytes: number, output: string }>} the size (0 when it could not be packed), and what vsce printed
 */
export async function pack({ show = false } = {}) {
  rmSync(vsix, { force: true });
  mkdirSync(path.dirname(vsix), { recursive: true });
  const node = (script, ...args) => run([process.execPath, path.join(root, script), ...args], { cwd: root, show });
  const built = await node('esbuild.mjs', '--production');
  if (built.code !== 0) return { bytes: 0, output: built.output };
  const packed = await node('node_modules/@vscode/vsce/vsce', 'package', '--no-dependencies', '--out', vsix);
  const bytes = packed.code === 0 && existsSync(vsix) ? statSync(vsix).size : 0;
  return { bytes, output: packed.output };
}

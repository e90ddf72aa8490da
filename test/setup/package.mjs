// Builds the extension for use, and packs it.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root, vsix } from './paths.mjs';
import { run } from './say.mjs';

/**
 * Makes dist/ anew, minified, and the .vsix from it.
 * @returns {Promise<{ bytes: number, output: string }>} the size (0 when it could not be packed), and what vsce printed
 */
export function pack({ show = false } = {}) {
  return packIn(root, vsix, show);
}

/**
 * The same of this tree with another version number: an update, as its makers would release it.
 * @returns {Promise<string>} the .vsix, which is made once and again when the tree's own was made anew
 */
export async function packVersion(version) {
  const file = path.join(path.dirname(vsix), `treeline-${version}.vsix`);
  if (existsSync(file) && statSync(file).mtimeMs > statSync(vsix).mtimeMs) return file;
  const copy = mkdtempSync(path.join(os.tmpdir(), 'treeline-version-'));
  try {
    for (const name of SOURCES) cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
    const manifest = path.join(copy, 'package.json');
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), version }, null, 2));
    const { bytes, output } = await packIn(copy, file, false);
    if (bytes === 0) throw new Error(`Version ${version} could not be packed: ${output}`);
    return file;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What a package is made from. */
const SOURCES = [
  ...['src', 'webview', 'media', 'l10n', 'esbuild.mjs', 'tsconfig.json', 'package.json', 'package-lock.json'],
  ...['package.nls.json', 'README.md', 'CHANGELOG.md', 'LICENSE', '.vscodeignore'],
];

async function packIn(tree, file, show) {
  rmSync(file, { force: true });
  mkdirSync(path.dirname(file), { recursive: true });
  const node = (script, ...args) => run([process.execPath, path.join(tree, script), ...args], { cwd: tree, show });
  const built = await node('esbuild.mjs', '--production');
  if (built.code !== 0) return { bytes: 0, output: built.output };
  const packed = await node('node_modules/@vscode/vsce/vsce', 'package', '--no-dependencies', '--out', file);
  const bytes = packed.code === 0 && existsSync(file) ? statSync(file).size : 0;
  return { bytes, output: packed.output };
}

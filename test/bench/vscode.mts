/** A real VS Code with the extension as packed, for the rows that measure up to the screen. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { findChromium } from '../setup/browser.mjs';
import { root } from '../setup/paths.mjs';
import { codeServer } from '../setup/vscode.mjs';
import { launchBrowser } from '../support/browser.mts';
import { VscodeServer } from '../support/vscode-server.mts';
import { DIST } from './place.mts';
import type { Outcome, RowContext } from './row.mts';

export interface Vscode {
  readonly server: VscodeServer;
  readonly browser: Browser;
}

/** The folder that all windows of the server share for Treeline. */
export function globalStorage(userData: string): string {
  return path.join(userData, 'User/globalStorage/treeline.treeline');
}

/**
 * Measures in a VS Code of its own, which is ended with all that runs in it, whatever happens; says so when the machine has none.
 * @param prepare is called with the folder of the user data before VS Code starts.
 */
export async function inVscode(
  { scratch }: RowContext,
  measure: (vscode: Vscode) => Promise<Outcome>,
  prepare: (userData: string) => void = () => undefined,
): Promise<Outcome> {
  if (!existsSync(codeServer) || findChromium() === undefined) {
    return {
      skipped:
        'there is no VS Code or no Chromium to measure in; `npm test -- e2e` fetches the one and asks for the other.',
    };
  }
  const vsix = pack(scratch);
  const dir = path.join(scratch, `vscode-${process.pid}`);
  prepare(path.join(dir, 'user-data'));
  const server = await VscodeServer.start({
    dir,
    extensions: [vsix],
    machineSettings: { 'treeline.maxConcurrent': 100, 'treeline.warmWorktrees': 0 },
  });
  const browser = await launchBrowser();
  const end = async (): Promise<void> => {
    await browser.close();
    await server.stop();
  };
  process.once('SIGTERM', () => void end().finally(() => process.exit(1)));
  try {
    return await measure({ server, browser });
  } finally {
    await end();
  }
}

/** Packs the bundles that the benchmark has made, once for all rows. */
function pack(scratch: string): string {
  const vsix = path.join(scratch, 'treeline.vsix');
  if (existsSync(vsix)) return vsix;
  const folder = path.join(scratch, 'package');
  mkdirSync(folder, { recursive: true });
  const shipped = ['package.json', 'package.nls.json', 'l10n', 'media', 'README.md', 'CHANGELOG.md', 'LICENSE'];
  for (const name of ['.vscodeignore', ...shipped]) {
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  cpSync(DIST, path.join(folder, 'dist'), { recursive: true });
  const vsce = path.join(root, 'node_modules/@vscode/vsce/vsce');
  execFileSync(process.execPath, [vsce, 'package', '--no-dependencies', '--out', vsix], { cwd: folder, stdio: 'pipe' });
  return vsix;
}

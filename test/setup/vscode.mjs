// The VS Code that the tests drive: the npm package code-server, a real workbench and a real extension host in a browser.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { install } from './npm.mjs';
import { root } from './paths.mjs';
import { Missing, run } from './say.mjs';

const folder = path.join(root, 'test/vscode');
/** Its executable, to be run by Node 24. */
export const codeServer = path.join(folder, 'node_modules/code-server/out/node/entry.js');

/** What code-server's native add-ons build with: how to see that it is there, and the Debian package that brings it. */
const needed = [
  { package: 'libkrb5-dev', present: () => existsSync('/usr/include/gssapi/gssapi.h') },
  { package: 'python3', present: () => onPath('python3') },
  { package: 'make', present: () => onPath('make') },
  { package: 'g++', present: () => onPath('g++') || onPath('c++') },
];

/** @param {string} program */
export function onPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((dir) => existsSync(path.join(dir, program)));
}

/** The Debian packages that are missing for the test VS Code. On another system only its own install can tell. */
export function missingPackages() {
  if (process.platform !== 'linux' || existsSync(codeServer)) return [];
  return needed.filter((each) => !each.present()).map((each) => each.package);
}

/** Installs the test VS Code, once. */
export async function setUpVscode() {
  await install(folder, 'the VS Code that the tests drive (about 2 minutes, 600 MB)');
  const { code, output } = await run([process.execPath, codeServer, '--version']);
  if (code !== 0)
    throw new Missing(`The test VS Code does not start; delete test/vscode/node_modules and try again: ${output}`);
}

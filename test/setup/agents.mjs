// The real agent CLIs from npm, for the end-to-end tests. They only ever talk to the model server in test/support.
import path from 'node:path';
import { install } from './npm.mjs';
import { root } from './paths.mjs';

const folder = path.join(root, 'test/agents');
/** The folder that holds `claude` and `codex`, to be put on the PATH of a test. */
export const agentsBin = path.join(folder, 'node_modules/.bin');

/** Installs them, once. */
export async function setUpAgents() {
  await install(folder, 'Claude Code and Codex for the end-to-end tests (about 750 MB)');
}

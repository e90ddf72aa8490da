/** A window that starts a run and then stays until it is killed. */
import { openKeeper, readSpec } from '../../../src/keeper/client.ts';
import { ENTRY } from './support.ts';

const runFolder = process.argv[2] ?? '';
const launch = { execPath: process.execPath, entry: ENTRY, runFolder, env: process.env };
const keeper = await openKeeper(await readSpec(runFolder), launch, { timeoutMs: 20_000 });
await keeper.start();
await keeper.closed;

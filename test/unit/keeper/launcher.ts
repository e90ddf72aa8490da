/** A window that starts a turn and then stays until it is killed. */
import { openKeeper, readSpec } from '../../../src/keeper/client.ts';
import { ENTRY } from './support.ts';

const turnFolder = process.argv[2] ?? '';
const launch = { execPath: process.execPath, entry: ENTRY, turnFolder, env: process.env };
const keeper = await openKeeper(await readSpec(turnFolder), launch, { timeoutMs: 20_000 });
await keeper.start();
await keeper.closed;

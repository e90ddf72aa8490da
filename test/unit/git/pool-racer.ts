// A process that makes a worktree at the word: `pool-racer.ts REPOSITORY FOLDER BRANCH COMMIT`; tells whether it was a warm one.
import { once } from 'node:events';
import path from 'node:path';
import { findRepository } from '../../../src/git/repository.ts';
import { addWorktree } from '../../../src/git/worktrees.ts';

const [, , repo = '', folder = '', branch = '', base = ''] = process.argv;
const repository = await findRepository(repo);
if (repository === undefined) throw new Error(`${repo} is no repository.`);
process.send?.('ready');
await once(process, 'message');
const { warm } = await addWorktree(repository, { path: path.join(folder, branch), branch, base, warm: true });
process.send?.(warm === true, () => process.exit(0));

// A process that is killed at its work: `pool-victim.ts fill|take REPOSITORY FOLDER BRANCH COMMIT`.
import path from 'node:path';
import { fillPool } from '../../../src/git/pool.ts';
import { findRepository } from '../../../src/git/repository.ts';
import { addWorktree } from '../../../src/git/worktrees.ts';

const [, , what = '', repo = '', folder = '', branch = '', commit = ''] = process.argv;
const repository = await findRepository(repo);
if (repository === undefined) throw new Error(`${repo} is no repository.`);
console.log('at work');
if (what === 'fill') await fillPool(repository, { folder, commit });
else await addWorktree(repository, { path: path.join(folder, branch), branch, base: commit, warm: true });
setInterval(() => undefined, 1000);

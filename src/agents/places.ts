import { readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Folders in which people's own programs lie and which a VS Code that was started from the desktop may not have on its PATH:
 * package managers of the system and of node, and version managers. `~` is the home folder, `$NAME` at the beginning a
 * variable of the environment, and `*` any one name, the highest version first.
 */
export const COMMON_PLACES: readonly string[] = [
  '~/.local/bin',
  '~/bin',
  '~/.npm-global/bin',
  '~/.npm-packages/bin',
  '$PNPM_HOME',
  '~/.local/share/pnpm',
  '~/Library/pnpm',
  '$BUN_INSTALL/bin',
  '~/.bun/bin',
  '~/.yarn/bin',
  '~/.deno/bin',
  '~/.cargo/bin',
  '$VOLTA_HOME/bin',
  '~/.volta/bin',
  '~/.asdf/shims',
  '~/.local/share/mise/shims',
  '~/.nodenv/shims',
  '$NVM_DIR/versions/node/*/bin',
  '~/.nvm/versions/node/*/bin',
  '~/.local/share/fnm/node-versions/*/installation/bin',
  '~/Library/Application Support/fnm/node-versions/*/installation/bin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
  '/usr/local/bin',
  '/snap/bin',
  '$APPDATA/npm',
  '$LOCALAPPDATA/pnpm',
  '$LOCALAPPDATA/Volta/bin',
  '$APPDATA/fnm/node-versions/*/installation',
  '~/scoop/shims',
  '$NVM_SYMLINK',
];

/** The folders that patterns stand for, in their order. Those that have a `*` are there; the others may not be. */
export async function expandPlaces(patterns: readonly string[], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const folders = await Promise.all(patterns.map((pattern) => expand(pattern, env)));
  return [...new Set(folders.flat())];
}

async function expand(pattern: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const [first = '', ...others] = pattern.split('/');
  const root = rootOf(first, env);
  // Anything that is not absolute would mean another folder in each worktree.
  if (root === undefined || !path.isAbsolute(root)) {
    return [];
  }
  let folders = [root];
  for (const name of others) {
    folders =
      name === '*'
        ? (await Promise.all(folders.map(subfolders))).flat()
        : folders.map((folder) => path.join(folder, name));
  }
  return folders;
}

function rootOf(first: string, env: NodeJS.ProcessEnv): string | undefined {
  if (first === '') {
    return '/';
  }
  if (first === '~') {
    return env['HOME'] ?? env['USERPROFILE'];
  }
  return first.startsWith('$') ? env[first.slice(1)] : first;
}

const byVersion = new Intl.Collator('en', { numeric: true });

async function subfolders(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.sort((a, b) => byVersion.compare(b, a)).map((name) => path.join(folder, name));
  } catch {
    // Not there, or not for us: for a search both are no.
    return [];
  }
}

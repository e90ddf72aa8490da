import { TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { gitText } from './git.ts';
import type { Repository } from './types.ts';

/** What a branch template's placeholders stand for. */
export interface BranchParts {
  /** The session's display name, which becomes `${slug}`. */
  readonly name: string;
  /** The session's short id: `${id}`. */
  readonly id: string;
  /** Agent id: `${agent}`. */
  readonly agent: string;
}

const SLUG_LENGTH = 40;
const PLACEHOLDER = /\$\{(\w+)\}/g;

/** Letters that NFKD does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** Words of a name in `[a-z0-9]`, joined by `-`, at most 40 characters; `task` when nothing is left. */
export function slug(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    // don't → dont
    .replace(/(?<=\w)['’](?=\w)/g, '')
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter] ?? '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  let result = '';
  for (const word of words) {
    const longer = result === '' ? word.slice(0, SLUG_LENGTH) : `${result}-${word}`;
    if (longer.length > SLUG_LENGTH) break;
    result = longer;
  }
  return result || 'task';
}

/** The branch for a session. Throws a TreelineError for a template that cannot give a valid name. */
export function branchName(template: string, { name, id, agent }: BranchParts): string {
  const values: Readonly<Record<string, string>> = { slug: slug(name), id, agent: slug(agent) };
  const branch = template.replace(PLACEHOLDER, (whole, key: string) =>
    Object.hasOwn(values, key) ? (values[key] ?? '') : whole,
  );
  if (!isBranchName(branch) || branch.includes('${')) {
    throw new TreelineError(
      say('bad-branch-template', {
        template: JSON.stringify(template),
        branch: JSON.stringify(branch),
        places: ['${slug}', '${id}', '${agent}'],
      }),
    );
  }
  return branch;
}

/**
 * Whether git takes `name` as a branch: the rules of git-check-ref-format(1), and `--branch`'s that it starts with no `-`;
 * stricter in that it also fits a Windows file name, because git stores branches as files.
 */
export function isBranchName(name: string): boolean {
  return (
    name !== '' &&
    name.length <= 200 &&
    name !== 'HEAD' &&
    !name.startsWith('-') &&
    !/[\x00-\x20\x7f~^:?*[\\"<>|]|\.\.|@\{|\/\/|^@$/.test(name) &&
    // A lone surrogate is not UTF-8.
    name.isWellFormed() &&
    name
      .split('/')
      .every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.') && !/\.lock$/i.test(part))
  );
}

/** The full names of all branches, remote branches and tags. */
export async function takenRefs({ commonDir }: Repository, signal?: AbortSignal): Promise<string[]> {
  const kinds = ['refs/heads', 'refs/remotes', 'refs/tags'];
  const args = ['--git-dir', commonDir, 'for-each-ref', '--format=%(refname)', ...kinds];
  return (await gitText(commonDir, args, { signal })).split('\n');
}

/**
 * `wanted`, or the same with -2, -3 …, such that no local branch, remote branch or tag has the name, none is a folder of it
 * (`a` and `a/b` exclude each other), and none differs in case alone. Somebody else can still take it before it is made:
 * addWorktree then fails with `branch-exists`.
 *
 * @param refs full names.
 */
export function firstFree(wanted: string, refs: readonly string[]): string {
  const taken = new Set<string>();
  const folders = new Set<string>();
  for (const ref of refs.map(folded)) {
    const [, kind, rest] = /^refs\/(heads|remotes|tags)\/(.*)$/.exec(ref) ?? [];
    if (rest === undefined) continue;
    if (kind === 'tags') {
      taken.add(rest);
      continue;
    }
    const name = kind === 'heads' ? rest : rest.slice(rest.indexOf('/') + 1);
    taken.add(name);
    for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
      folders.add(name.slice(0, slash));
    }
    // A remote's own name may hold slashes: any end of the name may be the branch.
    if (kind === 'remotes') {
      for (let slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
        taken.add(`\0${name.slice(slash + 1)}`);
      }
    }
  }
  const parts = wanted.split('/');
  return parts
    .map((_, depth) => depth)
    .reduce((parent, depth) => {
      const leaf = depth === parts.length - 1;
      const own = parent === '' ? String(parts[depth]) : `${parent}/${String(parts[depth])}`;
      for (let count = 1; ; count++) {
        const name = count === 1 ? own : `${own}-${count}`;
        const key = folded(name);
        if (!taken.has(key) && !(leaf && (folders.has(key) || taken.has(`\0${key}`)))) return name;
      }
    }, '');
}

/** Names that are one file on a case-insensitive, normalising file system become one text. */
function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

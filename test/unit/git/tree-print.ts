import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Everything that can be seen of a folder, byte for byte: names (as bytes), kinds, modes, times, contents, link targets.
 * Two folders with the same print are the same to any program.
 */
export async function treePrint(folder: string | Buffer, { times = true } = {}): Promise<Record<string, string>> {
  const print: Record<string, string> = {};
  const visit = async (at: Buffer, name: string): Promise<void> => {
    const stat = await lstat(at, { bigint: true });
    const content = stat.isSymbolicLink()
      ? (await readlink(at, 'buffer')).toString('latin1')
      : stat.isFile()
        ? createHash('sha256')
            .update(await readFile(at))
            .digest('hex')
        : '';
    print[name] = [stat.mode.toString(8), ...(times ? [stat.mtimeNs] : []), content].join(' ');
    if (!stat.isDirectory()) return;
    for (const entry of (await readdir(at, 'buffer')).sort(Buffer.compare)) {
      await visit(Buffer.concat([at, Buffer.from('/'), entry]), `${name}/${entry.toString('latin1')}`);
    }
  };
  await visit(Buffer.from(folder), '.');
  return print;
}

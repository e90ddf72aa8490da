import { say, type Saying } from '../words/saying.ts';

/** Linux: one argument may have 128 KiB with its final NUL (MAX_ARG_STRLEN, execve(2)). */
const LINUX_ARGUMENT_BYTES = 128 * 1024 - 1;
/** macOS: ARG_MAX is 1 MiB for arguments and environment together; half of it leaves room for any environment. Not run here. */
const DARWIN_ALL_BYTES = 512 * 1024;
/** Windows: the whole command line (CreateProcess), quotes included. Not run here. */
const WINDOWS_ALL_CHARACTERS = 32_767;

/** Why the system could not start a program with these arguments, as the end of a sentence; undefined when it can. */
export function checkArgv(argv: readonly string[], platform: NodeJS.Platform = process.platform): Saying | undefined {
  if (argv.some((element) => element.includes('\0'))) return say('argument.nul');
  if (platform === 'win32') {
    // Each element may get two quotes and a blank, and a backslash before each quote and backslash of its own.
    const length = argv.reduce((sum, one) => sum + one.length + 3 + (one.match(/["\\]/g)?.length ?? 0), 0);
    return length > WINDOWS_ALL_CHARACTERS
      ? say('argument.windows', { most: WINDOWS_ALL_CHARACTERS, count: length })
      : undefined;
  }
  const sizes = argv.map((element) => Buffer.byteLength(element));
  if (platform === 'darwin') {
    const all = sizes.reduce((sum, size) => sum + size + 1, 0);
    return all > DARWIN_ALL_BYTES ? say('argument.macos', { most: DARWIN_ALL_BYTES, count: all }) : undefined;
  }
  const longest = Math.max(...sizes);
  return longest > LINUX_ARGUMENT_BYTES
    ? say('argument.linux', { most: LINUX_ARGUMENT_BYTES, count: longest })
    : undefined;
}

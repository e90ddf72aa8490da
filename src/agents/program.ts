import { listOf, string } from '../platform/check.ts';
import { errorText } from '../platform/errors.ts';

/** What the settings say of a built-in agent's program. */
export interface ProgramOptions {
  /** Name or absolute path; the CLI's usual name when absent. */
  readonly command?: string;
  /** Further arguments of every turn. */
  readonly args: readonly string[];
}

/**
 * Reads the settings `treeline.<agent>.command` and `treeline.<agent>.args`. What is wrong is left out, and named in
 * `problems`, one sentence each.
 */
export function parseProgram(
  agent: string,
  settings: { readonly command?: unknown; readonly args?: unknown },
): { readonly options: ProgramOptions; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      problems.push(errorText(error));
      return otherwise;
    }
  };
  const { command: givenCommand = '', args: givenArgs = [] } = settings;
  const command = read(() => string(givenCommand, `treeline.${agent}.command`).trim(), '');
  const args = read(() => listOf(string)(givenArgs, `treeline.${agent}.args`), []);
  if (command.includes('\0') || args.some((arg) => arg.includes('\0'))) {
    problems.push(`treeline.${agent}.command and .args must not contain NUL characters.`);
    return { options: { args: [] }, problems };
  }
  return { options: { args, ...(command !== '' && { command }) }, problems };
}

/** Whether one of these options stands among the user's own arguments, as `--name`, `--name=value` or (for one letter) `-nvalue`. */
export function givesOption(args: readonly string[], names: readonly string[]): boolean {
  return args.some((arg) =>
    names.some((name) => arg === name || arg.startsWith(name.startsWith('--') ? `${name}=` : name)),
  );
}

/** What the settings say of the built-in agents' programs, by the agents' ids. */
export type Programs = Readonly<Record<string, ProgramOptions | undefined>>;

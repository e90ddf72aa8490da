/** The command line: it wants what windows want, and reads what they read, whether or not one is open. */
import path from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { oneLine } from '../agents/text.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { openPlace } from './command/place.ts';
import { VERBS } from './command/verbs.ts';

const HELP = `Usage: treeline COMMAND [OPTIONS]      in a repository that Treeline knows

  list                      The sessions.   --watch: and again on every change
  spawn PROMPT              A new session in a worktree of its own.
                              --agent ID, --name NAME, --base REF, --expect FILE
  send SESSION MESSAGE      A message to an agent that is running.
  stop SESSION              End the agent and all that it started.
  resume SESSION PROMPT     The next turn.   --fresh: in a new conversation
  log SESSION               What the agent printed.   -f: and what it prints
  events SESSION            The same as a timeline.   -f: and what comes
  diff SESSION              What has changed since the session began.
  archive SESSION           Move the worktree to the trash; the branch stays.
  health                    What is not as it should be.

SESSION is an ID or a name as list shows them, or the beginning of one.
A PROMPT or MESSAGE of - is read from standard input.
--json gives list, spawn, resume, events and health as JSON.
-C FOLDER works in another folder.

Agents keep running when this command ends.`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  watch: { type: 'boolean', default: false },
  follow: { type: 'boolean', short: 'f', default: false },
  fresh: { type: 'boolean', default: false },
  agent: { type: 'string', short: 'a' },
  name: { type: 'string' },
  base: { type: 'string' },
  expect: { type: 'string', multiple: true, default: [] as string[] },
  folder: { type: 'string', short: 'C' },
  help: { type: 'boolean', short: 'h', default: false },
  /** Where Treeline keeps its data, for a program that does not lie in it. */
  storage: { type: 'string' },
} as const satisfies NonNullable<ParseArgsConfig['options']>;

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const { folder, help, storage, ...given } = values;
  const [name, ...words] = positionals;
  if (help || name === undefined || name === 'help') {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) throw usage(`There is no command “${name}”; “treeline help” shows them.`);
  const wrong = Object.entries(given).find(([option, value]) => isGiven(value) && !isOf(verb.options, option));
  if (wrong !== undefined) throw usage(`“treeline ${name}” has no option --${wrong[0]}; “treeline help” shows them.`);
  const place = await openPlace(path.resolve(folder ?? '.'), storage);
  await verb.run(place, { ...given, words });
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Its first sentence says what is wrong.
    throw usage(errorText(error).replace(/\. .*$/s, '.'));
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

function isOf(options: readonly string[], option: string): boolean {
  return options.includes(option);
}

function usage(sentence: string): TreelineError {
  return new TreelineError('usage', sentence);
}

// Whoever reads may have seen enough: `treeline log x | head`.
process.stdout.on('error', () => process.exit(0));
main(process.argv.slice(2)).then(
  // What was printed is to arrive first.
  () => process.stdout.write('', () => process.exit(0)),
  (error: unknown) => {
    console.error(`treeline: ${oneLine(errorText(error), 1000)}`);
    process.exit(error instanceof TreelineError && error.code === 'usage' ? 2 : 1);
  },
);

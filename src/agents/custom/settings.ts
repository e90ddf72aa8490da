import path from 'node:path';
import { isRecord, listOf, mapOf, nonEmpty, oneOf, optional, shape, string } from '../../platform/check.ts';
import { errorText } from '../../platform/errors.ts';
import { AGENTS, FORMATS, READERS } from '../table.ts';
import { cut, oneLine } from '../text.ts';
import { PLACEHOLDERS, placeholders, STDIN, type CustomAgent } from './adapter.ts';

/** Ids of the agents that Treeline has an adapter for. */
const RESERVED = new Set(AGENTS.map(({ id }) => id));
const ID = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const FIELDS = new Set(['id', 'name', 'command', 'resume', 'format', 'stdin', 'env']);

/** Programs that run one of their arguments as code, and the options that say which. */
const SHELLS = /^(?:ba|z|da|k|fi|a|c|tc)?sh$|^cmd$|^powershell$|^pwsh$/;
const SCRIPT_OPTION = /^(?:-[a-z]*c|\/[ck]|-command|-encodedcommand)$/i;

const readEntry = shape({
  id: nonEmpty,
  name: nonEmpty,
  command: listOf(string),
  resume: optional(listOf(string)),
  format: optional(oneOf(FORMATS)),
  stdin: optional(oneOf(STDIN)),
  env: optional(mapOf(string)),
});

/**
 * Reads the setting `treeline.customAgents`. A bad entry is left out and named in `problems`, one sentence for each thing
 * that is wrong; the others stay.
 */
export function parseCustomAgents(value: unknown): {
  readonly agents: readonly CustomAgent[];
  readonly problems: readonly string[];
} {
  if (value === undefined || value === null) return { agents: [], problems: [] };
  if (!Array.isArray(value)) {
    return { agents: [], problems: ['treeline.customAgents must be a list of agents: no custom agent is available.'] };
  }
  const agents: CustomAgent[] = [];
  const problems: string[] = [];
  for (const [index, entry] of (value as readonly unknown[]).entries()) {
    const what = entryName(entry, index);
    const unknown = isRecord(entry) ? Object.keys(entry).filter((key) => !FIELDS.has(key)) : [];
    if (unknown.length > 0) problems.push(`${what}: unknown fields are ignored: ${oneLine(unknown.join(', '))}.`);
    let agent: CustomAgent;
    try {
      agent = complete(readEntry(entry, what));
    } catch (error) {
      problems.push(errorText(error));
      continue;
    }
    const faults = faultsOf(agent, agents);
    problems.push(...faults.map((fault) => `${what}: ${fault}`));
    if (faults.length === 0) agents.push(agent);
  }
  return { agents, problems };
}

/** How a problem names its entry: the place in the list, and the id where there is one. */
function entryName(entry: unknown, index: number): string {
  const id = isRecord(entry) && typeof entry['id'] === 'string' ? ` (“${cut(oneLine(entry['id']), 40)}”)` : '';
  return `treeline.customAgents[${index}]${id}`;
}

function complete({ id, name, command, resume, format, stdin, env }: ReturnType<typeof readEntry>): CustomAgent {
  return {
    id,
    name: oneLine(name, 80),
    command,
    ...(resume && { resume }),
    format: format ?? 'text',
    ...(stdin && { stdin }),
    env: env ?? {},
  };
}

function faultsOf(agent: CustomAgent, others: readonly CustomAgent[]): string[] {
  const { id, format, command, resume } = agent;
  const faults: string[] = [];
  if (!ID.test(id)) {
    faults.push('id must be 1 to 40 small letters, digits, “-” or “_”, and begin with a letter or digit.');
  } else if (RESERVED.has(id)) {
    faults.push(`the id “${id}” is that of an agent that Treeline knows already: choose another one.`);
  } else if (others.some((other) => other.id === id)) {
    faults.push(`the id “${id}” is taken by an entry before it: choose another one.`);
  }
  if (agent.name === '') faults.push('name must show something.');
  faults.push(...argvFaults('command', command), ...(resume ? argvFaults('resume', resume) : []));
  const ids = READERS.find((reader) => reader.format === format)?.ids;
  if (ids?.chosen !== true && placeholders(command).has('agentSession')) {
    faults.push(
      `command cannot use \${agentSession}: an agent with the format “${format}” is not given its id beforehand.`,
    );
  }
  if (ids === undefined && resume && placeholders(resume).has('agentSession')) {
    faults.push(`resume cannot use \${agentSession}: the format “${format}” names no agent session; use \${session}.`);
  }
  for (const [name, value] of Object.entries(agent.env)) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
      faults.push('env must have names without “=”, and no NUL characters.');
    }
  }
  return faults;
}

function argvFaults(field: string, argv: readonly string[]): string[] {
  const program = argv[0];
  if (program === undefined || program.trim() === '') return [`${field} must begin with the program to run.`];
  const faults: string[] = [];
  if (argv.some((element) => element.includes('\0'))) faults.push(`${field} must not contain NUL characters.`);
  const unknown = [...placeholders(argv)].filter((name) => !(PLACEHOLDERS as readonly string[]).includes(name));
  if (unknown.length > 0) {
    const known = PLACEHOLDERS.map((name) => `\${${name}}`).join(' ');
    const names = oneLine(unknown.map((name) => `\${${name}}`).join(', '));
    faults.push(`${field} uses ${names}, which Treeline does not know: there are ${known} and no other variables.`);
  }
  if (/[\\/]/.test(program) && !path.isAbsolute(program) && !program.startsWith('${worktree}')) {
    faults.push(`${field} begins with a relative path: use a program name, an absolute path, or \${worktree}/….`);
  }
  if (runsPromptAsCode(argv)) {
    faults.push(
      `${field} puts \${prompt} into a script for a shell, which would run it as code: ` +
        'pass it as an argument of its own ("$1") or use ${promptFile}.',
    );
  }
  return faults;
}

/** No string of a prompt reaches a shell as code: for a shell, `${prompt}` must be a whole argument behind the script. */
function runsPromptAsCode(argv: readonly string[]): boolean {
  const program = path.win32.basename(argv[0] ?? '').replace(/\.exe$/i, '');
  if (!SHELLS.test(program.toLowerCase())) return false;
  const script = argv.findIndex((element, index) => index > 0 && SCRIPT_OPTION.test(element)) + 1;
  return argv.some(
    (element, index) => element.includes('${prompt}') && (element !== '${prompt}' || (script > 0 && index === script)),
  );
}

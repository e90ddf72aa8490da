import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { isRecord, listOf, mapOf, nonEmpty, oneOf, optional, shape, string } from '../platform/check.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { OUTPUT_FORMATS, type OutputFormat } from '../store/facts.ts';
import type { AgentAdapter, Launch, TurnRequest } from './adapter.ts';
import { checkArgv } from './argv.ts';
import { cut, oneLine } from './text.ts';
import { isUuid } from './uuid.ts';

/** An agent of the user's own: an entry of the setting `treeline.customAgents`, checked and completed. */
export interface CustomAgent {
  readonly id: string;
  readonly name: string;
  /** argv of a first turn, with placeholders. */
  readonly command: readonly string[];
  /** argv of a further turn; without it the agent cannot be resumed. */
  readonly resume?: readonly string[];
  readonly format: OutputFormat;
  /** When absent: closed where the argv says what the prompt is, else the prompt. */
  readonly stdin?: Launch['stdin'];
  readonly env: Readonly<Record<string, string>>;
}

/** Ids of the agents that Treeline has, or will have, an adapter for. */
const RESERVED = new Set(['claude', 'codex', 'opencode', 'gemini']);
const ID = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const STDIN = ['closed', 'prompt', 'lines'] as const;
const PLACEHOLDERS = ['prompt', 'promptFile', 'worktree', 'session', 'agentSession'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];
const ANY_PLACEHOLDER = /\$\{([^{}]*)\}/g;
const FIELDS = new Set(['id', 'name', 'command', 'resume', 'format', 'stdin', 'env']);

/** Programs that run one of their arguments as code, and the options that say which. */
const SHELLS = /^(?:ba|z|da|k|fi|a|c|tc)?sh$|^cmd$|^powershell$|^pwsh$/;
const SCRIPT_OPTION = /^(?:-[a-z]*c|\/[ck]|-command|-encodedcommand)$/i;

const readEntry = shape({
  id: nonEmpty,
  name: nonEmpty,
  command: listOf(string),
  resume: optional(listOf(string)),
  format: optional(oneOf(OUTPUT_FORMATS)),
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
    faults.push(`the id “${id}” is reserved for Treeline's own adapter: choose another one.`);
  } else if (others.some((other) => other.id === id)) {
    faults.push(`the id “${id}” is taken by an entry before it: choose another one.`);
  }
  if (agent.name === '') faults.push('name must show something.');
  faults.push(...argvFaults('command', command), ...(resume ? argvFaults('resume', resume) : []));
  if (format !== 'claude' && placeholders(command).has('agentSession')) {
    faults.push(
      'command cannot use ${agentSession}: only an agent with the format “claude” is given its id beforehand.',
    );
  }
  if (format === 'text' && resume && placeholders(resume).has('agentSession')) {
    faults.push('resume cannot use ${agentSession}: plain text names no agent session; use ${session}.');
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

function placeholders(argv: readonly string[]): ReadonlySet<string> {
  return new Set(argv.flatMap((element) => [...element.matchAll(ANY_PLACEHOLDER)].map((match) => match[1] ?? '')));
}

function tellsPrompt(argv: readonly string[]): boolean {
  const used = placeholders(argv);
  return used.has('prompt') || used.has('promptFile');
}

/** The adapter of a checked entry. */
export function customAdapter(agent: CustomAgent): AgentAdapter {
  const { id, name, format, command, resume } = agent;
  const program = command[0] ?? '';
  const launch = (template: readonly string[], request: TurnRequest): Launch => ({
    argv: expand(template, request, name),
    stdin: agent.stdin ?? (tellsPrompt(template) ? 'closed' : 'prompt'),
    ...(Object.keys(agent.env).length > 0 && { env: agent.env }),
  });
  return {
    id,
    name,
    format,
    detection: {
      // A program inside the worktree is not there before the worktree is; and a user's own command is never run for a version.
      argv: program.includes('${') ? [] : [program],
      install: `Correct the command of “${name}” in the treeline.customAgents setting.`,
    },
    ...(placeholders(command).has('agentSession') && { newAgentSession: () => randomUUID() }),
    ...(format === 'text' && resume && { resumesBySession: true }),
    isAgentSession: format === 'text' ? (session) => session !== '' : isUuid,
    start: (request) => launch(command, request),
    ...(resume && { resume: (request) => launch(resume, request) }),
  };
}

/**
 * The argv of a turn. All placeholders are replaced in one pass: what a prompt contains is never looked at again. A prompt
 * that is an element of its own goes as it is, also when it begins with `-`: an agent that would take it for an option
 * needs `--` before it in its command, or `${promptFile}`.
 */
function expand(template: readonly string[], request: TurnRequest, name: string): readonly string[] {
  const values: Readonly<Record<Placeholder, string>> = {
    prompt: request.prompt,
    promptFile: request.promptFile,
    worktree: request.worktree,
    session: request.session,
    agentSession: request.agentSession ?? '',
  };
  const known = (name: string): name is Placeholder => Object.hasOwn(values, name);
  const argv = template.map((element) =>
    element.replace(ANY_PLACEHOLDER, (whole, name: string) => (known(name) ? values[name] : whole)),
  );
  const fault = checkArgv(argv);
  if (fault !== undefined) {
    throw new TreelineError(
      'prompt-too-long',
      `The prompt cannot be passed to “${name}” as an argument, because ${fault}: ` +
        'use ${promptFile} in place of ${prompt} in the setting treeline.customAgents.',
    );
  }
  return argv;
}

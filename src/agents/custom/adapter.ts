import { randomUUID } from 'node:crypto';
import { TreelineError } from '../../platform/errors.ts';
import { say } from '../../words/saying.ts';
import type { AgentAdapter, Capability, Launch, TurnRequest } from '../adapter.ts';
import { checkArgv } from '../argv.ts';
import { COMMON_PLACES } from '../places.ts';
import { AGENTS, READERS } from '../table.ts';

/** An agent of the user's own: an entry of the setting `treeline.customAgents`, checked and completed. */
export interface CustomAgent {
  readonly id: string;
  readonly name: string;
  /** argv of a first turn, with placeholders. */
  readonly command: readonly string[];
  /** argv of a further turn; without it the agent cannot be resumed. */
  readonly resume?: readonly string[];
  readonly format: string;
  /** Where it is absent: `closed` if the argv contains the prompt or its file, else `prompt`. */
  readonly stdin?: Launch['stdin'];
  readonly env: Readonly<Record<string, string>>;
}

export const STDIN = ['closed', 'prompt', 'lines'] as const;
export const PLACEHOLDERS = ['prompt', 'promptFile', 'worktree', 'session', 'agentSession'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];
const ANY_PLACEHOLDER = /\$\{([^{}]*)\}/g;

/** The names of the placeholders that an argv uses, known or not. */
export function placeholders(argv: readonly string[]): ReadonlySet<string> {
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
    ...(placeholders(template).has('prompt') && { promptInArgv: true }),
    ...(Object.keys(agent.env).length > 0 && { env: agent.env }),
  });
  const reader = READERS.find((one) => one.format === format);
  return {
    id,
    name,
    format,
    can: capabilities(agent),
    detection: {
      // A program inside the worktree is not there before the worktree is; and a user's own command is never run for a version.
      argv: program.includes('${') ? [] : [program],
      install: `Correct the command of “${name}” in the treeline.customAgents setting.`,
      places: COMMON_PLACES,
    },
    ...(placeholders(command).has('agentSession') && { newAgentSession: () => randomUUID() }),
    ...(reader?.ids === undefined && resume && { resumesBySession: true }),
    isAgentSession: reader?.ids?.isId ?? ((session) => session !== ''),
    start: (request) => launch(command, request),
    ...(resume && { resume: (request) => launch(resume, request) }),
  };
}

/** What the entry makes possible; the figures are those of the agent whose format it is. */
function capabilities({ format, command, resume, stdin }: CustomAgent): readonly Capability[] {
  const known = AGENTS.find(({ readers }) => readers.some((reader) => reader.format === format));
  const told = known?.can.filter((one) => one === 'usage' || one === 'cost') ?? [];
  return [
    ...(stdin === 'lines' ? (['steer'] as const) : []),
    ...(resume ? (['resume'] as const) : []),
    ...(placeholders(command).has('agentSession') ? (['own-id'] as const) : []),
    ...told,
  ];
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
      say('prompt-too-long.argument', {
        agent: name,
        reason: fault,
        instead: '${promptFile}',
        placeholder: '${prompt}',
      }),
    );
  }
  return argv;
}

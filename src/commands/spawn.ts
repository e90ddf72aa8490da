import * as vscode from 'vscode';
import { refs } from '../git/refs.ts';
import { head } from '../git/repository.ts';
import { TreelineError } from '../platform/errors.ts';
import { displayName } from '../sessions/display-name.ts';
import type { AgentChoice, RepositorySessions, SpawnRequest } from '../sessions/service-types.ts';
import type { Session } from '../store/model.ts';
import { age } from '../views/age.ts';
import { iconless, oneLine, shorten } from '../views/plain.ts';
import { reader } from '../views/services.ts';
import { readSpawn, type SpawnArguments } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { installCommand } from './install-command.ts';
import { withProgress } from './progress.ts';
import { askPrompt } from './prompt-input.ts';
import { ask, choose } from './quick-input.ts';
import { theRepository } from './repository-arg.ts';
import { commandId } from './table.ts';
import { requireTrust } from './trust.ts';

/** Questions: agent, prompt, base, name. */
const STEPS = 4;

/**
 * Spawns an agent. Where agent and prompt are given, nothing is asked.
 * @returns the session; undefined when the user cancelled, or writes the prompt in an editor first.
 */
export async function spawn(context: CommandContext, argument: unknown): Promise<Session | undefined> {
  requireTrust();
  const given = argument === undefined ? {} : readSpawn(argument, commandId('spawn'));
  const interactive = given.agent === undefined || given.prompt === undefined;
  const repository = await theRepository(context, given.repository, interactive);
  if (repository === undefined) {
    return undefined;
  }
  if (!interactive) {
    return start(context, repository, request(given.agent ?? '', given.prompt ?? '', given), false);
  }
  const agent = await chooseAgent(context, given.agent);
  if (agent === undefined) {
    return undefined;
  }
  const title = vscode.l10n.t('Spawn {0}', oneLine(agent.name));
  const rest = async (prompt: string): Promise<Session | undefined> => {
    const base = given.base ?? (await chooseBase(repository, title));
    if (base === undefined) {
      return undefined;
    }
    const name = given.name ?? (await askName(title, prompt));
    return name === undefined
      ? undefined
      : start(context, repository, request(agent.id, prompt, { ...given, base, name }), true);
  };
  if (given.prompt !== undefined) {
    return rest(given.prompt);
  }
  const prompt = await askPrompt(
    context.prompts,
    { title, step: 2, of: STEPS },
    {
      title: vscode.l10n.t('Spawn {0} with This Prompt', oneLine(agent.name)),
      run: async (text) => (await rest(text)) !== undefined,
    },
  );
  return prompt === undefined ? undefined : rest(prompt);
}

function request(agent: string, prompt: string, given: SpawnArguments): SpawnRequest {
  const { base, name, expects } = given;
  return {
    agent,
    prompt,
    ...(base !== undefined && { base }),
    ...(name !== undefined && name.trim() !== '' && { name }),
    ...(expects !== undefined && { expects }),
  };
}

async function start(
  context: CommandContext,
  repository: RepositorySessions,
  wanted: SpawnRequest,
  show: boolean,
): Promise<Session> {
  const title = vscode.l10n.t('Spawning {0}', oneLine(context.treeline.agentName(wanted.agent)));
  const session = await withProgress(title, (options) => repository.spawn(wanted, options));
  if (show) {
    context.panels.open(session.id, { preserveFocus: true });
    await context.sessionsTree.reveal(session.id);
  }
  return session;
}

/** Asks for the agent: those that are here first, with their version; one that is missing says how to install it. */
async function chooseAgent(context: CommandContext, id: string | undefined): Promise<AgentChoice | undefined> {
  const agents = context.treeline.agents();
  if (id !== undefined) {
    const known = (await agents).find((agent) => agent.id === id);
    // An unknown one is refused by the spawn itself, with the reason.
    return known ?? { id, name: context.treeline.agentName(id), custom: false, found: true, hint: '' };
  }
  const chosen = await choose(
    { title: vscode.l10n.t('Spawn Agent'), step: 1, of: STEPS },
    vscode.l10n.t('Select an agent'),
    agents.then((all) =>
      all.map((agent) => ({
        label: iconless(agent.name),
        description: agent.found ? iconless(agent.version ?? '') : vscode.l10n.t('not found'),
        ...(agent.found ? {} : { detail: iconless(agent.hint) }),
        iconPath: new vscode.ThemeIcon(agent.found ? (agent.custom ? 'terminal' : 'hubot') : 'cloud-download'),
        agent,
      })),
    ),
  );
  if (chosen === undefined || chosen.agent.found) {
    return chosen?.agent;
  }
  tellHowToInstall(chosen.agent).catch((error: unknown) => context.errors.report(error));
  return undefined;
}

async function tellHowToInstall(agent: AgentChoice): Promise<void> {
  const text = vscode.l10n.t('{0} was not found on this machine. {1}', oneLine(agent.name), oneLine(agent.hint));
  const command = installCommand(agent.hint);
  const copy = vscode.l10n.t('Copy Command');
  const chosen = await vscode.window.showInformationMessage(text, ...(command === undefined ? [] : [copy]));
  if (chosen === copy && command !== undefined) {
    await vscode.env.clipboard.writeText(command);
  }
}

/** Asks for the base: the current branch first, then all refs, newest first; anything else may be typed. */
async function chooseBase(repository: RepositorySessions, title: string): Promise<string | undefined> {
  interface Item extends vscode.QuickPickItem {
    readonly base: string;
  }
  const items = async (): Promise<readonly Item[]> => {
    const [{ branch, commit }, all] = await Promise.all([head(repository.repository), refs(repository.repository)]);
    const current = branch ?? commit;
    if (current === undefined || commit === undefined) {
      throw new TreelineError(
        'no-commit',
        vscode.l10n.t('{0} has no commits yet. Create a first commit, then try again.', repository.repository.name),
      );
    }
    const { t, locale, now } = reader();
    const others = all
      .filter(({ name, kind }) => kind !== 'branch' || name !== current)
      .map(({ kind, name, ref, commit: id, at, subject }): Item => ({
        label: iconless(name),
        description: iconless(`${id.slice(0, 10)} · ${age(at, now, locale, t)} · ${shorten(subject, 60)}`),
        iconPath: new vscode.ThemeIcon(kind === 'tag' ? 'tag' : kind === 'remote' ? 'cloud' : 'git-branch'),
        base: kind === 'tag' ? ref : name,
      }));
    return [
      {
        label: iconless(current),
        description: vscode.l10n.t('current'),
        iconPath: new vscode.ThemeIcon('target'),
        base: current,
      },
      ...others,
    ];
  };
  const chosen = await choose<Item>(
    { title, step: 3, of: STEPS },
    vscode.l10n.t('Select the branch, tag, or commit to start from'),
    items(),
    (text) => ({
      label: iconless(text),
      description: vscode.l10n.t('as typed'),
      iconPath: new vscode.ThemeIcon('git-commit'),
      base: text,
    }),
  );
  return chosen?.base;
}

/** Asks for a name; an empty one is taken from the prompt. */
async function askName(title: string, prompt: string): Promise<string | undefined> {
  const answer = await ask(
    { title, step: 4, of: STEPS },
    {
      prompt: vscode.l10n.t('Session name (optional). Press Enter to take it from the prompt.'),
      placeholder: displayName(prompt),
    },
  );
  return answer?.text;
}

import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { TreelineError } from '../platform/errors.ts';
import type { ExitRecord, Session } from '../store/model.ts';
import { lastTurn } from '../store/lifecycle.ts';
import { linkless, oneLine } from '../views/plain.ts';
import type { Found } from '../views/services.ts';
import { abilities } from '../views/session-words.ts';
import { readRename, readResume, readSend } from './arguments.ts';
import { call } from './call.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';
import { askPrompt } from './prompt-input.ts';
import { ask } from './quick-input.ts';
import { optionsOf, theSession } from './session-arg.ts';
import { commandId } from './table.ts';
import { requireTrust } from './trust.ts';

/** Stops a session's turn. Resolves when none of its processes is left. */
export async function stop(context: CommandContext, argument: unknown): Promise<ExitRecord | undefined> {
  const found = await theSession(
    context,
    argument,
    vscode.l10n.t('Stop Session'),
    ({ session }) => abilities(session).stop,
  );
  return found && (await found.repository.stop(found.session.id));
}

/** Sends a message to an agent that reads while it runs. */
export async function send(context: CommandContext, argument: unknown, options: unknown): Promise<void> {
  const found = await theSession(
    context,
    argument,
    vscode.l10n.t('Send Message'),
    ({ session }) => abilities(session).send,
  );
  if (found === undefined) {
    return;
  }
  const given = readSend(optionsOf(options, 'text'), commandId('send')).text;
  const text =
    given ??
    (
      await ask(
        { title: vscode.l10n.t('Send Message to {0}', oneLine(found.session.name)) },
        { prompt: vscode.l10n.t('The agent reads the message while it works.') },
      )
    )?.text;
  if (text !== undefined && text.trim() !== '') {
    await found.repository.send(found.session.id, text);
  }
}

/** Starts a session's next turn; asks for the prompt where none is given. */
export async function resume(
  context: CommandContext,
  argument: unknown,
  options: unknown,
): Promise<Session | undefined> {
  const given = readResume(optionsOf(options, 'prompt'), commandId('resume'));
  const found = await theSession(
    context,
    argument,
    vscode.l10n.t('Resume Session'),
    ({ session }) => abilities(session).resume,
  );
  if (found === undefined) {
    return undefined;
  }
  const { session } = found;
  if (given.prompt !== undefined) {
    return start(context, found, given.prompt, given.fresh === true);
  }
  const fresh =
    given.fresh ?? (lastTurn(session)?.judgement?.unknownSession === true ? await wantsFresh(found) : false);
  if (fresh === undefined) {
    return undefined;
  }
  const name = oneLine(session.name);
  const prompt = await askPrompt(
    context.prompts,
    { title: vscode.l10n.t('Resume {0}', name) },
    {
      title: vscode.l10n.t('Resume {0} with This Prompt', name),
      run: async (text) => (await start(context, found, text, fresh)) !== undefined,
    },
  );
  return prompt === undefined ? undefined : start(context, found, prompt, fresh);
}

/** The agent forgot the conversation last time: asks whether to start a new one. */
async function wantsFresh({ session }: Found): Promise<boolean | undefined> {
  const fresh = vscode.l10n.t('Start Fresh');
  const again = vscode.l10n.t('Try Again');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} no longer recognizes this conversation.', linkless(session.agent.name)),
    {
      modal: true,
      detail: vscode.l10n.t('A fresh start uses the same worktree and begins with a summary of the earlier prompts.'),
    },
    fresh,
    again,
  );
  return chosen === undefined ? undefined : chosen === fresh;
}

async function start(
  context: CommandContext,
  { session, repository }: Found,
  prompt: string,
  fresh: boolean,
): Promise<Session | undefined> {
  requireTrust();
  try {
    return await withProgress(vscode.l10n.t('Resuming {0}', oneLine(session.name)), (options) =>
      repository.resume(session.id, { prompt, fresh }, options),
    );
  } catch (error) {
    if (error instanceof TreelineError && error.code === 'no-agent-session' && !fresh) {
      context.errors.report(error, [
        {
          title: vscode.l10n.t('Start Fresh'),
          run: () => call('resume', session.id, { prompt, fresh: true }),
        },
      ]);
      return undefined;
    }
    if (error instanceof TreelineError && error.code === 'archived') {
      const restore = async (): Promise<void> => {
        if ((await call('unarchive', session.id)) !== undefined) {
          await call('resume', session.id, { prompt, fresh });
        }
      };
      context.errors.report(error, [{ title: vscode.l10n.t('Restore and Resume'), run: restore }]);
      return undefined;
    }
    throw error;
  }
}

/** Starts a new conversation with the prompt of the last turn, whose agent did not know the conversation. */
export async function startFresh(context: CommandContext, id: string): Promise<void> {
  const found = await theSession(context, id, '', () => true);
  const turn = found && lastTurn(found.session);
  if (found === undefined || turn === undefined) {
    return;
  }
  const file = found.repository.promptFile(id, turn);
  await start(context, found, await readFile(file, 'utf8'), true);
}

/** Gives a session another name. */
export async function rename(context: CommandContext, argument: unknown, options: unknown): Promise<void> {
  const found = await theSession(context, argument, vscode.l10n.t('Rename Session'), () => true);
  if (found === undefined) {
    return;
  }
  const given = readRename(optionsOf(options, 'name'), commandId('rename')).name;
  const name =
    given ??
    (
      await ask(
        { title: vscode.l10n.t('Rename Session') },
        {
          prompt: vscode.l10n.t('New session name'),
          value: found.session.name,
          check: (text) => (text.trim() === '' ? vscode.l10n.t('A session needs a name.') : undefined),
        },
      )
    )?.text;
  if (name !== undefined) {
    await found.repository.rename(found.session.id, name);
  }
}

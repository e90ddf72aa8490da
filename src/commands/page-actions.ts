import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { LogDocuments } from '../documents/log-documents.ts';
import { TreelineError } from '../platform/errors.ts';
import { linkless } from '../views/plain.ts';
import { findSession } from '../views/services.ts';
import type { Services } from '../views/services.ts';
import type { PageActions } from '../views/timeline-panel.ts';
import { askTimeline } from '../views/timeline-use.ts';
import { resolveInWorktree } from '../views/worktree-path.ts';
import { call } from './call.ts';
import type { ErrorReporter } from './errors.ts';

const COMMANDS = {
  stop: 'stop',
  resume: 'resume',
  send: 'send',
  diff: 'openDiff',
  log: 'openLog',
} as const;

/** What the buttons and links of a timeline do. All that they name comes from an agent. */
export function pageActions(services: Services, logs: LogDocuments, errors: ErrorReporter): PageActions {
  return {
    async openFile(session, named, line) {
      const found = findSession(services.treeline, session);
      if (found === undefined) {
        return;
      }
      const target = await resolveInWorktree(found.session.worktree, named);
      if (target === undefined) {
        throw noFile(named);
      }
      if (target.outside && !(await mayLeave(target.path))) {
        return;
      }
      await openFile(target.path, named, line);
    },

    async openLog(session, seq, part) {
      const row = await askTimeline(services, session, (timelines) => timelines.row(session, seq));
      const log = part === 'result' ? (row?.tool?.resultLog ?? row?.request?.answerLog ?? row?.log) : row?.log;
      if (row === undefined || log === undefined) {
        throw new TreelineError('no-log', vscode.l10n.t('This row was added by Treeline and is not in a log.'));
      }
      await logs.openStream({ kind: 'stream', session, turn: row.turn, stream: log.stream }, log.offset);
    },

    openText: (session, seq, part) => logs.openText(session, seq, part),

    async openLink(href) {
      const uri = vscode.Uri.parse(href, true);
      // The page lets nothing else through; what it says is not relied on.
      if (uri.scheme === 'http' || uri.scheme === 'https') {
        await vscode.env.openExternal(uri);
      }
    },

    async command(session, command) {
      await call(COMMANDS[command], session);
    },

    failed: (error) => errors.report(error),
  };
}

async function openFile(file: string, named: string, line: number | undefined): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw noFile(named);
  }
  const at = line === undefined ? undefined : new vscode.Range(line - 1, 0, line - 1, 0);
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file), {
    preview: true,
    ...(at !== undefined && { selection: at }),
  } satisfies vscode.TextDocumentShowOptions);
}

/** The agent named a file outside its worktree: the user decides. */
async function mayLeave(file: string): Promise<boolean> {
  const open = vscode.l10n.t('Open File');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('This file is outside the session’s worktree. Open it?'),
    { modal: true, detail: file },
    open,
  );
  return chosen === open;
}

function noFile(named: string): TreelineError {
  return new TreelineError(
    'no-file',
    vscode.l10n.t(
      'The file {0} does not exist in the worktree; the agent may have moved or deleted it.',
      linkless(named),
    ),
  );
}

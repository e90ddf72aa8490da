import path from 'node:path';
import * as vscode from 'vscode';
import type { TreelineApi } from './api.ts';
import type { CommandContext } from './commands/context.ts';
import { ErrorReporter } from './commands/errors.ts';
import { exportedApi } from './commands/exported-api.ts';
import { startFresh } from './commands/lifecycle-commands.ts';
import { pageActions } from './commands/page-actions.ts';
import { PromptDocuments } from './commands/prompt-documents.ts';
import { registerCommands } from './commands/register.ts';
import { BASE_SCHEME, BaseDocuments } from './documents/base-documents.ts';
import { LOG_SCHEME, LogDocuments } from './documents/log-documents.ts';
import { LogFollower } from './documents/log-follower.ts';
import { ProgramCopy, programsIn } from './hosts/programs.ts';
import { Treeline } from './hosts/treeline.ts';
import { BUILD } from './platform/build.ts';
import { nonEmpty, shape } from './platform/check.ts';
import { settingId } from './sessions/settings.ts';
import { errorText } from './platform/errors.ts';
import { ContextKeys } from './views/context-keys.ts';
import { Notifications } from './views/notifications.ts';
import { OldArchivesQuestion } from './views/old-archives.ts';
import { allSessions, type Services } from './views/services.ts';
import { translatedTemplates } from './views/sayings.ts';
import { SessionsTree } from './views/sessions-tree.ts';
import { StatusBar } from './views/status-bar.ts';
import { SettingsReader } from './views/settings-reader.ts';
import { TimelinePanels } from './views/timeline-panels.ts';
import { WorktreesTree } from './views/worktrees-tree.ts';

let treeline: Treeline | undefined;

/** What activation hands to tests that run in the extension host, beside the API. */
export interface TestedParts {
  readonly parts: CommandContext & {
    /** ms that activate() took. */
    readonly activatedIn: number;
  };
}

/** Makes the parts and ties them together. Nothing is waited for: stores open behind the first, empty views. */
export function activate(context: vscode.ExtensionContext): TreelineApi | (TreelineApi & TestedParts) {
  const began = performance.now();
  const log = vscode.window.createOutputChannel('Treeline', { log: true });
  const errors = new ErrorReporter(log);
  const settings = new SettingsReader((problems) => errors.settings(problems));
  const globalStorage = context.globalStorageUri.fsPath;
  const installed = path.join(context.extensionPath, 'dist');
  const copies = new ProgramCopy({ from: installed, globalStorage, build: BUILD, log });
  treeline = new Treeline({
    globalStorage,
    settings: settings.read,
    log,
    version: readVersion(context.extension.packageJSON),
    assets: programsIn(installed),
    copies,
    trusted: () => vscode.workspace.isTrusted,
    words: translatedTemplates(),
  });
  const folders = new WorkspaceFolders(treeline, errors);
  const services: Services = {
    treeline,
    log,
    settings: settings.read,
    extensionUri: context.extensionUri,
    loaded: folders.loaded,
  };
  const logs = new LogDocuments(services);
  const panels = new TimelinePanels(services, pageActions(services, logs, errors), context.workspaceState);
  const sessionsTree = new SessionsTree(services);
  const prompts = new PromptDocuments();
  const commands: CommandContext = {
    ...services,
    errors,
    panels,
    sessionsTree,
    worktreesTree: new WorktreesTree(services),
    logs,
    prompts,
  };
  context.subscriptions.push(
    log,
    settings,
    settings.onDidChange(() => treeline?.settingsChanged()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => treeline?.settingsChanged()),
    folders,
    panels,
    sessionsTree,
    prompts,
    commands.worktreesTree,
    new ContextKeys(services, sessionsTree),
    logs,
    new LogFollower(logs, context.workspaceState),
    new StatusBar(services),
    new OldArchivesQuestion(services),
    new Notifications(services, {
      shows: (session) => panels.shows(session),
      openTimeline: (session) => panels.open(session),
      startFresh: (session) => void startFresh(commands, session).catch((error: unknown) => errors.report(error)),
    }),
    sessionsTree.view.onDidChangeSelection(({ selection: [node] }) => {
      if (node?.kind === 'session') {
        panels.select(node.session);
      }
    }),
    registerCommands(commands),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(settingId('warmWorktrees'))) {
        treeline?.tidyPools();
      }
    }),
    // Paths on Linux and macOS volumes differ by case; a provider that ignored it would mix two files up.
    vscode.workspace.registerFileSystemProvider(LOG_SCHEME, logs, { isReadonly: true, isCaseSensitive: true }),
    vscode.workspace.registerFileSystemProvider(BASE_SCHEME, new BaseDocuments(services), {
      isReadonly: true,
      isCaseSensitive: true,
    }),
  );
  folders.open();
  const api = exportedApi(services);
  const activatedIn = performance.now() - began;
  void folders.loaded().then(() => {
    // Made before it is needed, and after what is waited for.
    void copies
      .programs()
      .then(() => copies.tidy())
      .catch((error: unknown) => log.warn(errorText(error)));
    const known = performance.now() - began;
    // The log's own times are those of its writing, which is put off while a window opens.
    const at = new Date(performance.timeOrigin + began).toISOString();
    const count = allSessions(services.treeline).length;
    log.info(
      `Activated in ${activatedIn.toFixed(1)} ms at ${at}; ${count} sessions known after ${known.toFixed(1)} ms.`,
    );
  });
  // Tests in the extension host see the parts themselves: the editor shows no extension what is on the screen.
  return context.extensionMode === vscode.ExtensionMode.Test ? { ...api, parts: { ...commands, activatedIn } } : api;
}

/** Closes the stores. The agents go on: their keepers outlive this window. */
export async function deactivate(): Promise<void> {
  await treeline?.dispose();
}

const readPackage = shape({ version: nonEmpty });

function readVersion(packageJson: unknown): string {
  return readPackage(packageJson, 'package.json').version;
}

/** Keeps Treeline's repositories those of the workspace's folders. */
class WorkspaceFolders implements vscode.Disposable {
  readonly #treeline: Treeline;
  readonly #errors: ErrorReporter;
  readonly #subscription: vscode.Disposable;
  /** A folder becomes a repository, or ceases to be one, while it is open. */
  #watchers: readonly vscode.Disposable[] = [];
  #opened: Promise<void> = Promise.resolve();

  constructor(opened: Treeline, errors: ErrorReporter) {
    this.#treeline = opened;
    this.#errors = errors;
    this.#subscription = vscode.workspace.onDidChangeWorkspaceFolders(() => {
      this.#watch();
      this.open();
    });
    this.#watch();
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#unwatch();
  }

  open(): void {
    const folders = this.#folders().map(({ uri }) => uri.fsPath);
    this.#opened = this.#treeline.setFolders(folders).catch((error: unknown) => this.#errors.report(error));
  }

  /** Resolves when all repositories are open and their sessions are known. */
  readonly loaded = async (): Promise<void> => {
    await this.#opened;
    await Promise.allSettled(this.#treeline.repositories.map(({ ready }) => ready));
  };

  #folders(): readonly vscode.WorkspaceFolder[] {
    return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  }

  #watch(): void {
    this.#unwatch();
    this.#watchers = this.#folders().flatMap((folder) => {
      // git makes its folder before there is a HEAD in it, which is what makes it a repository.
      const pattern = new vscode.RelativePattern(folder, '{.git,.git/HEAD}');
      const watcher = vscode.workspace.createFileSystemWatcher(pattern, false, true, false);
      return [watcher, watcher.onDidCreate(() => this.open()), watcher.onDidDelete(() => this.open())];
    });
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) {
      watcher.dispose();
    }
  }
}

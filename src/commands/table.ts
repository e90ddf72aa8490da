import type { Uri } from 'vscode';
import type { Examined } from '../sessions/health-report.ts';
import type { ExitRecord, Session } from '../store/model.ts';
import type { SessionWord } from '../views/session-words.ts';
import type { WorktreeWord } from '../views/worktree-words.ts';
import type { FileNode, MoreNode } from '../views/sessions-nodes.ts';
import type { ViewCommands } from '../views/view-commands.ts';
import type { WorktreeNode } from '../views/worktrees-tree.ts';
import type {
  readCheckHealth,
  readOpenLog,
  readRemoveWorktree,
  readRename,
  readResume,
  readSend,
  readUnarchive,
  SpawnArguments,
} from './arguments.ts';

// Every command, once. `npm run manifest` writes package.json's commands, menus and keybindings from this table,
// register.ts has one handler for each, call.ts and the views (views/view-commands.ts) call them. A title stands in package.nls.json as `command.<name>`.

/** A place where a command is offered. */
export interface MenuPlace {
  readonly menu: 'view/title' | 'view/item/context' | 'editor/title';
  readonly when: string;
  /** The group and the place in it: `1_open@2`. */
  readonly group: string;
}

/** What package.json says of a command. */
export interface CommandEntry {
  /** A codicon. */
  readonly icon?: string;
  readonly enablement?: string;
  /** When the palette offers it: always where absent. */
  readonly palette?: string;
  readonly menus?: readonly MenuPlace[];
  readonly keybinding?: { readonly key: string; readonly mac: string; readonly when: string };
  /** Only items of the views call it: it is not in package.json. */
  readonly hidden?: true;
}

declare const SIGNATURE: unique symbol;

/** An entry with the types of its arguments and its result, which exist for the compiler alone. */
interface Command<Arguments extends readonly unknown[], Result> extends CommandEntry {
  readonly [SIGNATURE]?: (...args: Arguments) => Result;
}

/** A session: its id, or an item that belongs to it. */
export type SessionArgument = string | { readonly session: string };

type Options<Reader extends (value: unknown, what: string) => unknown> = ReturnType<Reader>;

function command<Arguments extends readonly unknown[], Result = void>(entry: CommandEntry): Command<Arguments, Result> {
  return entry;
}

const READY = 'treeline.state == ready';
const NEVER = 'false';
const PROMPT = 'resource in treeline.promptDocuments';
const LONG_LOG = 'resource in treeline.windowedLogs';
const ONE = ' && !listMultiSelection';

function title(view: 'sessions' | 'worktrees', group: string, when?: string): MenuPlace {
  return { menu: 'view/title', when: `view == treeline.${view}${when === undefined ? '' : ` && ${when}`}`, group };
}

/** In the context menu of sessions that have the word; several may be selected. */
function onSessions(group: string, word?: SessionWord): MenuPlace {
  const item = word === undefined ? '/^session\\b/' : `/^session\\b.*\\b${word}\\b/`;
  return { menu: 'view/item/context', when: `view == treeline.sessions && viewItem =~ ${item}`, group };
}

function onSession(group: string, word?: SessionWord): MenuPlace {
  const place = onSessions(group, word);
  return { ...place, when: place.when + ONE };
}

function onFile(group: string, when = ''): MenuPlace {
  return { menu: 'view/item/context', when: `view == treeline.sessions && viewItem =~ /^file\\b/${when}`, group };
}

function onWorktree(group: string, word: WorktreeWord): MenuPlace {
  return { menu: 'view/item/context', when: `view == treeline.worktrees && viewItem =~ /\\b${word}\\b/`, group };
}

function onEditor(group: string, when: string): MenuPlace {
  return { menu: 'editor/title', when, group };
}

export const COMMANDS = {
  spawn: command<[request?: SpawnArguments], Session | undefined>({
    icon: 'add',
    enablement: 'isWorkspaceTrusted && treeline.state != noRepository',
    menus: [title('sessions', 'navigation@1')],
  }),
  send: command<[session?: SessionArgument, options?: string | Options<typeof readSend>]>({
    icon: 'comment',
    palette: READY,
    menus: [onSession('2_run@1', 'sendable')],
  }),
  stop: command<[session?: SessionArgument], ExitRecord | undefined>({
    icon: 'debug-stop',
    palette: READY,
    menus: [onSessions('inline@2', 'stoppable'), onSession('9_stop@1', 'stoppable')],
  }),
  resume: command<[session?: SessionArgument, options?: string | Options<typeof readResume>], Session | undefined>({
    icon: 'debug-start',
    palette: READY,
    menus: [onSessions('inline@2', 'resumable'), onSession('2_run@2', 'resumable')],
  }),
  openTimeline: command<[session?: SessionArgument, options?: { readonly from: 'tree' }]>({
    icon: 'pulse',
    palette: READY,
    menus: [onSessions('inline@1'), onSession('1_open@1')],
  }),
  followSelection: command<[]>({
    icon: 'open-preview',
    palette: READY,
    menus: [title('sessions', 'navigation@2')],
  }),
  openLog: command<[session?: SessionArgument, options?: string | Options<typeof readOpenLog>]>({
    icon: 'output',
    palette: READY,
    menus: [onSession('1_open@2')],
  }),
  openDiff: command<[session?: SessionArgument]>({
    icon: 'diff-multiple',
    palette: READY,
    menus: [onSessions('inline@3', 'diff'), onSession('1_open@3', 'diff')],
  }),
  openFileDiff: command<[file: FileNode]>({
    icon: 'diff-single',
    palette: NEVER,
    menus: [onFile('1_open@1', ONE)],
  }),
  openWorktreeFile: command<[file: FileNode]>({
    icon: 'go-to-file',
    palette: NEVER,
    menus: [onFile('inline@1'), onFile('1_open@2', ONE)],
  }),
  openWorktree: command<[place?: SessionArgument | WorktreeNode]>({
    icon: 'multiple-windows',
    palette: READY,
    menus: [onSession('3_worktree@1', 'diff'), onWorktree('inline@1', 'present'), onWorktree('1_open@1', 'present')],
  }),
  addWorktreeToWorkspace: command<[place?: SessionArgument | WorktreeNode]>({
    palette: READY,
    menus: [onSession('3_worktree@2', 'diff'), onWorktree('1_open@2', 'present')],
  }),
  openTerminal: command<[place?: SessionArgument | WorktreeNode]>({
    icon: 'terminal',
    palette: READY,
    menus: [onSession('3_worktree@3', 'diff'), onWorktree('1_open@3', 'present')],
  }),
  copyBranch: command<[place?: SessionArgument | WorktreeNode]>({
    palette: READY,
    menus: [onSession('4_copy@1', 'diff'), onWorktree('4_copy@2', 'branch')],
  }),
  copyWorktreePath: command<[place?: SessionArgument | WorktreeNode]>({
    palette: READY,
    menus: [onSession('4_copy@2', 'diff'), onWorktree('4_copy@1', 'worktree')],
  }),
  copyAgentSession: command<[session?: SessionArgument]>({
    palette: READY,
    menus: [onSession('4_copy@3', 'agentSession')],
  }),
  rename: command<[session?: SessionArgument, options?: string | Options<typeof readRename>]>({
    palette: READY,
    menus: [onSession('5_edit@1')],
  }),
  archive: command<[session?: SessionArgument, selected?: readonly SessionArgument[]]>({
    icon: 'archive',
    palette: READY,
    menus: [onSessions('9_stop@2', 'archivable')],
  }),
  unarchive: command<
    [session?: SessionArgument, options?: string | Options<typeof readUnarchive> | readonly SessionArgument[]],
    Session | undefined
  >({
    icon: 'discard',
    palette: READY,
    menus: [onSessions('inline@2', 'restorable'), onSessions('9_stop@3', 'restorable')],
  }),
  purge: command<[session?: SessionArgument, selected?: readonly SessionArgument[]]>({
    palette: READY,
    menus: [onSessions('9_stop@4', 'purgeable')],
  }),
  removeWorktree: command<[worktree: WorktreeNode, options?: string | Options<typeof readRemoveWorktree>]>({
    icon: 'trash',
    palette: NEVER,
    menus: [onWorktree('9_remove@1', 'removable')],
  }),
  checkHealth: command<[options?: Options<typeof readCheckHealth>], readonly Examined[] | undefined>({
    icon: 'heart',
    palette: READY,
    menus: [title('sessions', '9_log@0')],
  }),
  installShellCommand: command<[]>({}),
  submitPrompt: command<[document?: Uri]>({
    icon: 'send',
    palette: PROMPT,
    menus: [onEditor('navigation@1', PROMPT)],
    keybinding: { key: 'ctrl+enter', mac: 'cmd+enter', when: `editorTextFocus && ${PROMPT}` },
  }),
  showLog: command<[]>({ menus: [title('sessions', '9_log@1')] }),
  refresh: command<[]>({
    icon: 'refresh',
    menus: [title('sessions', '2_refresh@1'), title('worktrees', 'navigation@1')],
  }),
  showFlat: command<[]>({
    icon: 'list-flat',
    palette: 'treeline.layout != flat',
    menus: [title('sessions', '1_layout@1', 'treeline.layout != flat')],
  }),
  showGrouped: command<[]>({
    icon: 'list-tree',
    palette: 'treeline.layout == flat',
    menus: [title('sessions', '1_layout@1', 'treeline.layout == flat')],
  }),
  showArchived: command<[]>({
    palette: '!treeline.showArchived',
    menus: [title('sessions', '1_layout@2', '!treeline.showArchived')],
  }),
  hideArchived: command<[]>({
    palette: 'treeline.showArchived',
    menus: [title('sessions', '1_layout@2', 'treeline.showArchived')],
  }),
  showMoreSessions: command<[more: MoreNode]>({ hidden: true }),
  logEarlier: command<[document?: Uri]>({
    icon: 'arrow-up',
    palette: LONG_LOG,
    menus: [onEditor('navigation@1', LONG_LOG)],
  }),
  logLater: command<[document?: Uri]>({
    icon: 'arrow-down',
    palette: LONG_LOG,
    menus: [onEditor('navigation@2', LONG_LOG)],
  }),
  logEnd: command<[document?: Uri]>({
    icon: 'fold-down',
    palette: 'resourceScheme == treeline-log',
    menus: [onEditor('navigation@3', 'resourceScheme == treeline-log')],
  }),
} satisfies Readonly<Record<string, CommandEntry>>;

export type CommandName = keyof typeof COMMANDS;

type Signature<Name extends CommandName> = NonNullable<(typeof COMMANDS)[Name][typeof SIGNATURE]>;

/** What callers hand to a command. */
export type CommandArguments<Name extends CommandName> = Parameters<Signature<Name>>;

export type CommandResult<Name extends CommandName> = ReturnType<Signature<Name>>;

type Callable = { readonly [Name in keyof ViewCommands]: CommandArguments<Name> };

/** For the compiler: what views run stands in the table, and takes what they hand to it. */
export type RunByViews<Handed extends Callable = ViewCommands> = Handed;

/** As many arguments, of any type. */
type Unchecked<Arguments extends readonly unknown[]> = { [Index in keyof Arguments]: unknown };

/** A command's handler. Its arguments may come from anywhere, so it checks them. */
type CommandHandler<Name extends CommandName, Context> = (
  context: Context,
  ...args: Unchecked<CommandArguments<Name>>
) => CommandResult<Name> | Promise<CommandResult<Name>>;

/** One handler for each command. */
export type CommandHandlers<Context> = { readonly [Name in CommandName]: CommandHandler<Name, Context> };

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

/** The id by which the editor knows a command. */
export function commandId(name: CommandName): string {
  return `treeline.${name}`;
}

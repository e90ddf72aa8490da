import { STDIN, type CustomAgent } from '../agents/custom/adapter.ts';
import type { Programs } from '../agents/program.ts';
import { AGENTS } from '../agents/table.ts';
import {
  listOf,
  mapOf,
  natural,
  nonEmpty,
  oneOf,
  optional,
  positive,
  shape,
  string,
  type Read,
} from '../platform/check.ts';

// Every setting below `treeline.` but those of the agents, once. `npm run manifest` writes package.json's from this
// table, and parse-settings.ts reads values by it. Descriptions stand in package.nls.json as `setting.<name>`.

interface Common {
  /** The heading that it stands under in the settings editor. */
  readonly section: 'sessions' | 'views';
  readonly scope: 'application' | 'machine' | 'window';
}

export interface NumberSetting extends Common {
  readonly type: 'integer' | 'number';
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface TextSetting extends Common {
  readonly type: 'string';
  readonly default: string;
}

export interface ChoiceSetting extends Common {
  readonly type: 'choice';
  readonly default: string;
  /** Each has a description of its own: `setting.<name>.<value>`. */
  readonly values: readonly string[];
}

export interface SwitchSetting extends Common {
  readonly type: 'boolean';
  readonly default: boolean;
}

export type Setting = NumberSetting | TextSetting | ChoiceSetting | SwitchSetting;

export const SETTINGS = {
  /** Turns that may run at once on one repository, over all windows. */
  maxConcurrent: { section: 'sessions', type: 'integer', default: 6, minimum: 1, maximum: 100, scope: 'window' },
  /** Template of the folder that holds the worktrees. */
  worktreeFolder: {
    section: 'sessions',
    type: 'string',
    default: '${repositoryParent}/${repositoryName}.worktrees',
    scope: 'machine',
  },
  /** Template of a branch name. */
  branchName: { section: 'sessions', type: 'string', default: 'treeline/${slug}-${id}', scope: 'window' },
  /** Both graces are seconds. */
  stopGraceInterrupt: { section: 'sessions', type: 'number', default: 5, minimum: 0, maximum: 600, scope: 'window' },
  stopGraceTerminate: { section: 'sessions', type: 'number', default: 5, minimum: 0, maximum: 600, scope: 'window' },
  /** Days that an archived worktree is kept; 0 keeps it until the user deletes it. */
  trashDays: { section: 'sessions', type: 'integer', default: 14, minimum: 0, maximum: 3650, scope: 'application' },
  /** Worktrees that are kept ready for the next sessions of a repository; 0: none. Each takes the disk space of a whole checkout. */
  warmWorktrees: { section: 'sessions', type: 'integer', default: 3, minimum: 0, maximum: 10, scope: 'window' },
  sessionsLayout: {
    section: 'views',
    type: 'choice',
    values: ['grouped', 'flat'],
    default: 'grouped',
    scope: 'window',
  },
  notifications: {
    section: 'views',
    type: 'choice',
    values: ['needsAttention', 'all', 'off'],
    default: 'needsAttention',
    scope: 'window',
  },
  showArchived: { section: 'views', type: 'boolean', default: false, scope: 'window' },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S extends Setting> = S extends ChoiceSetting
  ? S['values'][number]
  : S extends SwitchSetting
    ? boolean
    : S extends TextSetting
      ? string
      : number;

/** The name by which the editor knows a setting. */
export function settingId(name: SettingName): string {
  return `treeline.${name}`;
}

/** What a setting holds. */
export type SettingValue<Name extends SettingName> = ValueOf<(typeof SETTINGS)[Name]>;

type InSection<Section, Name extends SettingName = SettingName> = Name extends SettingName
  ? (typeof SETTINGS)[Name]['section'] extends Section
    ? Name
    : never
  : never;
type Grace = 'stopGraceInterrupt' | 'stopGraceTerminate';
type Plain = { readonly [Name in Exclude<InSection<'sessions'>, Grace>]: SettingValue<Name> };

/** The settings that work below the views needs, validated: those of the section `sessions` as they are, and these. */
export interface Settings extends Plain {
  /** What is set of the built-in agents' programs, by the agents' ids. */
  readonly programs: Programs;
  readonly customAgents: readonly CustomAgent[];
  /** ms from a stop's interrupt to SIGTERM, and from SIGTERM to SIGKILL. Whole numbers. */
  readonly grace: { readonly interrupt: number; readonly terminate: number };
}

export const DEFAULT_SETTINGS: Settings = {
  maxConcurrent: SETTINGS.maxConcurrent.default,
  worktreeFolder: SETTINGS.worktreeFolder.default,
  warmWorktrees: SETTINGS.warmWorktrees.default,
  branchName: SETTINGS.branchName.default,
  programs: Object.fromEntries(AGENTS.map(({ id }) => [id, { args: [] }])),
  customAgents: [],
  trashDays: SETTINGS.trashDays.default,
  grace: {
    interrupt: SETTINGS.stopGraceInterrupt.default * 1000,
    terminate: SETTINGS.stopGraceTerminate.default * 1000,
  },
};

/** Settings that another process of Treeline has validated before, and handed over. */
export const readSettings: Read<Settings> = shape({
  maxConcurrent: positive,
  worktreeFolder: nonEmpty,
  warmWorktrees: natural,
  branchName: nonEmpty,
  programs: mapOf(shape({ command: optional(nonEmpty), args: listOf(string) })),
  customAgents: listOf(
    shape({
      id: nonEmpty,
      name: string,
      command: listOf(string),
      resume: optional(listOf(string)),
      format: nonEmpty,
      stdin: optional(oneOf(STDIN)),
      env: mapOf(string),
    }),
  ),
  trashDays: natural,
  grace: shape({ interrupt: natural, terminate: natural }),
});

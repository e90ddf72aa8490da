import { AGENTS, FORMATS } from '../../src/agents/table.ts';
import { COMMAND_NAMES, COMMANDS, commandId } from '../../src/commands/table.ts';
import type { CommandEntry, CommandName } from '../../src/commands/table.ts';
import { SETTINGS } from '../../src/sessions/settings.ts';
import type { Setting } from '../../src/sessions/settings.ts';

type Properties = Readonly<Record<string, object>>;

/** What package.json says of the commands and settings. The rest of `contributes` is written by hand. */
interface Contributes {
  readonly commands: unknown;
  readonly menus: unknown;
  readonly keybindings: unknown;
  readonly configuration: readonly { readonly id: string; readonly properties: Properties }[];
}

/** package.json's text, with its commands, menus, keybindings and settings as the tables in src/ have them. */
export function withTables(text: string): string {
  const manifest = JSON.parse(text) as { readonly contributes: Contributes };
  return `${JSON.stringify({ ...manifest, contributes: contributes(manifest.contributes) }, null, 2)}\n`;
}

function contributes(given: Contributes): Contributes {
  return {
    ...given,
    commands: commands(),
    menus: menus(),
    keybindings: keybindings(),
    configuration: given.configuration.map((section) => ({
      ...section,
      properties: section.id === 'agents' ? programs(section.properties) : settings(section.id),
    })),
  };
}

const entry = (name: CommandName): CommandEntry => COMMANDS[name];
const shown = COMMAND_NAMES.filter((name) => entry(name).hidden !== true);

function commands(): unknown {
  return shown.map((name) => {
    const { icon, enablement } = entry(name);
    return {
      command: commandId(name),
      title: `%command.${name}%`,
      category: 'Treeline',
      ...(icon !== undefined && { icon: `$(${icon})` }),
      ...(enablement !== undefined && { enablement }),
    };
  });
}

function menus(): unknown {
  const all: Record<string, object[]> = { commandPalette: [] };
  for (const name of shown) {
    const { palette, menus: places = [] } = entry(name);
    const command = commandId(name);
    if (palette !== undefined) {
      all['commandPalette']?.push({ command, when: palette });
    }
    for (const { menu, when, group } of places) {
      (all[menu] ??= []).push({ command, when, group });
    }
  }
  return all;
}

function keybindings(): unknown {
  return shown.flatMap((name) => {
    const { keybinding } = entry(name);
    return keybinding === undefined ? [] : [{ command: commandId(name), ...keybinding }];
  });
}

function settings(section: string): Properties {
  const found = Object.entries<Setting>(SETTINGS).filter(([, setting]) => setting.section === section);
  return Object.fromEntries(
    found.map(([name, setting], index) => [`treeline.${name}`, property(name, setting, index + 1)]),
  );
}

/** The settings of the agents' programs. Of those of the user's own, all but the formats is written by hand. */
function programs({ 'treeline.customAgents': custom }: Properties): Properties {
  const text = JSON.stringify(custom, (key, value: unknown) => (key === 'format' ? formats(value as object) : value));
  const found: [string, object][] = AGENTS.flatMap(({ id }) => [
    [`${id}.command`, { type: 'string', default: '', markdownDescription: `%setting.${id}.command%` }],
    [`${id}.args`, { type: 'array', items: { type: 'string' }, default: [], description: `%setting.${id}.args%` }],
  ]);
  found.push(['customAgents', JSON.parse(text) as object]);
  // A repository must not choose which program runs.
  return Object.fromEntries(
    found.map(([name, one], index) => [`treeline.${name}`, { ...one, order: index + 1, scope: 'machine' }]),
  );
}

function formats(format: object): object {
  return {
    ...format,
    enum: FORMATS,
    enumDescriptions: FORMATS.map((one) => `%setting.customAgents.format.${one}%`),
  };
}

function property(name: string, setting: Setting, order: number): object {
  return {
    order,
    ...(setting.type === 'choice'
      ? {
          type: 'string',
          enum: setting.values,
          enumDescriptions: setting.values.map((value) => `%setting.${name}.${value}%`),
        }
      : { type: setting.type }),
    default: setting.default,
    ...('minimum' in setting && { minimum: setting.minimum, maximum: setting.maximum }),
    scope: setting.scope,
    // Texts are templates, whose variables stand in code.
    [setting.type === 'string' ? 'markdownDescription' : 'description']: `%setting.${name}%`,
  };
}

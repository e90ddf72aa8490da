import { settingId, SETTINGS } from './settings.ts';
import type { NumberSetting, Setting, SettingName, SettingValue } from './settings.ts';

/**
 * The value of a setting as a person may have written it: the default where there is none or it cannot be used, the
 * nearest limit where it is beyond one. `tell` gets a sentence about what is wrong.
 */
export function readSetting<Name extends SettingName>(
  name: Name,
  given: unknown,
  tell: (problem: string) => void,
): SettingValue<Name> {
  const setting: Setting = SETTINGS[name];
  const { value, problem } = given === undefined ? { value: setting.default } : check(setting, given);
  if (problem !== undefined) {
    tell(
      `The setting ${settingId(name)} must be ${problem}; Treeline uses ${JSON.stringify(value)} until you change it.`,
    );
  }
  // `check` returns what the setting's own entry allows.
  return value as SettingValue<Name>;
}

interface Checked {
  readonly value: Setting['default'];
  /** What it must be, where it is not. */
  readonly problem?: string;
}

function check(setting: Setting, given: unknown): Checked {
  const refuse = (problem: string): Checked => ({ value: setting.default, problem });
  switch (setting.type) {
    case 'integer':
    case 'number':
      return checkNumber(setting, given);
    case 'string':
      return typeof given === 'string' && given !== '' ? { value: given } : refuse('a text that is not empty');
    case 'choice':
      return typeof given === 'string' && setting.values.includes(given)
        ? { value: given }
        : refuse(`one of ${setting.values.join(', ')}`);
    case 'boolean':
      return typeof given === 'boolean' ? { value: given } : refuse('true or false');
  }
}

function checkNumber({ type, minimum, maximum, default: otherwise }: NumberSetting, given: unknown): Checked {
  const problem = `a ${type === 'integer' ? 'whole ' : ''}number from ${minimum} to ${maximum}`;
  if (!Number.isFinite(given) || (type === 'integer' && !Number.isInteger(given))) {
    return { value: otherwise, problem };
  }
  const value = Math.min(maximum, Math.max(minimum, given as number));
  return value === given ? { value } : { value, problem };
}

// The settings of a training run as values: the options type of `train`, defaults, names of flags, and
// checks.

import { check } from '../../core/errors.ts';
import type { DropoutRates, ModelOptions } from '../../model/model-config.ts';
import type { Setting, SettingType } from './setting-types.ts';
import { type SettingName, settings, type Table } from './settings.ts';

/** Type of the value of a setting. */
export type ValueOf<T extends SettingType> = T extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : {
      integer: number;
      number: number;
      choice: string;
      boolean: boolean;
      text: string;
      list: readonly string[];
      betas: readonly [number, number];
      dropout: number | Partial<DropoutRates>;
      model: Partial<ModelOptions>;
    }[T['kind']];

/** Options of a training run; docs/settings.md lists them with their defaults. */
export type TrainSettings = {
  readonly [Name in SettingName as Name extends `lora.${string}` ? never : Name]?: ValueOf<
    Table[Name]['type']
  >;
} & {
  readonly lora?: { readonly rank: number } & {
    readonly [Name in SettingName as Name extends `lora.${infer Field}` ? Field : never]?: ValueOf<
      Table[Name]['type']
    >;
  };
};

/** Names of the settings that have a constant default. */
type WithDefault = {
  [Name in SettingName]: Table[Name] extends { default: unknown } ? Name : never;
}[SettingName];

/** The settings with the constant defaults filled in. */
export type SettingsWithDefaults = TrainSettings &
  Required<Pick<TrainSettings, WithDefault & keyof TrainSettings>>;

/** The rows of the table, in order. */
export const settingRows = Object.entries(settings) as unknown as readonly (readonly [
  SettingName,
  Setting,
])[];

/** The constant defaults. */
export const settingDefaults = Object.fromEntries(
  settingRows.flatMap(([name, row]) => (row.default === undefined ? [] : [[name, row.default]])),
) as Required<Pick<TrainSettings, WithDefault & keyof TrainSettings>>;

/** Names of the settings that a resumed run may change. */
export const resumableSettings = settingRows.flatMap(([name, { resume }]) =>
  resume ? [name] : [],
) as readonly {
  [Name in SettingName]: Table[Name] extends { resume: true } ? Name : never;
}[SettingName][];

/** Flag of a setting: `--batch-size` for `batchSize`; the field `model` is set by `--set`. */
export const flagOf = (name: SettingName): string =>
  name === 'model'
    ? '--set'
    : `--${name.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Value of a setting. */
export const settingOf = (given: TrainSettings, name: SettingName): unknown =>
  name
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], given);

/** The settings in an object that may have other fields. */
export const settingsIn = (fields: TrainSettings): TrainSettings =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => value !== undefined && (name === 'lora' || name in settings),
    ),
  );

/**
 * Checks names and values of options. Throws a HeddleError that names the option, its value and the allowed
 * values.
 */
export function checkSettings(given: TrainSettings): void {
  for (const name of Object.keys(given))
    check(
      name === 'lora' || name in settings,
      () => `train: there is no option ${name}; the options are ${Object.keys(settings).join(', ')}`,
    );
  check(
    !given.lora || given.lora.rank !== undefined,
    () =>
      `train: ${Object.keys(given.lora ?? {})
        .map((field) => `lora.${field}`)
        .join(' and ')} needs lora.rank`,
  );
  for (const [name, { type, excludes }] of settingRows) {
    const value = settingOf(given, name);
    if (value === undefined) continue;
    check(
      fitsType(type, value),
      () => `train: ${name} (${JSON.stringify(value)}) must be ${describeType(type)}`,
    );
    const other = excludes && settingOf(given, excludes as SettingName);
    check(
      other === undefined,
      () => `train: ${name} (${value}) and ${excludes} (${other}) exclude each other; leave one out`,
    );
  }
}

/**
 * Checks that options exist for the chosen optimizer, schedule and precision. Throws a HeddleError that names
 * the option.
 */
export function checkApplicable(complete: SettingsWithDefaults): void {
  for (const [name, { onlyFor }] of settingRows) {
    if (!onlyFor || settingOf(complete, name) === undefined) continue;
    const [other, ...values] = onlyFor;
    const chosen = settingOf(complete, other as SettingName) as string;
    check(
      values.includes(chosen),
      () =>
        `train: ${name} (${settingOf(complete, name)}) does not exist for ${other} ${chosen}, only for ` +
        `${values.join(' and ')}; leave it out`,
    );
  }
}

/** Whether a value is in the range of its type. */
export function fitsType(type: SettingType, value: unknown): boolean {
  switch (type.kind) {
    case 'integer':
      return Number.isSafeInteger(value) && (value as number) >= type.min;
    case 'number': {
      const { min = -Infinity, above = -Infinity, below = Infinity } = type;
      const n = value as number;
      return Number.isFinite(n) && n >= min && n > above && n < below;
    }
    case 'choice':
      return type.choices.includes(value as string);
    default:
      return true;
  }
}

/** The values of a type in words: `a whole number of at least 1`. */
export function describeType(type: SettingType): string {
  switch (type.kind) {
    case 'integer':
      return `a whole number of at least ${type.min}`;
    case 'number': {
      const { min, above, below } = type;
      const low = min === undefined ? `above ${above}` : `of at least ${min}`;
      return `a number ${low}${below === undefined ? '' : ` and below ${below}`}`;
    }
    case 'choice':
      return `one of ${type.choices.join(', ')}`;
    default:
      return {
        boolean: 'true or false',
        text: 'a text',
        list: 'a list of texts',
        betas: 'two rates',
        dropout: 'rates',
        model: 'fields',
      }[type.kind];
  }
}

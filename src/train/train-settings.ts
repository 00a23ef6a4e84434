// The settings of a training run as values: the options type of `train`, defaults, names of flags.

import type { DropoutRates, ModelOptions } from '../model/model-config.ts';
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
  readonly [Name in SettingName as Name extends `lora.${string}` ? never : Name]?: ValueOf<Table[Name]['type']>;
} & {
  readonly lora?: { readonly rank: number } & {
    readonly [Name in SettingName as Name extends `lora.${infer Field}` ? Field : never]?: ValueOf<Table[Name]['type']>;
  };
};

/** Names of the settings that have a constant default. */
type WithDefault = { [Name in SettingName]: Table[Name] extends { default: unknown } ? Name : never }[SettingName];

/** The settings with the constant defaults filled in. */
export type SettingsWithDefaults = TrainSettings & Required<Pick<TrainSettings, WithDefault & keyof TrainSettings>>;

/** The rows of the table, in order. */
export const settingRows = Object.entries(settings) as unknown as readonly (readonly [SettingName, Setting])[];

/** The constant defaults. */
export const settingDefaults = Object.fromEntries(
  settingRows.flatMap(([name, row]) => (row.default === undefined ? [] : [[name, row.default]])),
) as Required<Pick<TrainSettings, WithDefault & keyof TrainSettings>>;

/** Names of the settings that a resumed run may change. */
export const resumableSettings = settingRows.flatMap(([name, { resume }]) => (resume ? [name] : [])) as readonly {
  [Name in SettingName]: Table[Name] extends { resume: true } ? Name : never;
}[SettingName][];

/** Flag of a setting: `--batch-size` for `batchSize`; the field `model` is set by `--set`. */
export const flagOf = (name: SettingName): string =>
  name === 'model' ? '--set' : `--${name.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Value of a setting. */
export const settingOf = (given: TrainSettings, name: SettingName): unknown =>
  name.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], given);

/** The settings in an object that may have other fields. */
export const settingsIn = (fields: TrainSettings): TrainSettings =>
  Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => value !== undefined && (name === 'lora' || name in settings)),
  );

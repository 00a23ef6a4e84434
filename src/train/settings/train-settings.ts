// The settings of a training run as values: the options type of `train`, defaults, names of flags, and
// checks.

import { check } from '../../core/errors.ts';
import { checkFields, checkNames, flagOf, type WithDefault } from '../../core/fields.ts';
import type { Setting } from './setting-types.ts';
import { type SettingName, settings, type Table } from './settings.ts';
import type { TrainSettings } from './train-setting-types.ts';

export type { TrainSettings } from './train-setting-types.ts';

/** The settings with the constant defaults filled in. */
export type SettingsWithDefaults = TrainSettings &
  Required<Pick<TrainSettings, WithDefault<Table> & keyof TrainSettings>>;

/** The rows of the table, in order. */
export const settingRows = Object.entries(settings) as unknown as readonly (readonly [
  SettingName,
  Setting,
])[];

/** The constant defaults. */
export const settingDefaults = Object.fromEntries(
  settingRows.flatMap(([name, row]) => (row.default === undefined ? [] : [[name, row.default]])),
) as Required<Pick<TrainSettings, WithDefault<Table> & keyof TrainSettings>>;

/** Names of the settings that a resumed run may change. */
export const resumableSettings = settingRows.flatMap(([name, { resume }]) =>
  resume ? [name] : [],
) as readonly {
  [Name in SettingName]: Table[Name] extends { resume: true } ? Name : never;
}[SettingName][];

/** Flag of a setting: `--batch-size` for `batchSize`. */
export const settingFlag = (name: SettingName): string => flagOf(name, settings[name] as Setting) ?? name;

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

/** The options of `train` of the library that are not settings. */
const callOptions =
  'dev test from checkpoint resume force device tune maxSubmissionMs memoryBudget onStep onEvent signal gate snapshots maxLogSteps'.split(
    ' ',
  );

/**
 * Checks names and values of options. Throws a HeddleError that names the option, its value and the allowed
 * values.
 */
export function checkSettings(given: TrainSettings): void {
  const names = { area: 'train', others: callOptions };
  const { lora, ...others } = given;
  checkNames(names, [...topNames, 'lora'], Object.keys(given));
  checkFields(names, settings, others);
  if (lora) {
    const fields = Object.fromEntries(Object.entries(lora).map(([name, value]) => [`lora.${name}`, value]));
    checkFields(names, settings, fields);
    check(
      lora.rank !== undefined,
      () => `train: ${Object.keys(fields).join(' and ') || 'lora'} needs lora.rank`,
    );
  }
  check(
    !given.quantizeBits || (!lora && (given.weights ?? 'f32') === 'f32'),
    () => `train: quantizeBits (${given.quantizeBits}) trains all weights in f32; leave out lora and weights`,
  );
  checkGuidance(given);
  for (const [name, { excludes }] of settingRows) {
    const value = settingOf(given, name);
    const other = excludes && settingOf(given, excludes as SettingName);
    check(
      value === undefined || other === undefined,
      () => `train: ${name} (${value}) and ${excludes} (${other}) exclude each other; leave one out`,
    );
  }
}

/** Settings that change the texts or the tokens that word alignments are made for, or train no attention. */
const unguided = ['samplingAlpha', 'bpeDropout', 'augment'] as const;

/** Throws a HeddleError that names what guided alignment cannot be combined with. */
function checkGuidance({
  guidedAlignment,
  guidedAlignmentWeight: weight,
  lora,
  ...given
}: TrainSettings): void {
  check(
    weight === undefined || guidedAlignment !== undefined,
    () => `train: guidedAlignmentWeight (${weight}) needs guidedAlignment, the file of word alignments`,
  );
  if (guidedAlignment === undefined) return;
  check(!lora, 'train: guidedAlignment trains a head of the attention itself; leave out lora');
  for (const name of unguided)
    check(
      !given[name],
      () =>
        `train: guidedAlignment cannot be combined with ${name} (${given[name]}), which changes tokens in each epoch; leave one out`,
    );
}

/** Names of the settings that are not fields of another option. */
const topNames = Object.keys(settings).filter((name) => !name.includes('.'));

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

// Checks of the settings of a training run against their table.

import { check } from '../core/errors.ts';
import type { SettingType } from './setting-types.ts';
import { type SettingName, settings } from './settings.ts';
import { type SettingsWithDefaults, settingOf, settingRows, type TrainSettings } from './train-settings.ts';

/** Checks names and values of options. Throws a HeddleError that names the option, its value and the allowed values. */
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
    check(fitsType(type, value), () => `train: ${name} (${JSON.stringify(value)}) must be ${describeType(type)}`);
    const other = excludes && settingOf(given, excludes as SettingName);
    check(
      other === undefined,
      () => `train: ${name} (${value}) and ${excludes} (${other}) exclude each other; leave one out`,
    );
  }
}

/**
 * Checks that options exist for the chosen optimizer, schedule and precision. Throws a HeddleError that names the
 * option.
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

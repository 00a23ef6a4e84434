// The settings of a training run as values: the options type of `train`, the joined table of settings, and checks.

import { check } from '../../core/errors.ts';
import { checkFields, checkNames, flagOf, type WithDefault } from '../../core/fields.ts';
import { listed, msg, option } from '../../core/message.ts';
import type { Setting } from '../../core/setting.ts';
import type { GuestSettings } from '../../session/guest-settings.ts';
import { settings, type Table } from './settings.ts';
import type { TrainSettings } from './train-setting-types.ts';

export type { TrainSettings } from './train-setting-types.ts';

/** The settings with the constant defaults filled in. */
export type SettingsWithDefaults = TrainSettings &
  Required<Pick<TrainSettings, WithDefault<Table> & keyof TrainSettings>>;

/** The options of `train` of the library that are not settings. */
const callOptions = [
  'dev',
  'test',
  'from',
  'checkpoint',
  'resume',
  'force',
  'device',
  'tune',
  'maxSubmissionMs',
  'memoryBudget',
  'onStep',
  'onEvent',
  'signal',
  'gate',
  'snapshots',
  'maxLogSteps',
];

/** Value of a setting; `lora.rank` is the field `rank` of the option `lora`. */
export const settingOf = (given: object, name: string): unknown =>
  name
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], given);

/** The table of all settings: those of the main house, and those of guests. */
export class SettingTable {
  /** The rows by name. */
  readonly rows: Readonly<Record<string, Setting>>;
  readonly #guests: readonly GuestSettings[];

  constructor(guests: readonly GuestSettings[] = []) {
    this.#guests = guests;
    const rows: Record<string, Setting> = Object.assign({}, settings, ...guests.map((guest) => guest.rows));
    for (const { choices = {} } of guests)
      for (const [name, added] of Object.entries(choices)) {
        const row = rows[name];
        if (row?.type.kind === 'choice')
          rows[name] = { ...row, type: { ...row.type, choices: [...row.type.choices, ...added] } };
      }
    this.rows = rows;
  }

  /** Names and rows in order. */
  get entries(): readonly (readonly [name: string, row: Setting])[] {
    return Object.entries(this.rows);
  }

  /** The constant defaults. */
  get defaults(): Required<Pick<TrainSettings, WithDefault<Table> & keyof TrainSettings>> {
    const given = this.entries.flatMap(([name, row]) =>
      row.default === undefined ? [] : [[name, row.default]],
    );
    return Object.fromEntries(given);
  }

  /** Names of the settings that a resumed run may change. */
  get resumable(): readonly string[] {
    return this.entries.flatMap(([name, { resume }]) => (resume ? [name] : []));
  }

  /** Names of the settings that are files, which the library also takes as File or Blob. */
  get files(): readonly string[] {
    return [
      'tokenizerFile',
      'sourceTokenizer',
      'targetTokenizer',
      ...this.#guests.flatMap(({ files = [] }) => files),
    ];
  }

  /** Flag of a setting: `--batch-size` for `batchSize`. */
  flag(name: string): string {
    return flagOf(name, this.rows[name]) ?? name;
  }

  /** The settings in an object that may have other fields. */
  in<Settings extends TrainSettings>(fields: Settings): Settings {
    return Object.fromEntries(
      Object.entries(fields).filter(
        ([name, value]) => value !== undefined && (name === 'lora' || name in this.rows),
      ),
    ) as Settings;
  }

  /**
   * Checks names and values of options. Throws a HeddleError that names the option, its value and the allowed
   * values.
   */
  check(given: TrainSettings): void {
    const names = { area: 'train', others: callOptions };
    const { lora, ...others } = given;
    const topNames = Object.keys(this.rows).filter((name) => !name.includes('.'));
    checkNames(names, [...topNames, 'lora'], Object.keys(given));
    checkFields(names, this.rows, others);
    if (lora) {
      const fields = Object.fromEntries(Object.entries(lora).map(([name, value]) => [`lora.${name}`, value]));
      checkFields(names, this.rows, fields);
      const named = Object.keys(fields).map((name) => option(name));
      check(
        lora.rank !== undefined,
        () =>
          msg`${listed(named.length > 0 ? named : [option('lora')], ' and ')} needs ${option('lora.rank')}`,
        { area: 'train' },
      );
    }
    check(
      !given.quantizeBits || (!lora && (given.weights ?? 'f32') === 'f32'),
      () =>
        msg`${option('quantizeBits')} (${given.quantizeBits}) trains all weights in f32; leave out ${option('lora')} and ${option('weights')}`,
      { area: 'train' },
    );
    for (const guest of this.#guests) guest.check?.(given);
    for (const [name, { excludes }] of this.entries) {
      const value = settingOf(given, name);
      const other = excludes && settingOf(given, excludes);
      check(
        value === undefined || other === undefined,
        () =>
          msg`${option(name)} (${String(value)}) and ${option(excludes ?? '')} (${String(other)}) exclude each other; leave one out`,
        { area: 'train' },
      );
    }
  }

  /**
   * Checks that options exist for the chosen optimizer, schedule and precision. Throws a HeddleError that names
   * the option.
   */
  checkApplicable(complete: SettingsWithDefaults): void {
    for (const [name, { onlyFor }] of this.entries) {
      if (!onlyFor || settingOf(complete, name) === undefined) continue;
      const [other, ...values] = onlyFor;
      const chosen = settingOf(complete, other) as string;
      check(
        values.includes(chosen),
        () =>
          msg`${option(name)} (${String(settingOf(complete, name))}) does not exist for ${option(other)} ${chosen}, only for ${listed(values, ' and ')}; leave it out`,
        { area: 'train' },
      );
    }
  }
}

// A row of the table of settings: a field of core/fields.ts, with what training and its form add.

import type { OptionField } from './fields.ts';

/** Headings of the settings in help texts and documentation. */
export const settingGroups = [
  'Training',
  'Optimizer',
  'Model',
  'Fine-tuning',
  'Data',
  'Evaluation',
  'Checkpoints',
] as const;

/** A row of the table. Its key is the option of the library and the field in JSON. */
export interface Setting extends OptionField {
  readonly group: (typeof settingGroups)[number];
  /** Whether a resumed run may change it. */
  readonly resume?: true;
  /** A setting that cannot be combined with this one. */
  readonly excludes?: string;
  /** This setting exists only for these values of another setting. */
  readonly onlyFor?: readonly [setting: string, ...values: string[]];
  /** Label in the form of the page. A setting without a label is not in the form. */
  readonly label?: string;
  /** Whether the form has it under "Advanced". */
  readonly advanced?: true;
}

/** The rows of a group. A row without a default has one for each kind of run (run-defaults.ts). */
export const inGroup = <const Rows extends Readonly<Record<string, Omit<Setting, 'group'>>>>(
  group: Setting['group'],
  rows: Rows,
) =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { group, ...row }])) as {
    readonly [Name in keyof Rows]: Rows[Name] & Pick<Setting, 'group'>;
  };

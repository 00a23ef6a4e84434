// A row of the table of settings: its type, unit, default, flag, help text and label.

/** Type of a setting's value: how a flag is parsed, an option is checked and the form shows it. */
export type SettingType = {
  /** Unit of the value, which is also the placeholder of the flag: `steps`, `rate`. */
  readonly unit: string;
} & (
  | { readonly kind: 'integer'; readonly min: number }
  /** A number of at least `min` or above `above`, and below `below`. */
  | { readonly kind: 'number'; readonly min?: number; readonly above?: number; readonly below?: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'boolean' | 'text' }
  /** Texts, separated by commas on the command line; the flag may be repeated. */
  | { readonly kind: 'list' }
  /** Two rates: 0.9,0.98. */
  | { readonly kind: 'betas' }
  /** One rate, or rates by place: 0.1 or attention=0.2,output=0.1. */
  | { readonly kind: 'dropout' }
  /** Fields of the model configuration: field=value on the command line; the flag may be repeated. */
  | { readonly kind: 'model' }
);

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
export interface Setting {
  readonly group: (typeof settingGroups)[number];
  readonly type: SettingType;
  /** A phrase without the default: it is appended. */
  readonly help: string;
  /** Value if neither the user nor the recipe (recipes.ts) sets one. */
  readonly default?: unknown;
  /** The default in words, if it depends on other settings. */
  readonly defaultText?: string;
  /** Other flags for it, without dashes. */
  readonly aliases?: readonly string[];
  /** Old names of the flag, which still work and print the new name. */
  readonly oldFlags?: readonly string[];
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

/** A whole number of at least `min`. */
export const integer = (min: number, unit: string) => ({ kind: 'integer', min, unit }) as const;
/** One of `choices`. */
export const choice = <const Choices extends readonly string[]>(choices: Choices, unit: string) =>
  ({ kind: 'choice', choices, unit }) as const;
/** A rate from 0 to below 1. */
export const rate = { kind: 'number', min: 0, below: 1, unit: 'rate' } as const;
/** A number above 0. */
export const positive = (unit: string) => ({ kind: 'number', above: 0, unit }) as const;
/** A number of at least 0. */
export const notNegative = (unit: string) => ({ kind: 'number', min: 0, unit }) as const;
/** True or false. */
export const boolean = { kind: 'boolean', unit: '' } as const;
/** A text. */
export const text = (unit: string) => ({ kind: 'text', unit }) as const;
/** Texts. */
export const list = (unit: string) => ({ kind: 'list', unit }) as const;

/** The rows of a group. */
export const rowsOf = <const Rows extends Readonly<Record<string, Omit<Setting, 'group'>>>>(
  group: Setting['group'],
  rows: Rows,
) =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { group, ...row }])) as {
    readonly [Name in keyof Rows]: Rows[Name] & Pick<Setting, 'group'>;
  };

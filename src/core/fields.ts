// Tables of options: a row has the type of a value with its range, its default and its help text. Checks,
// defaults, flags of the command line, TypeScript types and documentation follow from the rows. The
// configuration of a model, decoding, optimizer, schedule, training and benchmarks are such tables.

import { editDistance } from './edit-distance.ts';
import { HeddleError } from './errors.ts';
import { listed, type Message, msg, option, plainMessage } from './message.ts';

/** Type of a value: how it is checked and described. src/commands/field-parsers.ts reads it from a text. */
export type FieldType = {
  /** Unit of the value, which is also the placeholder of the flag: `steps`, `rate`. */
  readonly unit: string;
} & (
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max?: number;
      /** The value is a multiple of it. */
      readonly step?: number;
    }
  /** A number of at least `min` or above `above`, and below `below` or at most `max`. */
  | {
      readonly kind: 'number';
      readonly min?: number;
      readonly above?: number;
      readonly below?: number;
      readonly max?: number;
    }
  /** `isOpen`: guests add choices. */
  | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly isOpen?: true }
  | { readonly kind: 'boolean' | 'text' }
  /** Texts, separated by commas on the command line; the flag may be repeated. */
  | { readonly kind: 'list' }
  | CustomType
);

/** A type of its own, with its check. */
export interface CustomType {
  readonly kind: 'custom';
  readonly unit: string;
  /** The values in words, after "must be": `two rates`. */
  readonly words: string;
  /** The TypeScript type of the values, for generated documentation. */
  readonly typescript: string;
  /** Whether a value is allowed. */
  accepts(value: unknown): boolean;
}

/** A row of a table. Its key is the option of the library and the field in JSON. */
export interface FieldRow {
  readonly type: FieldType;
  /** The value if none is given. */
  readonly default?: unknown;
  /** The flag without dashes, if it differs from the name; null: there is none. */
  readonly flag?: string | null;
  /** Other flags for it, without dashes. */
  readonly aliases?: readonly string[];
}

/** A row with its texts, from which come `--help`, the interfaces of the library and docs/settings.md. */
export interface OptionField extends FieldRow {
  /** A phrase without the default: it is appended. */
  readonly help: string;
  /** The default in words, if it depends on other fields. */
  readonly defaultText?: string;
}

/** A table of options by name. */
export type FieldTable = Readonly<Record<string, FieldRow>>;

/** A table of options with their texts. */
export type OptionTable = Readonly<Record<string, OptionField>>;

/** A whole number of at least `min`, at most `max`, and a multiple of `step`. */
export const integer = (
  min: number,
  unit = 'n',
  max?: number,
  step?: number,
): Extract<FieldType, { readonly kind: 'integer' }> => ({ kind: 'integer', min, max, step, unit });
/** One of `choices`. */
export const choice = <const Choices extends readonly string[]>(choices: Choices, unit = 'name') =>
  ({ kind: 'choice', choices, unit }) as const;
/** One of `choices`, or of those that guests add (`GuestSettings.choices`). */
export const openChoice = <Choice extends string>(choices: readonly Choice[], unit = 'name') =>
  ({
    kind: 'choice',
    choices: choices as readonly (Choice | (string & {}))[],
    unit,
    isOpen: true,
  }) as const;
/** A rate from 0 to below 1. */
export const rate = { kind: 'number', min: 0, below: 1, unit: 'rate' } as const;
/** A number between 0 and 1, both excluded. */
export const fraction = { kind: 'number', above: 0, below: 1, unit: 'number' } as const;
/** A number above 0. */
export const positive = (unit = 'number') => ({ kind: 'number', above: 0, unit }) as const;
/** A number of at least 0. */
export const notNegative = (unit = 'number') => ({ kind: 'number', min: 0, unit }) as const;
/** True or false. */
export const boolean = { kind: 'boolean', unit: '' } as const;
/** A text. */
export const text = (unit = 'text') => ({ kind: 'text', unit }) as const;
/** Texts. */
export const list = (unit: string) => ({ kind: 'list', unit }) as const;

/** A type of its own; its TypeScript type follows from `accepts`, a type guard. */
export const custom = <V>(
  type: Omit<CustomType, 'kind' | 'accepts'> & {
    /** Whether a value has the type. */
    accepts(value: unknown): value is V;
  },
) =>
  ({ kind: 'custom', ...type }) as CustomType & {
    /** Whether a value has the type. */
    accepts(value: unknown): value is V;
  };

/** TypeScript type of the values of a field type. */
export type ValueOf<T> = T extends {
  /** Whether a value has the type. */
  accepts(value: unknown): value is infer V;
}
  ? V
  : T extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : T extends { readonly kind: 'integer' | 'number' }
      ? number
      : T extends { readonly kind: 'boolean' }
        ? boolean
        : T extends { readonly kind: 'text' }
          ? string
          : readonly string[];

/** The values of a table. */
export type ValuesOf<T extends FieldTable> = { readonly [Name in keyof T]: ValueOf<T[Name]['type']> };

/** Names of the rows that have a constant default. */
export type WithDefault<T extends FieldTable> = {
  [Name in keyof T]: T[Name] extends { readonly default: unknown } ? Name : never;
}[keyof T];

/** The constant defaults of a table. */
export const defaultsOf = <T extends FieldTable>(table: T) =>
  Object.fromEntries(
    Object.entries(table).flatMap(([name, row]) => (row.default === undefined ? [] : [[name, row.default]])),
  ) as Pick<ValuesOf<T>, WithDefault<T>>;

/** Whether a value is in the range of its type. */
export function fitsType(type: FieldType, value: unknown): boolean {
  const x = value as number; // compared only after the check that it is a number
  switch (type.kind) {
    case 'integer': {
      const { min, max = x, step = 1 } = type;
      return Number.isSafeInteger(x) && x >= min && x <= max && x % step === 0;
    }
    case 'number': {
      const { min = x, above = -Infinity, below = Infinity, max = x } = type;
      return Number.isFinite(x) && x >= min && x <= max && x > above && x < below;
    }
    case 'choice':
      return type.choices.includes(value as string);
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'list':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'custom':
      return type.accepts(value);
  }
}

/** The values of a type in words: `a whole number of at least 1`. */
export function describeType(type: FieldType): Message {
  switch (type.kind) {
    case 'integer': {
      const { min, max, step = 1 } = type;
      const range =
        max === undefined
          ? msg`a whole number of at least ${min}`
          : msg`a whole number from ${min} to ${max}`;
      return step > 1 ? msg`${range} and a multiple of ${step}` : range;
    }
    case 'number': {
      const { min, above, below, max } = type;
      if (min !== undefined && max !== undefined) return msg`a number from ${min} to ${max}`;
      let wanted = msg`a number`;
      if (min !== undefined) wanted = msg`a number of at least ${min}`;
      else if (above !== undefined) wanted = msg`a number above ${above}`;
      if (below !== undefined) return msg`${wanted} and below ${below}`;
      return max === undefined ? wanted : msg`${wanted} and at most ${max}`;
    }
    case 'choice':
      return msg`one of ${listed(type.choices)}`;
    case 'boolean':
      return msg`true or false`;
    case 'text':
      return msg`a text`;
    case 'list':
      return msg`a list of texts`;
    case 'custom':
      return plainMessage(type.words);
  }
}

/** The type as a TypeScript type, for generated documentation. */
export function typescriptOf(type: FieldType): string {
  switch (type.kind) {
    case 'integer':
    case 'number':
      return 'number';
    case 'choice':
      return [...type.choices.map((value) => `'${value}'`), ...(type.isOpen ? ['(string & {})'] : [])].join(
        ' | ',
      );
    case 'boolean':
      return 'boolean';
    case 'text':
      return 'string';
    case 'list':
      return 'readonly string[]';
    case 'custom':
      return type.typescript;
  }
}

/** What an error calls the fields: `area: label is value, it must be ...`. */
export interface FieldNames {
  /** What has the fields: `decode`. */
  readonly area: string;
  /** Name of a field where the values come from. Default: its own name. */
  readonly label?: (name: string) => string;
  /** What a name is called if it is unknown. Default: option. */
  readonly noun?: string;
  /** Other options of the call, which an unknown name may resemble too. */
  readonly others?: readonly string[];
}

/** Throws the HeddleError of a wrong value: the field, its value, and what it must be. */
export function rejectField(
  { area, label }: FieldNames,
  name: string,
  value: unknown,
  wanted: Message | string,
): never {
  const shown = typeof value === 'number' ? value : JSON.stringify(value);
  const field = label?.(name);
  const range = typeof wanted === 'string' ? plainMessage(wanted) : wanted;
  throw new HeddleError(msg`${field ?? option(name)} is ${shown}, it must be ${range}`, { area });
}

/**
 * Checks the names and the values of fields; a value that is undefined is not given. Throws a HeddleError that
 * names the field, its value and the allowed values, or the field that an unknown name resembles.
 */
export function checkFields(names: FieldNames, table: FieldTable, values: object): void {
  checkNames(names, Object.keys(table), Object.keys(values));
  for (const [name, value] of Object.entries(values)) {
    const type = table[name]?.type;
    if (type && value !== undefined && !fitsType(type, value))
      rejectField(names, name, value, describeType(type));
  }
}

/** Throws a HeddleError for a name that is not one of `known`, with the most similar one. */
export function checkNames(
  { area, noun = 'option', others = [] }: FieldNames,
  known: readonly string[],
  names: readonly string[],
): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new HeddleError(
      msg`there is no ${noun} ${unknown}${suggestion(unknown, [...known, ...others]) ?? ''}`,
      { area },
    );
}

/**
 * `. Did you mean steps?` for a name that resembles one of `known`; for others the list of known names if it
 * is short; undefined if there is nothing to suggest.
 */
export function suggestion(name: string, known: readonly string[]): Message | undefined {
  const similar = closest(name, known);
  if (similar !== undefined) return msg`. Did you mean ${similar}?`;
  return known.length <= 12 ? msg`; the names are ${listed(known)}` : undefined;
}

/** The known name with the fewest edits from `name`; undefined if all are too different. */
function closest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/\W|_/g, '');
  const wanted = plain(name);
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const other = plain(candidate);
    // A name that contains the other one is similar: `learnRate` has 3 edits, `rate` none of its letters wrong.
    const contained = wanted.length > 3 && (other.includes(wanted) || wanted.includes(other));
    const edits = editDistance(wanted, other);
    const cost = contained && edits > 1 ? 1 : edits;
    // Not the name itself: it is an option of another call.
    if (candidate !== name && cost <= Math.max(1, other.length * 0.4) && cost < least) {
      best = candidate;
      least = cost;
    }
  }
  return best;
}

/** The flag of a field: `--batch-size` for `batchSize`; undefined if it has none. */
export function flagOf(name: string, { flag }: Pick<FieldRow, 'flag'> = {}): string | undefined {
  if (flag === null) return undefined;
  return `--${flag ?? name.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

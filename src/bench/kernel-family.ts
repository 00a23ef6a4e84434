// A kernel family: a kernel with sizes and choices as fields.

import { HeddleError } from '../core/errors.ts';
import { describeType, fitsType, integer } from '../core/fields.ts';
import { listed, msg } from '../core/message.ts';
import type { KernelCase, KernelGroup, KernelSpec } from './kernel-case.ts';

/** A size: a whole number from `min` to `max`, a multiple of `step`. */
export interface SizeField {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** A choice; the first value is the default. */
export interface ChoiceField<V extends string = string> {
  readonly label: string;
  readonly values: readonly V[];
}

/** A value of a family that a user sets. */
export type FamilyField = SizeField | ChoiceField;

/** Kernels that differ in their sizes. */
export interface KernelFamily {
  readonly label: string;
  readonly group: KernelGroup;
  readonly fields: Readonly<Record<string, FamilyField>>;
  /** Makes a kernel; the values are checked. */
  make(values: Readonly<Record<string, never>>): Omit<KernelCase, 'group' | 'spec'>;
}

/** The values of fields. */
type ValuesOf<F> = { readonly [N in keyof F]: F[N] extends ChoiceField<infer V> ? V : number };

/** A family whose `make` receives the values of its fields with their types. */
export const family = <const F extends KernelFamily['fields']>(definition: {
  readonly label: string;
  readonly group: KernelGroup;
  readonly fields: F;
  make(values: ValuesOf<F>): ReturnType<KernelFamily['make']>;
}): KernelFamily => definition as KernelFamily;

/** A size with its default, from `step` to `max`. */
export const size = (label: string, value: number, max = 65_536, step = 1): SizeField => ({
  label,
  value,
  min: step,
  max,
  step,
});

/** A choice; the first value is the default. */
export const choice = <V extends string>(label: string, ...values: readonly V[]): ChoiceField<V> => ({
  label,
  values,
});

/** The number of rows, in several families. */
export const rows = size('Rows', 1024, 1_000_000);
/** The number of attention heads, in several families. */
export const heads = size('Heads', 8, 256);
/** The width of a head, in several families. */
export const headWidth = size('Head width', 32, 256);
/** The size of a vocabulary, in several families. */
export const vocab: SizeField = { ...size('Vocabulary', 8000, 300_000), min: 8 };
/** The pass, in several families. */
export const pass = choice('Pass', 'forward', 'backward');

/** The name of a kernel in a pass. */
export const named = (name: string, pass: string): string =>
  pass === 'backward' ? `${name} backward` : name;

/** The field `dtype` of families whose kernels `kernelOf` can store as f16. */
export const storage = choice('Storage', 'f32', 'f16');

/** A number with spaces between thousands: 10 000 000. */
export const spaced = (n: number): string => n.toLocaleString('en').replaceAll(',', ' ');

/**
 * The values of a family's fields; omitted ones have their defaults. Throws a HeddleError that names an
 * invalid one.
 */
export function checkedValues(
  name: string,
  { fields }: KernelFamily,
  values: NonNullable<KernelSpec['values']>,
): Record<string, string | number> {
  const unknown = Object.keys(values).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined)
    throw new HeddleError(
      msg`${name} has no size ${unknown}; it has ${Object.keys(fields).join(', ') || 'none'}.`,
    );
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, checkedValue(name, key, field, values[key])]),
  );
}

function checkedValue(family: string, key: string, field: FamilyField, given: unknown): string | number {
  if ('values' in field) {
    const value = given ?? (field.values[0] as string);
    if (!field.values.includes(value as string))
      throw new HeddleError(msg`${key} is ${String(value)}; it must be ${listed(field.values)}.`, {
        area: family,
      });
    return value as string;
  }
  const value = given ?? field.value;
  const type = integer(field.min, '', field.max, field.step);
  if (!fitsType(type, value))
    throw new HeddleError(msg`${key} is ${String(value)}; it must be ${describeType(type)}.`, {
      area: family,
    });
  return value as number;
}

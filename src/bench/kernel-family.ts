// A kernel family: a kernel with sizes and choices as fields.

import { HeddleError } from '../core/errors.ts';
import type { KernelCase, KernelSpec } from './kernel-case.ts';

/** A size: a whole number of `min` (default 1) to `max`, a multiple of `step` (default 1). */
export interface SizeField {
  readonly label: string;
  readonly value: number;
  readonly min?: number;
  readonly max: number;
  readonly step?: number;
}

/** A choice; the first value is the default. */
export interface ChoiceField {
  readonly label: string;
  readonly values: readonly string[];
}

/** A value of a family that a user sets. */
export type FamilyField = SizeField | ChoiceField;

/** Kernels that differ in their sizes. */
export interface KernelFamily {
  readonly label: string;
  readonly fields: Readonly<Record<string, FamilyField>>;
  /** Makes a kernel; the values are checked. */
  make(values: Readonly<Record<string, never>>): KernelCase;
}

/** The values of fields. */
type ValuesOf<F> = { readonly [N in keyof F]: F[N] extends { readonly values: readonly (infer V)[] } ? V : number };

/** A family whose `make` receives the values of its fields with their types. */
export const family = <const F extends Readonly<Record<string, FamilyField>>>(
  label: string,
  fields: F,
  make: (values: ValuesOf<F>) => KernelCase,
): KernelFamily => ({ label, fields, make: make as KernelFamily['make'] });

/** A size with its default, from `step` to `max`. */
export const size = (label: string, value: number, max = 65_536, step = 1): SizeField => ({
  label,
  value,
  min: step,
  max,
  step,
});

/** The values of a family's fields; omitted ones have their defaults. Throws a HeddleError that names an invalid one. */
export function checkedValues(
  name: string,
  { fields }: KernelFamily,
  values: NonNullable<KernelSpec['values']>,
): Record<string, string | number> {
  const unknown = Object.keys(values).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined)
    throw new HeddleError(`${name} has no size ${unknown}; it has ${Object.keys(fields).join(', ') || 'none'}.`);
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, checkedValue(name, key, field, values[key])]),
  );
}

function checkedValue(family: string, key: string, field: FamilyField, given: unknown): string | number {
  if ('values' in field) {
    const value = given ?? (field.values[0] as string);
    if (!field.values.includes(value as string))
      throw new HeddleError(`${family}: ${key} is ${value}; it must be ${field.values.join(', ')}.`);
    return value as string;
  }
  const { min = 1, max, step = 1 } = field;
  const value = given ?? field.value;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max || value % step !== 0) {
    const multiple = step > 1 ? ` and a multiple of ${step}` : '';
    throw new HeddleError(`${family}: ${key} is ${value}; it must be a whole number from ${min} to ${max}${multiple}.`);
  }
  return value;
}

// Checks of option objects that programs give functions of heddle/engine: fields that there are not, that are missing, or
// that have another type. Only the entry heddle/engine imports them: the library's own calls are checked by TypeScript.

import { type ArgumentType, checkTypes, HeddleError, hasType, kindOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { type DeviceTraits, defaultTraits } from './device-traits.ts';
import { expectOptions } from './type-checks.ts';

/** Type of a field: of an argument, or a whole number, which may be negative; with `?` the field may be missing. */
type FieldType = `${ArgumentType | 'a whole number'}${'' | '?'}`;

/** An object with fields of any types. */
type FieldsOf<T> = { readonly [Name in keyof T]: unknown };

/** The type of each field of an object. */
export type FieldTypes<T> = { readonly [Name in keyof Required<T>]: FieldType };

/**
 * Throws a HeddleError about the function `area` unless `values` is an object that has the fields of `types`, and no
 * others. Allocates nothing if it is. `of`: what messages call the object, if it is itself a field.
 */
export function checkObject<T>(area: string, values: T, types: FieldTypes<T>, of?: string): void {
  const isObject = typeof values === 'object' && values !== null && !Array.isArray(values);
  let isKnown = isObject;
  if (isObject) for (const name in values) isKnown &&= name in types;
  if (!isKnown) expectOptions(area, values, Object.keys(types));
  checkFieldTypes(area, values, types, of);
}

/** `checkObject` of an object that may have other fields. */
export function checkFieldTypes<T>(area: string, values: T, types: FieldTypes<T>, of?: string): void {
  if (!hasType(values, 'an object')) checkTypes(area, 'an object', { [of ?? 'object']: values });
  for (const name in types) {
    const value: unknown = values[name];
    const declared = types[name];
    const isOptional = declared.endsWith('?');
    if (value === undefined && isOptional) continue;
    const type = (isOptional ? declared.slice(0, -1) : declared) as ArgumentType | 'a whole number';
    if (type === 'a whole number' ? Number.isSafeInteger(value) : hasType(value, type)) continue;
    const field = of === undefined ? name : `${of}.${name}`;
    const given = typeof value === 'number' ? value : kindOf(value);
    throw new HeddleError(msg`${field} is ${given}, it must be ${type}`, { area });
  }
}

/** Throws a HeddleError unless `values` is undefined or an object whose fields all have a type. */
export function checkEach(area: string, type: ArgumentType, of: string, values: object | undefined): void {
  if (values === undefined) return;
  checkTypes(area, 'an object', { [of]: values });
  for (const [name, value] of Object.entries(values)) checkTypes(area, type, { [`${of}.${name}`]: value });
}

/** The fields of a device that functions of heddle/engine read. */
const deviceFields = { gpu: 'an object', traits: 'an object', adapter: 'an object' } as const;

/** Throws a HeddleError unless `device` is a device of `openDevice` or `wrapDevice`. */
export const checkDevice = (area: string, device: FieldsOf<typeof deviceFields>): void =>
  checkFieldTypes(area, device, deviceFields, 'device');

/** Throws a HeddleError unless `traits` is undefined or traits of a device; `isPartial`: some of them. */
export function checkTraits(
  area: string,
  traits: Partial<DeviceTraits> | undefined,
  isPartial = false,
): void {
  if (traits === undefined) return;
  const types = Object.entries(defaultTraits).map(([name, value]) => [
    name,
    `${kindOf(value)}${isPartial ? '?' : ''}`,
  ]);
  checkObject(area, traits, Object.fromEntries(types) as FieldTypes<Partial<DeviceTraits>>, 'traits');
}

/** The types of step scalars that are given. */
export const stepFields = {
  learningRate: 'a number?',
  tokenWeight: 'a number?',
  seed: 'a whole number?',
  step: 'a whole number?',
  keep: 'a number?',
  position: 'a whole number?',
} as const;

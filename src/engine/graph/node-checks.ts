// Checks of what a program gives an op, since JavaScript does not check types: inputs are tensors, and attributes have
// the types that the op declares. Otherwise an object in place of a number would be NaN in a kernel.

import { checkTypes, HeddleError, isShape, kindOf } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { listed, msg } from '../../core/message.ts';
import { tensorName } from '../ops/named-tensors.ts';
import type { AnyOp, Attrs, Value } from '../ops/op.ts';
import { expectOptions } from '../ops/type-checks.ts';

/** Whether a value is a tensor of a graph. */
const isTensor = (value: unknown): value is Value =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  'dtype' in value &&
  'shape' in value &&
  Array.isArray(value.shape);

/** Throws a HeddleError unless `value` is a tensor of a graph. */
export function checkTensor(area: string, name: string, value: unknown): asserts value is Value {
  if (!isTensor(value))
    throw new HeddleError(msg`${name} is ${kindOf(value)}, it must be a tensor of the graph`, { area });
}

/**
 * Throws a HeddleError if an input of a node is no tensor, or an attribute has another type than the op declares, or one
 * of them a name that the op does not have.
 */
export function checkNode(
  { name: area, inputs, attrs: declared }: AnyOp,
  given: object,
  { names, list }: { readonly names: readonly string[]; readonly list: readonly unknown[] },
  attrs: Attrs,
): void {
  checkNames({ area, noun: 'input' }, inputs.map(tensorName), Object.keys(given));
  for (const [i, value] of list.entries()) checkTensor(area, names[i] ?? '', value);
  expectOptions(area, attrs, Object.keys(declared?.types ?? attrs));
  const types = declared?.types;
  if (!types) {
    for (const [name, value] of Object.entries(attrs))
      if (Number.isNaN(value) || !['number', 'boolean', 'string', 'undefined'].includes(typeof value))
        throw new HeddleError(
          msg`${name} is ${kindOf(value)}, it must be ${'a number, a boolean or a text'}`,
          { area },
        );
    return;
  }
  for (const [name, declaredType] of Object.entries(types)) {
    const value = attrs[name];
    if (value === undefined && declaredType.endsWith('?')) continue;
    const type = declaredType.replace('?', '') as 'number' | 'boolean' | 'string';
    checkTypes(area, type === 'string' ? 'a text' : `a ${type}`, { [name]: value });
  }
}

/** Throws a HeddleError unless these are the name, the type and the shape of a tensor. */
export function checkTensorType(kind: string, name: unknown, dtype: unknown, shape: unknown): void {
  const area = 'graph';
  if (typeof name !== 'string')
    throw new HeddleError(msg`the name of an ${kind} is ${kindOf(name)}, it must be a text`, { area });
  const dtypes = ['f32', 'i32', 'u32', 'f16'];
  if (!dtypes.includes(dtype as string))
    throw new HeddleError(msg`the type of ${name} is ${String(dtype)}, it must be one of ${listed(dtypes)}`, {
      area,
    });
  if (!isShape(shape))
    throw new HeddleError(msg`the shape of ${name} must be a list of whole numbers, it is ${String(shape)}`, {
      area,
    });
}

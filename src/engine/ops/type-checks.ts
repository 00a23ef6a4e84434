// Checks that shape rules share. Each throws a HeddleError that names the op, the tensor and both sides.

import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { listed, msg } from '../../core/message.ts';
import { type DType, type Shape, sameShape, show, type TensorType } from '../../core/tensor.ts';
import { stepWords } from './step-scalars.ts';

/**
 * Throws unless `type` has the dtype and, if given, the shape; `explanation` states the source of the
 * expected shape.
 *
 * @example
 * expectType('my_op', 'gamma', { dtype: 'f32', shape: [64] }, 'f32', [64], 'as wide as x');
 */
export function expectType(
  op: string,
  name: string,
  type: TensorType | undefined,
  dtype: DType,
  shape?: Shape,
  explanation?: string,
): asserts type is TensorType {
  check(type, msg`${name} is missing`, { area: op });
  check(
    type.dtype === dtype && (shape === undefined || sameShape(type.shape, shape)),
    () =>
      msg`${name} is ${type.dtype} ${show(type.shape)}, must be ${dtype}${shape ? ` ${show(shape)}` : ''}${explanation ? ` (${explanation})` : ''}`,
    { area: op },
  );
}

/** Throws unless `type` is the block of step scalars, u32 [stepWords]. */
export function expectStep(op: string, type: TensorType | undefined): void {
  expectType(op, 'step', type, 'u32', [stepWords], "the graph's step input");
}

/** Throws unless the options of a function are an object with these names at most. */
export function expectOptions(area: string, options: unknown, names: readonly string[]): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  check(isObject, msg`the options must be an object with ${listed(names)}`, { area });
  checkNames({ area }, names, Object.keys(options as object));
}

/** Throws unless `rate` is a probability and, if it is above 0, `step` is the block of step scalars. */
export function expectDropout(op: string, rate: number, step: TensorType | undefined): void {
  check(rate >= 0 && rate <= 1, msg`a dropout rate of ${rate}, must be from 0 to 1`, { area: op });
  if (rate > 0) expectStep(op, step);
}

// Checks that ops share in their shape rules: each throws a HeddleError that names the op, the input and both sides.

import { check } from '../core/errors.ts';
import { type DType, type Shape, sameShape, show, type TensorType } from '../core/tensor.ts';
import { stepWords } from './step-scalars.ts';

/** Input `i` of an op; throws where the graph passed fewer. */
export function inputAt(op: string, inputs: readonly TensorType[], i: number, name: string): TensorType {
  const input = inputs[i];
  check(input, `${op}: input ${i}, ${name}, is missing`);
  return input;
}

/** Throws unless `type` has the dtype and, where given, the shape; `why` says where the expected shape comes from. */
export function expectType(
  op: string,
  name: string,
  type: TensorType | undefined,
  dtype: DType,
  shape?: Shape,
  why?: string,
): asserts type is TensorType {
  check(type, `${op}: ${name} is missing`);
  check(
    type.dtype === dtype && (shape === undefined || sameShape(type.shape, shape)),
    () =>
      `${op}: ${name} is ${type.dtype} ${show(type.shape)}, must be ${dtype}${shape ? ` ${show(shape)}` : ''}${why ? ` (${why})` : ''}`,
  );
}

/** Throws unless `type` is the block of step scalars, u32 [stepWords]. */
export function expectStep(op: string, type: TensorType | undefined): void {
  expectType(op, 'step', type, 'u32', [stepWords], "the graph's step input");
}

/** Throws unless `rate` is a probability. */
export function expectRate(op: string, rate: number): void {
  check(rate >= 0 && rate <= 1, `${op}: a dropout rate of ${rate}, must be from 0 to 1`);
}

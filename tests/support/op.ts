// Checks of ops on the device of the test file; see src/engine/check-op.ts.

import { allocate, type Shape, sizeOf, type Tensor } from '../../src/core/tensor.ts';
import { checkOp as checkOpOn, type OpCase } from '../../src/engine/check-op.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import type { Attrs, Op } from '../../src/engine/ops/op.ts';

export { relativeError } from '../../src/core/relative-error.ts';
export {
  applyToInputs,
  checkGradient,
  type OpCase,
  type OpCheckInputs,
  randomTensor,
} from '../../src/engine/check-op.ts';
export { defaultTraits } from '../../src/engine/ops/device-traits.ts';

/**
 * `checkOp` on the device of tests/support/gpu.ts. In Chrome, except in test:full, it checks the kernels that an untuned
 * device takes unless `everyKernel` is set: SwiftShader compiles each for up to two seconds, and Dawn runs all of them.
 */
export async function checkOp<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  c: OpCase<I, O, A>,
  { everyKernel = false } = {},
): Promise<Record<string, number>> {
  const { everyCase, gpuDevice, gpuHost } = await import('./gpu.ts');
  const untuned = gpuHost === 'Chrome' && !everyCase && !everyKernel && c.variant === undefined;
  return checkOpOn(wrapDevice(await gpuDevice()), op, { untuned, ...c });
}

/** A tensor of integers. */
export function integers(dtype: 'i32' | 'u32', shape: Shape, values: ArrayLike<number>): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = values[i] ?? 0;
  return { dtype, shape, data };
}

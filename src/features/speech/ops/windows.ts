// Windows of frames as rows of a matrix: checks, and launches of matrix products that read them in place.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, type TensorType } from '../../../core/tensor.ts';
import type { Launch } from '../../../engine/ops/op.ts';
import { expectType } from '../../../engine/ops/type-checks.ts';

/** Number of frames of a window. */
export const windowFrames = (x: TensorType, w: TensorType): number => dim(w, 1) / dim(x, 2);

/** Throws a HeddleError unless w [D,K·C] has whole windows of x [B,P,C], and `length` of them fit. */
export function checkWindows(
  op: string,
  x: TensorType,
  w: TensorType,
  { stride, length }: { readonly stride: number; readonly length: number },
): void {
  expectType(op, 'x', x, 'f32');
  expectType(op, 'w', w, 'f32');
  const taps = windowFrames(x, w);
  check(
    x.shape.length === 3 && w.shape.length === 2 && Number.isInteger(taps),
    () => msg`x ${show(x.shape)} must be [B,P,C] and w ${show(w.shape)} [D,K·C]`,
    { area: op },
  );
  check(
    length >= 1 && (length - 1) * stride + taps <= dim(x, 1),
    () => msg`${length} windows of ${taps} frames, ${stride} apart, do not fit in x ${show(x.shape)}`,
    { area: op },
  );
}

/** A launch of a product with other constants and params; `combine`, the sum of slices of K, keeps its own. */
export const ofWindows = (
  launch: Launch,
  { constants, params }: { constants: Record<string, number>; params: Record<string, number> },
): Launch =>
  launch.entry.startsWith('combine')
    ? launch
    : {
        ...launch,
        constants: { ...launch.constants, ...constants },
        params: { ...launch.params, ...params },
      };

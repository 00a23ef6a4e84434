// A bias of the scores of self-attention by head and distance, [H, 2·farthest + 1]: its checks and its columns.
// relative-position-bias.ts computes that of T5.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show } from '../../../core/tensor.ts';
import type { ReferenceTensor } from '../reference-tensor.ts';

/** Largest distance of a bias [H, 2·farthest + 1]; distances beyond it use the ends. */
export const farthestOf = (bias: { readonly shape: readonly number[] }): number => (dim(bias, 1) - 1) / 2;

/** Throws a HeddleError unless `bias` is f32 [heads, odd]. */
export function checkBias(
  op: string,
  heads: number,
  bias: { readonly dtype: string; readonly shape: readonly number[] },
) {
  check(
    bias.dtype === 'f32' && bias.shape.length === 2 && dim(bias, 0) === heads && dim(bias, 1) % 2 === 1,
    () =>
      msg`bias must be f32 [${heads}, 2·farthest + 1], one row per head, it is ${bias.dtype} ${show(bias.shape)}`,
    { area: op },
  );
}

/** The bias of a head at the distance from query i to key j. */
export const biasAt = (bias: ReferenceTensor, h: number, i: number, j: number): number =>
  bias.at(h, distanceIndex(bias, i, j));

/** Column of a bias [H, 2·farthest + 1] for query i and key j. */
export function distanceIndex(bias: { readonly shape: readonly number[] }, i: number, j: number): number {
  const far = farthestOf(bias);
  return far + Math.max(-far, Math.min(far, j - i));
}

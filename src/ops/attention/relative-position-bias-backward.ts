// The gradient of the relative position bias.

import { attrsOf, defineOp, dim, tensorType } from '../op.ts';
import { biasLaunch, biasName, type RelativePositionAttrs, relativeBuckets } from './relative-position-bias.ts';

/** dbias [H, 2·farthest + 1]; dtable [buckets, H], sums over the distances of each bucket. */
export const relativePositionBiasBackwardOp = defineOp({
  name: `${biasName}_backward`,
  inputs: ['dbias'],
  outputs: ['dtable'],
  attrs: attrsOf<RelativePositionAttrs & { readonly buckets: number }>(),
  shape: ({ dbias }, { buckets }) => ({ dtable: tensorType('f32', [buckets, dim(dbias, 0)]) }),
  launch: ({ dbias }, { dtable }, attrs) =>
    biasLaunch(`${biasName}_backward`, relativeBuckets(attrs.buckets, attrs), dbias, dtable, { dbias, dtable }),
});

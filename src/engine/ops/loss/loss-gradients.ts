// The gradients of losses, which are the roots of the backward pass. Only the backward pass loads this file.

import type { SomeByName } from '../op.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import type * as crossEntropyModule from './cross-entropy.ts';
import { crossEntropyBackwardOp, crossEntropyOp } from './cross-entropy.ts';
import type * as projectedLossModule from './projected-loss.ts';
import { projectedLossOp } from './projected-loss.ts';

/** Throws if an output of a loss op has a gradient: the loss must be the root of the backward pass. */
function checkRoot(op: string, dOutputs: SomeByName<string>): void {
  if (Object.values(dOutputs).some((d) => d !== undefined))
    throw new Error(`${op}: is the root of the loss, its outputs have no gradient`);
}

/** The gradient of each op of the family that has one. */
export const lossGradients = {
  crossEntropyOp: gradient(
    crossEntropyOp,
    (builder, inputs, { lse, dlogits }, dOutputs, { smoothing, ignore, classes }) => {
      checkRoot('cross_entropy', dOutputs);
      if (!lse) return { logits: dlogits };
      const attrs = { smoothing, ignore, classes };
      return { logits: builder.apply(crossEntropyBackwardOp, { ...inputs, lse }, attrs).dlogits };
    },
  ),
  projectedLossOp: gradient(projectedLossOp, (_builder, _inputs, { dx, dw, db }, dOutputs, { gradients }) => {
    checkRoot('projected_loss', dOutputs);
    if (!gradients) throw new Error('projected_loss: has no gradient unless it is built with `gradients`');
    return { x: dx, w: dw, b: db };
  }),
} satisfies GradientsOf<
  typeof crossEntropyModule & typeof projectedLossModule,
  'crossEntropyBackwardOp' | 'tokenStatsOp'
>;

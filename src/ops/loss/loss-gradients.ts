// Gradients of losses, which are the roots of gradient walks.

import { type OpGradient, opGradient, type SomeByName } from '../op.ts';
import { crossEntropyBackwardOp, crossEntropyOp } from './cross-entropy.ts';
import { projectedLossOp } from './projected-loss.ts';

/** Throws unless the loss is the root of the gradient walk. */
function checkRoot(op: string, dOutputs: SomeByName<string>): void {
  if (Object.values(dOutputs).some((d) => d !== undefined))
    throw new Error(`${op}: is the root of the loss, its outputs have no gradient`);
}

/** Gradients of the ops of this folder. */
export const lossGradients: readonly OpGradient[] = [
  opGradient(crossEntropyOp, (builder, inputs, { lse, dlogits }, dOutputs, { smoothing, ignore, classes }) => {
    checkRoot('cross_entropy', dOutputs);
    if (!lse) return { logits: dlogits };
    const attrs = { smoothing, ignore, classes };
    return { logits: builder.apply(crossEntropyBackwardOp, { ...inputs, lse }, attrs).dlogits };
  }),
  opGradient(projectedLossOp, (_builder, _inputs, { dx, dw, db }, dOutputs, { gradients }) => {
    checkRoot('projected_loss', dOutputs);
    if (!gradients) throw new Error('projected_loss: has no gradient unless it is built with `gradients`');
    return { x: dx, w: dw, b: db };
  }),
];

// The gradients of the ops of frames. Only the backward pass loads this file.

import { dim } from '../../../core/tensor.ts';
import { activationBackwardOp } from '../elementwise/activation-backward.ts';
import { positionBackwardOp } from '../embedding/embedding-backward.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import { addPositionsOp } from './add-positions.ts';
import { arrangeTaps, arrangeTapsOp, transposedTaps } from './arrange-taps.ts';
import { convolution, convolutionOp, windowFrames } from './convolution.ts';
import { convolutionBackwardOp } from './convolution-backward.ts';
import { moveFrames, moveFramesOp } from './move-frames.ts';

/** The gradient of each op of the family that has one. */
export const framesGradients = {
  moveFramesOp: gradient(moveFramesOp, (builder, { x }, _outputs, { y: dy }, { first, width }) => ({
    x: dy && moveFrames(builder, dy, { first: -first, length: dim(x, 1), width }),
  })),
  arrangeTapsOp: gradient(arrangeTapsOp, (builder, _inputs, _outputs, { y: dy }, attrs) => {
    if (attrs.order !== 'tap') throw new Error(`arrange_taps: the order ${attrs.order} has no gradient`);
    return { x: dy && arrangeTaps(builder, dy, { ...attrs, order: 'channel' }) };
  }),
  convolutionOp: gradient(
    convolutionOp,
    (builder, { x, w, b }, { y, z }, { y: dy, z: dz }, { stride, length, activation: kind }) => {
      if (dz) throw new Error('convolution: z is for the gradient of y, it has no gradient of its own');
      if (!dy) return {};
      const [taps, width] = [windowFrames(x, w), dim(w, 0)];
      const d = kind === 'none' ? dy : builder.apply(activationBackwardOp, { x: z ?? y, dy }, { kind }).dx;
      const inputGradient = () => {
        // Frame stride·q + i of x got window q - t through tap stride·t + i.
        const earlier = transposedTaps({ taps, stride }) - 1;
        const v = arrangeTaps(builder, w, { order: 'transposed', taps, stride });
        const groups = Math.ceil(((length - 1) * stride + taps) / stride);
        const spread = moveFrames(builder, d, { first: earlier, length: groups + earlier, width });
        const dx = convolution(builder, spread, v, undefined, {
          stride: 1,
          length: groups,
          activation: 'none',
        });
        return moveFrames(builder, dx, { first: 0, length: dim(x, 1), width: dim(x, 2) });
      };
      const weightGradients = () => {
        const frames = dim(x, 1) / stride;
        const rows = moveFrames(builder, d, { first: 0, length: frames, width });
        const db = b !== undefined && builder.needs(b);
        return builder.apply(convolutionBackwardOp, { dy: rows, x }, { taps, stride, length, db });
      };
      const { dw, db } =
        builder.needs(w) || (b && builder.needs(b)) ? weightGradients() : { dw: undefined, db: undefined };
      return { x: builder.needs(x) ? inputGradient() : undefined, w: dw, b: db };
    },
  ),
  addPositionsOp: gradient(addPositionsOp, (builder, { positions }, _outputs, { y: dy }, { learned }) => {
    if (!dy) return {};
    const sizes = { rate: 0, site: 0, rows: dim(positions, 0), offset: 0 };
    const trained = learned && builder.needs(positions);
    return {
      x: dy,
      positions: trained ? builder.apply(positionBackwardOp, { dy }, sizes).dpositions : undefined,
    };
  }),
} satisfies GradientsOf<
  typeof import('./move-frames.ts') &
    typeof import('./arrange-taps.ts') &
    typeof import('./convolution.ts') &
    typeof import('./add-positions.ts')
>;

// Moves the frames of each row of a batch, with zeros around them: the input of a convolution has zero frames
// at both ends.

import wgsl from '../../../../shaders/features/speech/move-frames.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../../../engine/ops/op.ts';
import { expectType } from '../../../engine/ops/type-checks.ts';
import { gridOf } from '../../../engine/ops/work-division.ts';

/**
 * `first`: frame of y that gets frame 0 of x, negative to drop the first ones; `length`: frames of y;
 * `width`: numbers of a frame, a divisor of the last axis of x.
 */
export type MoveFramesAttrs = { readonly first: number; readonly length: number; readonly width: number };

/** x [B,T,C], also read as frames of `width` numbers; y [B,length,width], zero where x has no frame. */
export const moveFramesOp = defineOp({
  name: 'move_frames',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<MoveFramesAttrs>(),
  shape({ x }, { length, width }) {
    expectType('move_frames', 'x', x, 'f32');
    const [B = 0, , C = 0] = x.shape;
    check(
      x.shape.length === 3 && C % width === 0 && length >= 1,
      () => msg`x is ${show(x.shape)}, must be [B,T,C] with a multiple of ${width} numbers`,
      { area: 'move_frames' },
    );
    return { y: tensorType('f32', [B, length, width]) };
  },
  f16Storage: ['x', 'y'],
  launch: ({ x }, { y }, { first, length, width }) => [
    {
      shader: { name: 'move-frames', source: wgsl },
      entry: 'move_frames',
      params: {
        count: sizeOf(y.shape),
        frames_in: sizeOf(x.shape.slice(1)) / width,
        frames_out: length,
        width,
        first,
      },
      bind: { x, y },
      grid: gridOf(sizeOf(y.shape), 256),
    },
  ],
  grad: (builder, { x }, _outputs, { y: dy }, { first, width }) => ({
    x: dy && moveFrames(builder, dy, { first: -first, length: dim(x, 1), width }),
  }),
  reference: ({ x }, { y }, { first, length, width }) => {
    const frames = x.size / x.dim(0) / width;
    for (let b = 0; b < x.dim(0); b++)
      for (let n = 0; n < length; n++)
        for (let c = 0; c < width; c++) {
          const from = n - first;
          y.set(b, n, c, from >= 0 && from < frames ? x.at((b * frames + from) * width + c) : 0);
        }
  },
});

/** Moves the frames of x [B,T,C]: [B,length,width]. */
export const moveFrames = (builder: Builder, x: Value, attrs: MoveFramesAttrs): Value =>
  builder.apply(moveFramesOp, { x }, attrs).y;

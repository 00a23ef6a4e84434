// Orders of the weights of a convolution: PyTorch's, that of a window of frames, and that of the gradient of
// the input.

import wgsl from '../../../../shaders/features/speech/arrange-taps.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../../../engine/ops/op.ts';
import { expectType } from '../../../engine/ops/type-checks.ts';
import { gridOf } from '../../../engine/ops/work-division.ts';

/**
 * Orders of the weights of a convolution with D outputs, C channels and K taps. `tap`: [D,K·C] from PyTorch's
 * [D,C,K]; `channel`: the inverse; `transposed`: [stride·C,taps·D] from [D,K·C], see `transposedTaps`.
 */
export type ArrangeTapsAttrs = {
  readonly order: 'tap' | 'channel' | 'transposed';
  /** K. */
  readonly taps: number;
  /** Of the convolution, for `transposed`. */
  readonly stride: number;
};

/** Taps of the convolution that computes the gradient of the input. */
export const transposedTaps = ({ taps, stride }: Pick<ArrangeTapsAttrs, 'taps' | 'stride'>): number =>
  Math.floor((taps - 1) / stride) + 1;

const entries = { tap: 'by_tap', channel: 'by_channel', transposed: 'transposed' } as const;

/** D and C of weights. */
export function tapSizes(x: { readonly shape: readonly number[] }, { order, taps }: ArrangeTapsAttrs) {
  const [outs = 0, inner = 0] = x.shape;
  return { outs, channels: order === 'tap' ? inner : inner / taps };
}

/** x: weights of a convolution; y: the same numbers in another order. */
export const arrangeTapsOp = defineOp({
  name: 'arrange_taps',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<ArrangeTapsAttrs>(),
  shape({ x }, attrs) {
    const { order, taps, stride } = attrs;
    expectType('arrange_taps', 'x', x, 'f32');
    const { outs, channels } = tapSizes(x, attrs);
    const fits = order === 'tap' ? x.shape.length === 3 && x.shape[2] === taps : x.shape.length === 2;
    check(fits && Number.isInteger(channels), () => msg`x ${show(x.shape)} has not ${taps} taps`, {
      area: 'arrange_taps',
    });
    if (order === 'tap') return { y: tensorType('f32', [outs, taps * channels]) };
    if (order === 'channel') return { y: tensorType('f32', [outs, channels, taps]) };
    return { y: tensorType('f32', [stride * channels, transposedTaps(attrs) * outs]) };
  },
  launch: ({ x }, { y }, attrs) => [
    {
      shader: { name: 'arrange-taps', source: wgsl },
      entry: entries[attrs.order],
      params: {
        ...tapSizes(x, attrs),
        taps: attrs.taps,
        stride: attrs.stride,
        taps_out: transposedTaps(attrs),
      },
      bind: { x, y },
      grid: gridOf(sizeOf(y.shape), 256),
    },
  ],
  grad: (builder, _inputs, _outputs, { y: dy }, attrs) => {
    if (attrs.order !== 'tap') throw new Error(`arrange_taps: the order ${attrs.order} has no gradient`);
    return { x: dy && arrangeTaps(builder, dy, { ...attrs, order: 'channel' }) };
  },
  reference: ({ x }, { y }, attrs) => {
    const { order, taps, stride } = attrs;
    const { outs, channels: C } = tapSizes(x, attrs);
    const last = transposedTaps(attrs) - 1;
    for (let d = 0; d < outs; d++)
      for (let c = 0; c < C; c++)
        for (let k = 0; k < taps; k++) {
          const [byTap, byChannel] = [(d * taps + k) * C + c, (d * C + c) * taps + k];
          if (order === 'tap') y.set(byTap, x.at(byChannel));
          else if (order === 'channel') y.set(byChannel, x.at(byTap));
          else y.set((k % stride) * C + c, (last - Math.floor(k / stride)) * outs + d, x.at(byTap));
        }
  },
});

/** The weights x of a convolution in another order. */
export const arrangeTaps = (builder: Builder, x: Value, attrs: ArrangeTapsAttrs): Value =>
  builder.apply(arrangeTapsOp, { x }, attrs).y;

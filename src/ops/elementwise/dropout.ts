// Dropout whose mask is a function of seed, step, site and element, so that the backward needs no memory of it.

import { sizeOf } from '../../core/tensor.ts';
import { dropoutMask, dropoutParams } from '../dropout-mask.ts';
import { elementwise, elementwiseVariants } from '../elementwise-launch.ts';
import { expectRate, expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';

/** `rate`: probability of a zero. `site`: number of this dropout in the model. */
export type DropoutAttrs = { readonly rate: number; readonly site: number };

/** The fields of Params that every kernel with dropout takes. */
export function dropoutFields({ rate, site }: DropoutAttrs): { site: number; threshold: number; keep_scale: number } {
  const { threshold, keepScale } = dropoutParams(rate);
  return { site, threshold, keep_scale: keepScale };
}

/** Dropout at the end of another op, none where the rate is left out or 0. That op's last input is then the step. */
export type DropoutAfter = Partial<DropoutAttrs>;

/** Rate, site and step of a dropout at the end of an op with these inputs; undefined where there is none. */
export function dropoutAfter<T>({ rate = 0, site = 0 }: DropoutAfter, inputs: readonly T[]) {
  return rate > 0 ? { rate, site, step: inputs[inputs.length - 1] as T } : undefined;
}

/** Inputs x, step; y = x * mask / (1 - rate), the element's index being its row-major position. */
export const dropoutOp = defineOp<DropoutAttrs>({
  name: 'dropout',
  shape(inputs, { rate }) {
    const x = inputAt('dropout', inputs, 0, 'x');
    expectType('dropout', 'x', x, 'f32');
    expectStep('dropout', inputs[1]);
    expectRate('dropout', rate);
    return [{ dtype: 'f32', shape: x.shape }];
  },
  inPlace: () => [[0, 0]],
  half: () => ({ inputs: [0], outputs: [0] }),
  variants: elementwiseVariants,
  launch(node, { shared, variant }) {
    const [x, step] = node.inputs as [Value, Value];
    const [y] = node.outputs as [Value];
    const count = sizeOf(y.shape);
    const params = { count, ...dropoutFields(node.attrs) };
    const common = { shader: 'dropout', params, flops: count, ...elementwise(variant, count) };
    return shared(0, 0)
      ? [{ ...common, entry: 'dropout_in_place', bind: { y, step } }]
      : [{ ...common, entry: 'dropout', bind: { x, y, step } }];
  },
  grad: (builder, { inputs, attrs }, [dy]) => [dy && dropout(builder, dy, inputs[1]!, attrs), undefined],
  reference({ attrs, inputs: [x, step], outputs: [y] }) {
    const factor = dropoutMask(readStep(step!.data), attrs.site, attrs.rate);
    for (let i = 0; i < y!.data.length; i++) y!.data[i] = x!.data[i]! * factor(i);
  },
});

/** Dropout of x at a site; x itself where the rate is 0. `step` is the graph's step input. */
export function dropout(builder: Builder, x: Value, step: Value, attrs: DropoutAttrs): Value {
  return attrs.rate === 0 ? x : builder.apply(dropoutOp, [x, step], attrs)[0]!;
}

// ReLU, GELU and SiLU as ops of their own; where one follows a matmul, the matmul's epilogue does it instead.

import { check } from '../../core/errors.ts';
import { sameShape, show, sizeOf } from '../../core/tensor.ts';
import { elementwise, elementwiseVariants } from '../elementwise-launch.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Launch, type Value } from '../op.ts';
import { type Activation, activate, activationKinds, activationSlope, keepsInput } from './activation-functions.ts';

/** Which activation. */
export type ActivationAttrs = { readonly kind: Activation };

/** y = f(x), in place if x is not needed for the gradient. */
export const activationOp = defineOp<ActivationAttrs>({
  name: 'activation',
  shape(inputs) {
    const x = inputAt('activation', inputs, 0, 'x');
    expectType('activation', 'x', x, 'f32');
    return [{ dtype: 'f32', shape: x.shape }];
  },
  inPlace: () => [[0, 0]],
  half: () => ({ inputs: [0], outputs: [0] }),
  variants: elementwiseVariants,
  launch({ attrs, inputs, outputs }, { shared, variant }) {
    const [x] = inputs as [Value];
    const [y] = outputs as [Value];
    return shared(0, 0)
      ? [launch('activation_in_place', variant, attrs, y, { y })]
      : [launch('activation', variant, attrs, y, { x, y })];
  },
  grad(builder, { attrs, inputs, outputs }, [dy]) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    return [dy && builder.apply(activationBackwardOp, [keepsInput(attrs.kind) ? x : y, dy], attrs)[0]];
  },
  reference({ attrs, inputs: [x], outputs: [y] }) {
    for (let i = 0; i < y!.data.length; i++) y!.data[i] = activate(x!.data[i]!, attrs.kind);
  },
});

/** Inputs x (ReLU: x or y) and dy; dx = f'(x)·dy, which may take the memory of dy. */
export const activationBackwardOp = defineOp<ActivationAttrs>({
  name: 'activation_backward',
  shape(inputs) {
    const x = inputAt('activation_backward', inputs, 0, 'x');
    const dy = inputAt('activation_backward', inputs, 1, 'dy');
    expectType('activation_backward', 'x', x, 'f32');
    check(
      sameShape(x.shape, dy.shape),
      `activation_backward: shapes differ, x ${show(x.shape)} and dy ${show(dy.shape)}`,
    );
    return [{ dtype: 'f32', shape: x.shape }];
  },
  inPlace: () => [[1, 0]],
  half: () => ({ inputs: [0, 1], outputs: [0] }),
  variants: elementwiseVariants,
  launch({ attrs, inputs, outputs }, { shared, variant }) {
    const [x, dy] = inputs as [Value, Value];
    const [dx] = outputs as [Value];
    if (shared(1, 0)) return [launch('activation_backward_in_place', variant, attrs, dx, { x, dx })];
    return [launch('activation_backward', variant, attrs, dx, { x, dy, dx })];
  },
  reference({ attrs, inputs: [x, dy], outputs: [dx] }) {
    for (let i = 0; i < dx!.data.length; i++) dx!.data[i] = dy!.data[i]! * activationSlope(x!.data[i]!, attrs.kind);
  },
});

/** f(x), element by element; x itself where the kind is none. */
export function activation(builder: Builder, x: Value, kind: Activation): Value {
  return kind === 'none' ? x : builder.apply(activationOp, [x], { kind })[0]!;
}

function launch(entry: string, variant: string, { kind }: ActivationAttrs, out: Value, bind: Launch['bind']): Launch {
  const count = sizeOf(out.shape);
  const { constants, grid } = elementwise(variant, count);
  const all = { ...constants, KIND: activationKinds[kind] };
  return { shader: 'activation', entry, constants: all, params: { count }, bind, grid, flops: count };
}

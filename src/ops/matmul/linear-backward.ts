// The gradients of a linear layer in one dispatch: some workgroups make dx, others dw, others db.

import { check } from '../../core/errors.ts';
import { matrixOf, show, type TensorType } from '../../core/tensor.ts';
import { dropoutMask } from '../dropout-mask.ts';
import { activationSlope } from '../elementwise/activation-functions.ts';
import { type DropoutAfter, dropoutAfter } from '../elementwise/dropout.ts';
import { expectRate, expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';
import { backwardKernels, type KernelName } from './matmul-kernels.ts';
import { backwardLaunches, type Extra, type Touch } from './matmul-launches.ts';

/**
 * Which gradients are wanted, and what is done to dx after the product: `add` adds a tensor (the gradient of a residual path), an
 * activation multiplies by its derivative (that of the layer below). Dropout acts on dx before an addition.
 */
export type LinearBackwardAttrs = {
  readonly dx: boolean;
  readonly dw: boolean;
  readonly db: boolean;
  readonly extra: Extra | 'none';
} & DropoutAfter;

/**
 * Inputs dy [..,O], x [..,I], w [O,I], with `extra` its tensor [..,I] and with dropout the step. Outputs, of those wanted: dx = dy·w [..,I],
 * dw = dyᵀ·x [O,I], db = Σ_rows dy [O].
 */
export const linearBackwardOp = defineOp<LinearBackwardAttrs>({
  name: 'linear_backward',
  shape(inputs, attrs) {
    const [dy, x, w] = ['dy', 'x', 'w'].map((name, i) => inputAt('linear_backward', inputs, i, name)) as [
      TensorType,
      TensorType,
      TensorType,
    ];
    const rows = matrixOf(x.shape).rows;
    const fits =
      w.shape[0] === matrixOf(dy.shape).cols && w.shape[1] === matrixOf(x.shape).cols && w.shape.length === 2;
    check(
      fits && rows === matrixOf(dy.shape).rows,
      () => `linear_backward: dy ${show(dy.shape)}, x ${show(x.shape)} and w ${show(w.shape)} do not fit`,
    );
    if (attrs.extra !== 'none') expectType('linear_backward', attrs.extra, inputs[3], 'f32', x.shape, 'as dx');
    const { rate = 0 } = attrs;
    expectRate('linear_backward', rate);
    if (rate > 0) expectStep('linear_backward', inputs[attrs.extra === 'none' ? 3 : 4]);
    check(attrs.dx || attrs.dw || attrs.db, 'linear_backward: no gradient is wanted');
    const outs: TensorType = { dtype: 'f32', shape: [w.shape[0]!] };
    return [...(attrs.dx ? [x] : []), ...(attrs.dw ? [w] : []), ...(attrs.db ? [outs] : [])].map(({ shape }) => ({
      dtype: 'f32' as const,
      shape,
    }));
  },
  half: ({ attrs: { dx } }) => ({ inputs: [0, 1, 2, 3], outputs: dx ? [0] : [] }),
  variants: ({ inputs: [dy, x] }, traits) =>
    backwardKernels(matrixOf(x!.shape).rows, matrixOf(x!.shape).cols, matrixOf(dy!.shape).cols, traits),
  launch({ attrs, inputs, outputs }, context) {
    const [dy, x, w, extra] = inputs as [Value, Value, Value, Value?];
    const { rows, cols: ins } = matrixOf(x.shape);
    return backwardLaunches(
      {
        ...{ rows, ins, outs: w.shape[0]!, dy, x, w },
        ...named(attrs, outputs),
        ...(attrs.extra !== 'none' && { extra: { kind: attrs.extra, value: extra! } }),
        dropout: dropoutAfter(attrs, inputs),
      },
      context.variant as KernelName,
      context,
    );
  },
  reference({ attrs, inputs, outputs }) {
    const [dy, x, w, extra] = inputs as [Reference, Reference, Reference, Reference?];
    const { dx, dw, db } = named(attrs, outputs);
    const { rows, cols: ins } = matrixOf(x.shape);
    const outs = w.shape[0]!;
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < outs; j++) {
        const d = dy.data[r * outs + j]!;
        if (db) db.data[j]! += d;
        for (let i = 0; i < ins; i++) {
          if (dx) dx.data[r * ins + i]! += d * w.data[j * ins + i]!;
          if (dw) dw.data[j * ins + i]! += d * x.data[r * ins + i]!;
        }
      }
    if (!dx) return;
    const dropped = dropoutAfter(attrs, inputs);
    const factor = dropped ? dropoutMask(readStep(dropped.step.data), dropped.site, dropped.rate) : () => 1;
    for (let i = 0; i < dx.data.length; i++) {
      if (attrs.extra !== 'none' && attrs.extra !== 'add') dx.data[i]! *= activationSlope(extra!.data[i]!, attrs.extra);
      dx.data[i]! *= factor(i);
      if (attrs.extra === 'add') dx.data[i]! += extra!.data[i]!;
    }
  },
});

type Reference = { readonly shape: readonly number[]; readonly data: Float64Array };

/** Which gradients to make. */
export type Wants = { readonly dx: boolean; readonly dw: boolean; readonly db: boolean };

/** The wanted gradients of y = x·wᵀ + b from dy, dx touched by `extra`. */
export function linearBackward(
  builder: Builder,
  dy: Value,
  x: Value,
  w: Value,
  wants: Wants,
  extra?: Touch,
): { dx?: Value; dw?: Value; db?: Value } {
  if (!wants.dx && !wants.dw && !wants.db) return {};
  const inputs = [dy, x, w, ...(extra ? [extra.value] : [])];
  return named(wants, builder.apply(linearBackwardOp, inputs, { ...wants, extra: extra?.kind ?? 'none' }));
}

/** The outputs by name. */
function named<T>({ dx, dw, db }: Wants, outputs: readonly T[]): { dx?: T; dw?: T; db?: T } {
  const rest = [...outputs];
  return {
    ...(dx && { dx: rest.shift() as T }),
    ...(dw && { dw: rest.shift() as T }),
    ...(db && { db: rest.shift() as T }),
  };
}

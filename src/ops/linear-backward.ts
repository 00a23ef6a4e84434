// The gradients of a linear layer in one dispatch: some workgroups make dx, others dw, others db.

import { check } from '../errors.ts';
import { matrixOf, show, type TensorType } from '../tensor.ts';
import { type Activation, activationSlope } from './activation-functions.ts';
import { expectType, inputAt } from './expect.ts';
import { backwardKernels, backwardLaunches, type Extra, type KernelName, type Touch } from './matmul-kernels.ts';
import { type Builder, defineOp, type Value } from './op.ts';

/**
 * Which gradients are wanted; the layer's own activation, whose derivative multiplies dy first; and what is done to dx after the
 * product: `add` adds a tensor (the gradient of a residual path), an activation multiplies by its derivative (the layer below).
 */
export type LinearBackwardAttrs = {
  readonly dx: boolean;
  readonly dw: boolean;
  readonly db: boolean;
  readonly activation: Activation;
  readonly extra: Extra | 'none';
};

/**
 * Inputs dy [..,O], x [..,I], w [O,I]; with an activation its input (ReLU: its output) [..,O]; with `extra` its tensor [..,I].
 * Outputs, of those wanted: dx [..,I], dw [O,I], db [O]. With dz = dy · f': dx = dz·w, dw = dzᵀ·x, db = Σ_rows dz.
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
    const { slope, extra } = touches(inputs, attrs);
    if (slope) expectType('linear_backward', 'the activation', slope, 'f32', dy.shape, 'as dy');
    if (extra) expectType('linear_backward', attrs.extra, extra, 'f32', x.shape, 'as dx');
    check(attrs.dx || attrs.dw || attrs.db, 'linear_backward: no gradient is wanted');
    const outs: TensorType = { dtype: 'f32', shape: [w.shape[0]!] };
    return [...(attrs.dx ? [x] : []), ...(attrs.dw ? [w] : []), ...(attrs.db ? [outs] : [])].map(({ shape }) => ({
      dtype: 'f32' as const,
      shape,
    }));
  },
  variants: ({ inputs: [dy, x] }, traits) =>
    backwardKernels(matrixOf(x!.shape).rows, matrixOf(x!.shape).cols, matrixOf(dy!.shape).cols, traits),
  launch({ attrs, inputs, outputs }, context) {
    const [dy, x, w] = inputs as [Value, Value, Value];
    const { slope, extra } = touches(inputs, attrs);
    const { rows, cols: ins } = matrixOf(x.shape);
    return backwardLaunches(
      {
        ...{ rows, ins, outs: w.shape[0]!, dy, x, w },
        ...named(attrs, outputs),
        slope: slope && { kind: attrs.activation, value: slope },
        extra: extra && { kind: attrs.extra as Extra, value: extra },
      },
      context.variant as KernelName,
      context,
    );
  },
  reference({ attrs, inputs, outputs }) {
    const [dy, x, w] = inputs as [Reference, Reference, Reference];
    const { dx, dw, db } = named(attrs, outputs);
    const { slope, extra } = touches(inputs, attrs);
    const { rows, cols: ins } = matrixOf(x.shape);
    const outs = w.shape[0]!;
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < outs; j++) {
        const at = r * outs + j;
        const dz = dy.data[at]! * (slope ? activationSlope(slope.data[at]!, attrs.activation) : 1);
        if (db) db.data[j]! += dz;
        for (let i = 0; i < ins; i++) {
          if (dx) dx.data[r * ins + i]! += dz * w.data[j * ins + i]!;
          if (dw) dw.data[j * ins + i]! += dz * x.data[r * ins + i]!;
        }
      }
    if (!dx || !extra) return;
    for (let i = 0; i < dx.data.length; i++) {
      if (attrs.extra === 'add') dx.data[i]! += extra.data[i]!;
      else dx.data[i]! *= activationSlope(extra.data[i]!, attrs.extra);
    }
  },
});

type Reference = { readonly shape: readonly number[]; readonly data: Float64Array };

/** Which gradients to make. */
export type Wants = { readonly dx: boolean; readonly dw: boolean; readonly db: boolean };

/** The wanted gradients of y = f(x·wᵀ + b) from dy; `slope` is f and its input (ReLU: its output). */
export function linearBackward(
  builder: Builder,
  dy: Value,
  x: Value,
  w: Value,
  wants: Wants,
  slope?: Touch<Activation>,
  extra?: Touch<Extra>,
): { dx?: Value; dw?: Value; db?: Value } {
  if (!wants.dx && !wants.dw && !wants.db) return {};
  const inputs = [dy, x, w, ...(slope ? [slope.value] : []), ...(extra ? [extra.value] : [])];
  const attrs = { ...wants, activation: slope?.kind ?? 'none', extra: extra?.kind ?? 'none' } as const;
  return named(attrs, builder.apply(linearBackwardOp, inputs, attrs));
}

/** The optional inputs by name. */
function touches<T>(inputs: readonly T[], { activation, extra }: LinearBackwardAttrs): { slope?: T; extra?: T } {
  const own = activation !== 'none' ? 1 : 0;
  return {
    ...(own && { slope: inputs[3] as T }),
    ...(extra !== 'none' && { extra: inputs[3 + own] as T }),
  };
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

// The gradients of a linear layer in one dispatch: some workgroups compute dx, others dw, others db.

import { check } from '../../core/errors.ts';
import { dim, matrixOf, show, sizeOf, type TensorType, tensorType } from '../../core/tensor.ts';
import type { DropoutAttrs } from '../elementwise/elementwise-ops.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { samplePadding, wholeVectors } from '../work-division.ts';
import { backwardKernels, backwardLaunches } from './matmul-backward.ts';
import { type EpilogueKind, epilogueDropout } from './matmul-launches.ts';

/** Which gradients to compute. */
export type WantedGradients = { readonly dx: boolean; readonly dw: boolean; readonly db: boolean };

/**
 * dy [..,O] (or padded with zeros to whole vectors, as y of a padded linear), x [..,I], w [O,I], the operand of the
 * epilogue [..,I], step if there is dropout. Outputs, if wanted: dx = dy·w [..,I], dw = dyᵀ·x [O,I],
 * db = Σ_rows dy [O].
 */
export const linearBackwardOp = defineOp({
  name: 'linear_backward',
  inputs: ['dy', 'x', 'w', 'operand?', 'step?'],
  outputs: ['dx?', 'dw?', 'db?'],
  /**
   * Which gradients are wanted, and the epilogue of dx: `add` adds a tensor (the gradient of a residual path), an
   * activation multiplies by its derivative (that of the layer below). Dropout acts on dx before an addition.
   */
  attrs: attrsOf<WantedGradients & { readonly epilogue: EpilogueKind | 'none' } & Partial<DropoutAttrs>>(),
  shape({ dy, x, w, operand, step }, { dx, dw, db, epilogue, rate = 0 }) {
    const ofOuts = [dim(w, 0), wholeVectors(dim(w, 0))].includes(matrixOf(dy.shape).cols);
    const fits = w.shape.length === 2 && ofOuts && dim(w, 1) === matrixOf(x.shape).cols;
    check(
      fits && matrixOf(x.shape).rows === matrixOf(dy.shape).rows,
      () => `linear_backward: dy ${show(dy.shape)}, x ${show(x.shape)} and w ${show(w.shape)} do not fit`,
    );
    if (epilogue !== 'none') expectType('linear_backward', epilogue, operand, 'f32', x.shape, 'as dx');
    expectDropout('linear_backward', rate, step);
    check(dx || dw || db, 'linear_backward: no gradient is wanted');
    const f32 = (wanted: boolean, { shape }: Pick<TensorType, 'shape'>) =>
      wanted ? tensorType('f32', shape) : undefined;
    return { dx: f32(dx, x), dw: f32(dw, w), db: f32(db, { shape: [dim(w, 0)] }) };
  },
  f16Storage: ['dy', 'x', 'w', 'operand', 'dx'],
  naive: 'naive',
  sample: ({ dy, w }) => ({ dy: samplePadding(dim(w, 0), dim(dy, -1)) }),
  variants({ dy, x, w }, _attrs, traits) {
    const { rows, cols } = matrixOf(x.shape);
    return backwardKernels(rows, cols, dim(w, 0), [dy, x, w], traits);
  },
  modelFlops: ({ dy, w }, { dx, dw }) => 2 * matrixOf(dy.shape).rows * sizeOf(w.shape) * ((dx ? 1 : 0) + (dw ? 1 : 0)),
  launch({ dy, x, w, operand, step }, gradients, attrs, context) {
    const { rows, cols: ins } = matrixOf(x.shape);
    const epilogue = attrs.epilogue !== 'none' && operand ? { kind: attrs.epilogue, operand } : undefined;
    const sizes = { rows, ins, outs: dim(w, 0), dyWidth: dim(dy, -1) };
    return backwardLaunches(
      { ...sizes, dy, x, w, ...gradients, epilogue, dropout: epilogueDropout(step, attrs) },
      context,
    );
  },
});

/** The wanted gradients of y = x·wᵀ + b from dy. */
export function linearBackward(
  builder: Builder,
  dy: Value,
  x: Value,
  w: Value,
  wanted: WantedGradients,
): { readonly dx?: Value | undefined; readonly dw?: Value | undefined; readonly db?: Value | undefined } {
  if (!wanted.dx && !wanted.dw && !wanted.db) return {};
  return builder.apply(linearBackwardOp, { dy, x, w }, { ...wanted, epilogue: 'none' });
}

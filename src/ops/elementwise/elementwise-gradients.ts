// Gradients of elementwise ops.

import { check } from '../../core/errors.ts';
import { matrixOf } from '../../core/tensor.ts';
import { type OpGradient, opGradient } from '../op.ts';
import { activationOp } from './activation.ts';
import { activationBackwardOp, gatedActivationBackwardOp } from './activation-backward.ts';
import { keepsInput } from './activation-functions.ts';
import { addOp } from './add.ts';
import { addColumnsOp, takeColumns, takeColumnsOp } from './columns.ts';
import { dropout, dropoutOp } from './dropout.ts';
import { gatedActivationOp } from './gated-activation.ts';

/** Gradients of the ops of this folder. */
export const elementwiseGradients: readonly OpGradient[] = [
  opGradient(activationOp, (builder, { x }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(activationBackwardOp, { x: keepsInput(attrs.kind) ? x : y, dy }, attrs).dx,
  })),
  opGradient(addOp, (_builder, _inputs, _outputs, { y: dy }) => ({ a: dy, b: dy })),
  opGradient(addColumnsOp, (builder, { x, u }, _outputs, { y: dy }, attrs) => {
    if (!dy) return {};
    const du = () => takeColumns(builder, dy, { ...attrs, count: matrixOf(u.shape).cols });
    return { x: builder.needs(x) ? dy : undefined, u: builder.needs(u) ? du() : undefined };
  }),
  opGradient(takeColumnsOp, (builder, { x }, _outputs, { y: dy }, attrs) => {
    check(attrs.count === matrixOf(x.shape).cols, 'take_columns: only all columns together have a gradient');
    return { x: dy && takeColumns(builder, dy, attrs) };
  }),
  opGradient(dropoutOp, (builder, { step }, _outputs, { y: dy }, attrs) => ({
    x: dy && dropout(builder, dy, step, attrs),
  })),
  opGradient(gatedActivationOp, (builder, { x }, _outputs, { y: dy }, attrs) => ({
    x: dy && builder.apply(gatedActivationBackwardOp, { x, dy }, attrs).dx,
  })),
];

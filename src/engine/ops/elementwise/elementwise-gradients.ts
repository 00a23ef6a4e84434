// The gradients of elementwise ops, activations and slices of columns. Only the backward pass loads this file.

import { matrixOf } from '../../../core/tensor.ts';
import { type GradientsOf, gradient } from '../op-gradient.ts';
import { activationBackwardOp, gatedActivationBackwardOp } from './activation-backward.ts';
import type * as columnsModule from './columns.ts';
import { addColumns, addColumnsOp, takeColumns, takeColumnsOp } from './columns.ts';
import type * as elementwiseOpsModule from './elementwise-ops.ts';
import { activationOp, addOp, dropout, dropoutOp, keepsInput } from './elementwise-ops.ts';
import type * as gatedActivationModule from './gated-activation.ts';
import { gatedActivationOp } from './gated-activation.ts';
import type * as joinColumnsModule from './join-columns.ts';
import { joinColumnsOp } from './join-columns.ts';
import type * as zeroRangeModule from './zero-range.ts';
import { zeroRange, zeroRangeOp } from './zero-range.ts';

/** The gradient of each op of the family that has one. */
export const elementwiseGradients = {
  activationOp: gradient(activationOp, (builder, { x }, { y }, { y: dy }, attrs) => ({
    x: dy && builder.apply(activationBackwardOp, { x: keepsInput(attrs.kind) ? x : y, dy }, attrs).dx,
  })),
  addOp: gradient(addOp, (_builder, _inputs, _outputs, { y: dy }) => ({ a: dy, b: dy })),
  addColumnsOp: gradient(addColumnsOp, (builder, { x, u }, _outputs, { y: dy }, attrs) => {
    if (!dy) return {};
    const du = () => takeColumns(builder, dy, { ...attrs, count: matrixOf(u.shape).cols });
    return { x: builder.needs(x) ? dy : undefined, u: builder.needs(u) ? du() : undefined };
  }),
  joinColumnsOp: gradient(joinColumnsOp, (builder, { a, b }, _outputs, { y: dy }) => {
    if (!dy) return {};
    const [first, count] = [matrixOf(a.shape).cols, matrixOf(b.shape).cols];
    return {
      a: takeColumns(builder, dy, { first: 0, count: first, scale: 1 }),
      b: takeColumns(builder, dy, { first, count, scale: 1 }),
    };
  }),
  takeColumnsOp: gradient(takeColumnsOp, (builder, { x }, _outputs, { y: dy }, attrs) => {
    if (!dy) return {};
    const { cols } = matrixOf(x.shape);
    if (attrs.count === cols) return { x: takeColumns(builder, dy, attrs) };
    const zeros = takeColumns(builder, x, { first: 0, count: cols, scale: 0 });
    return { x: addColumns(builder, zeros, dy, { first: attrs.first, scale: attrs.scale }) };
  }),
  dropoutOp: gradient(dropoutOp, (builder, { step }, _outputs, { y: dy }, attrs) => ({
    x: dy && dropout(builder, dy, step, attrs),
  })),
  gatedActivationOp: gradient(gatedActivationOp, (builder, { x }, _outputs, { y: dy }, attrs) => ({
    x: dy && builder.apply(gatedActivationBackwardOp, { x, dy }, attrs).dx,
  })),
  zeroRangeOp: gradient(zeroRangeOp, (builder, _inputs, _outputs, { y: dy }, range) => ({
    x: dy && zeroRange(builder, dy, range),
  })),
} satisfies GradientsOf<
  typeof elementwiseOpsModule &
    typeof columnsModule &
    typeof gatedActivationModule &
    typeof joinColumnsModule &
    typeof zeroRangeModule,
  'logMeanOp'
>;

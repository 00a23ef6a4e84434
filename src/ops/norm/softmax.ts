// Softmax over the last axis, whole or masked. The model's attention is fused (attention.ts); this is the op by itself.

import { check } from '../../core/errors.ts';
import { matrixOf, type Shape, show, sizeOf, type TensorType } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Launch, type LaunchContext, type Node, type Value } from '../op.ts';
import { cellOf, shaderFor, teamOf, teamsFor } from '../row-groups.ts';

/** `causal`: row i of the second last axis sees only columns 0 to i. */
export type SoftmaxAttrs = { readonly causal?: boolean };

function checkInputs(op: string, x: TensorType, lens: TensorType | undefined, { causal }: SoftmaxAttrs): void {
  expectType(op, 'x', x, 'f32');
  check(!causal || x.shape.length >= 2, () => `${op}: a causal mask needs two axes, x is ${show(x.shape)}`);
  if (lens) expectType(op, 'lens', lens, 'u32', [x.shape[0] ?? 0], `one for each of x ${show(x.shape)}`);
}

/** Columns that row `row` of x sees. */
function visible(x: Shape, lens: ArrayLike<number> | undefined, { causal }: SoftmaxAttrs, row: number): number {
  const { rows, cols } = matrixOf(x);
  const length = lens?.[Math.floor(row / (rows / x[0]!))] ?? cols;
  return Math.min(cols, length, causal ? (row % x[x.length - 2]!) + 1 : cols);
}

/** The most cells of a row that a thread holds. */
const mostHeld = 16;

function variants({ inputs }: Pick<Node, 'inputs'>): readonly string[] {
  const { cols } = matrixOf(inputs[0]!.shape);
  return cols / cellOf(cols) <= mostHeld ? [...teamsFor(cols), 'held'] : teamsFor(cols);
}

/** Everything of a dispatch but what is bound to x, dy and y; `shared` says whose memory is y's. */
function launchOf(
  way: '' | '_backward',
  x: Value,
  attrs: SoftmaxAttrs,
  lens: Value | undefined,
  { variant }: LaunchContext,
  shared: Record<'X_SHARED' | 'DY_SHARED', boolean>,
): Omit<Launch, 'bind'> {
  const { rows, cols } = matrixOf(x.shape);
  const held = variant === 'held';
  const team = teamOf(held ? 'team-1' : variant);
  return {
    shader: shaderFor('softmax', cols),
    entry: held ? `softmax_held${way}` : `softmax${way}`,
    constants: {
      ...team,
      ...(held && { HELD: cols / cellOf(cols) }),
      X_SHARED: shared.X_SHARED ? 1 : 0,
      DY_SHARED: shared.DY_SHARED ? 1 : 0,
    },
    params: {
      rows,
      cols,
      queries: x.shape[x.shape.length - 2] ?? 1,
      rows_per_length: rows / x.shape[0]!,
      has_lengths: lens ? 1 : 0,
      causal: attrs.causal ? 1 : 0,
    },
    grid: gridOf(rows, team.ROWS),
    flops: 5 * sizeOf(x.shape),
  };
}

/**
 * Inputs x [..,C] and, if wanted, lens u32 [B] for x [B,..,C]: rows of batch b see their first lens[b] columns. Output y [..,C],
 * 0 where masked, and in all of a row that sees nothing. y may take the memory of x.
 */
export const softmaxOp = defineOp<SoftmaxAttrs>({
  name: 'softmax',
  shape(inputs, attrs) {
    const x = inputAt('softmax', inputs, 0, 'x');
    checkInputs('softmax', x, inputs[1], attrs);
    return [{ dtype: 'f32', shape: x.shape }];
  },
  inPlace: () => [[0, 0]],
  variants,
  launch({ inputs, outputs, attrs }, context) {
    const [x, lens] = inputs as [Value, Value | undefined];
    const spare = context.scratch('f32', [4]);
    const shared = context.shared(0, 0);
    return [
      {
        ...launchOf('', x, attrs, lens, context, { X_SHARED: shared, DY_SHARED: false }),
        bind: { x: shared ? spare : x, lens: lens ?? spare, y: outputs[0]! },
      },
    ];
  },
  grad: (builder, { inputs: [, lens], outputs: [y], attrs }, [dy]) => [
    dy && builder.apply(softmaxBackwardOp, lens ? [y!, dy, lens] : [y!, dy], attrs)[0],
  ],
  reference({ attrs, inputs: [x, lens], outputs: [y] }) {
    const { rows, cols } = matrixOf(x!.shape);
    for (let row = 0; row < rows; row++) {
      const n = visible(x!.shape, lens?.data, attrs, row);
      const scores = Array.from({ length: n }, (_, c) => x!.data[row * cols + c]!);
      const top = Math.max(...scores);
      const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
      for (const [c, s] of scores.entries()) y!.data[row * cols + c] = Math.exp(s - top) / total;
    }
  },
});

/** Inputs y, dy and, if the forward had them, lens; output dx = y (dy - sum(y dy)), which may take the memory of y or of dy. */
export const softmaxBackwardOp = defineOp<SoftmaxAttrs>({
  name: 'softmax_backward',
  shape(inputs, attrs) {
    const y = inputAt('softmax_backward', inputs, 0, 'y');
    checkInputs('softmax_backward', y, inputs[2], attrs);
    expectType('softmax_backward', 'dy', inputs[1], 'f32', y.shape, 'as y');
    return [{ dtype: 'f32', shape: y.shape }];
  },
  inPlace: () => [
    [0, 0],
    [1, 0],
  ],
  variants,
  launch({ inputs, outputs, attrs }, context) {
    const [y, dy, lens] = inputs as [Value, Value, Value | undefined];
    const spare = context.scratch('f32', [4]);
    const [yShared, dyShared] = [context.shared(0, 0), context.shared(1, 0)];
    return [
      {
        ...launchOf('_backward', y, attrs, lens, context, { X_SHARED: yShared, DY_SHARED: dyShared }),
        bind: { x: yShared ? spare : y, dy: dyShared ? spare : dy, lens: lens ?? spare, y: outputs[0]! },
      },
    ];
  },
  reference({ attrs, inputs: [y, dy, lens], outputs: [dx] }) {
    const { rows, cols } = matrixOf(y!.shape);
    for (let row = 0; row < rows; row++) {
      const n = visible(y!.shape, lens?.data, attrs, row);
      let sum = 0;
      for (let i = row * cols; i < row * cols + n; i++) sum += y!.data[i]! * dy!.data[i]!;
      for (let i = row * cols; i < row * cols + n; i++) dx!.data[i] = y!.data[i]! * (dy!.data[i]! - sum);
    }
  },
});

/** Softmax of x [..,C] over its last axis; with `lens` u32 [B], rows of batch b see their first lens[b] columns. */
export function softmax(builder: Builder, x: Value, attrs: SoftmaxAttrs = {}, lens?: Value): Value {
  return builder.apply(softmaxOp, lens ? [x, lens] : [x], attrs)[0]!;
}

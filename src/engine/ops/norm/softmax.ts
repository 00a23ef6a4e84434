// Softmax over the last axis, whole or masked. Attention has its own, fused (attention.ts).

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import {
  dim,
  matrixOf,
  type Shape,
  show,
  sizeOf,
  type TensorType,
  tensorType,
} from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import {
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type Launch,
  type TensorTypes,
  type Value,
} from '../op.ts';
import { expectType } from '../type-checks.ts';
import {
  gridOf,
  type RowGroup,
  rowByThread,
  rowConstants,
  rowReductionsFor,
  shaderFor,
  vecWidth,
} from '../work-division.ts';

/** `causal`: row i of the second last axis sees only columns 0 to i. */
export type SoftmaxAttrs = { readonly causal?: boolean };

function checkInputs(
  op: string,
  x: TensorType,
  lens: TensorType | undefined,
  { causal }: SoftmaxAttrs,
): void {
  expectType(op, 'x', x, 'f32');
  check(!causal || x.shape.length >= 2, () => msg`a causal mask needs two axes, x is ${show(x.shape)}`, {
    area: op,
  });
  if (lens) expectType(op, 'lens', lens, 'u32', [dim(x, 0)], `one for each of x ${show(x.shape)}`);
}

/** Maximum number of vectors of a row that a thread holds in registers. */
const maxHeld = 16;

/** A row group, or one thread for each row that holds the whole row in registers. */
export interface SoftmaxVariant extends RowGroup {
  readonly held?: boolean;
}

const held: SoftmaxVariant = { ...rowByThread, name: 'held', family: 'held', forSoftware: false, held: true };

function variantsFor({ shape }: { readonly shape: Shape }, traits: DeviceTraits): readonly SoftmaxVariant[] {
  const { cols } = matrixOf(shape);
  const reductions = rowReductionsFor(cols, traits);
  return cols / vecWidth(cols) <= maxHeld ? [...reductions, held] : reductions;
}

/** The vectors of a row that a thread holds. */
const heldConstants = (variant: SoftmaxVariant, cols: number): Launch['constants'] =>
  variant.held ? { HELD: cols / vecWidth(cols) } : {};

/** A dispatch without its bindings; IN_PLACE and IN_PLACE_OF_DY: y has taken the memory of x or dy. */
function softmaxLaunch(
  [entry, heldEntry]: readonly [name: string, held: string],
  x: Value,
  { causal }: SoftmaxAttrs,
  lens: Value | undefined,
  variant: SoftmaxVariant,
  IN_PLACE: boolean,
  IN_PLACE_OF_DY = false,
): Omit<Launch, 'bind'> {
  const { rows, cols } = matrixOf(x.shape);
  return {
    shader: shaderFor('softmax', cols, variant),
    entry: variant.held ? heldEntry : entry,
    constants: {
      ...rowConstants(variant),
      ...heldConstants(variant, cols),
      IN_PLACE: IN_PLACE ? 1 : 0,
      IN_PLACE_OF_DY: IN_PLACE_OF_DY ? 1 : 0,
    },
    params: {
      rows,
      cols,
      queries: x.shape.at(-2) ?? 1,
      rows_per_length: rows / dim(x, 0),
      has_lengths: lens ? 1 : 0,
      causal: causal ? 1 : 0,
    },
    grid: gridOf(rows, variant.rows),
    flops: 5 * sizeOf(x.shape),
  };
}

/**
 * x [..,C] and optional lens u32 [B] for x [B,..,C]: rows of batch b see their first lens[b] columns. y
 * [..,C] is 0 where masked, and everywhere in a row that sees nothing. y may take the memory of x.
 */
export const softmaxOp = defineOp({
  name: 'softmax',
  inputs: ['x', 'lens?'],
  outputs: ['y'],
  attrs: attrsOf<SoftmaxAttrs>({ causal: 'boolean?' }),
  shape({ x, lens }, attrs) {
    checkInputs('softmax', x, lens, attrs);
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  variants: ({ x }: TensorTypes<'x'>, _attrs: unknown, traits: DeviceTraits) => variantsFor(x, traits),
  launch({ x, lens }, { y }, attrs, { variant, shared }) {
    const inPlace = shared('x', 'y');
    const bind = { x: inPlace ? undefined : x, lens, y };
    return [{ ...softmaxLaunch(['softmax', 'softmax_held'], x, attrs, lens, variant, inPlace), bind }];
  },
});

/**
 * y, dy and, if the forward had them, lens; dx = y (dy - sum(y dy)), which may take the memory of y or of dy.
 */
export const softmaxBackwardOp = defineOp({
  name: 'softmax_backward',
  inputs: ['y', 'dy', 'lens?'],
  outputs: ['dx'],
  attrs: attrsOf<SoftmaxAttrs>({ causal: 'boolean?' }),
  shape({ y, dy, lens }, attrs) {
    checkInputs('softmax_backward', y, lens, attrs);
    expectType('softmax_backward', 'dy', dy, 'f32', y.shape, 'as y');
    return { dx: tensorType('f32', y.shape) };
  },
  inPlace: { dx: ['y', 'dy'] },
  variants: ({ y }: TensorTypes<'y'>, _attrs: unknown, traits: DeviceTraits) => variantsFor(y, traits),
  launch({ y, dy, lens }, { dx }, attrs, { variant, shared }) {
    const [yShared, dyShared] = [shared('y', 'dx'), shared('dy', 'dx')];
    const bind = { x: yShared ? undefined : y, dy: dyShared ? undefined : dy, lens, y: dx };
    return [
      {
        ...softmaxLaunch(
          ['softmax_backward', 'softmax_held_backward'],
          y,
          attrs,
          lens,
          variant,
          yShared,
          dyShared,
        ),
        bind,
      },
    ];
  },
});

/**
 * Softmax of x [..,C] over its last axis; with `lens` u32 [B], rows of batch b see their first lens[b]
 * columns, and a row that sees nothing is 0. A row whose values are all -Infinity is NaN, as in PyTorch: to mask by
 * addition, add a large negative number such as -1e30 (such a row is then uniform), or use `lens`.
 *
 * @example
 * const probabilities = softmax(graph, graph.input('scores', 'f32', [4, 8, 8]), { causal: true });
 */
export const softmax = (builder: Builder, x: Value, attrs: SoftmaxAttrs = {}, lens?: Value): Value =>
  applyOp(builder, softmaxOp, { x, lens }, attrs).y;

// A linear layer with the residual connection and the norm after it in one dispatch, and the linear layer after these:
// for devices on which a dispatch costs more than its work. src/engine/graph/fewer-training-launches.ts puts it in the
// place of the ops that it consists of; the variant `parts` runs those.

import normWgsl from '../../../../shaders/rows/linear-add-norm.wgsl?raw';
import productsWgsl from '../../../../shaders/rows/row-products.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import {
  type Activation,
  activationKinds,
  type DropoutAttrs,
  dropoutFields,
} from '../elementwise/elementwise-ops.ts';
import { linearOp } from '../matmul/linear.ts';
import { addLayerNormOp, addRmsNormOp } from '../norm/layer-norm.ts';
import { attrsOf, defineOp, type Launch, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { gridOf, viewOf } from '../work-division.ts';
import { applyPart, type PartsContext } from './apply-parts.ts';
import { rowSource } from './row-launch.ts';
import { parts, partsOrFused } from './row-variant.ts';

/** The linear layer after the norm: its output columns, and the offsets of its matrix and bias. */
export type NextLayerAttrs = {
  readonly nextColumns?: number;
  readonly nextAt?: number;
  readonly nextBiasAt?: number;
  readonly activation?: Activation;
  readonly nextRate?: number;
  readonly nextSite?: number;
};

/**
 * Numbers D of a row, `eps` of the norm and the dropout before the residual connection. Fields that end in `At` are
 * offsets in numbers, of a matrix in `matrices`, of other vectors in `vectors`; without `betaAt` the norm is RMSNorm.
 */
export type LinearAddNormAttrs = DropoutAttrs &
  NextLayerAttrs & {
    readonly eps: number;
    readonly at: number;
    readonly biasAt?: number;
    readonly gammaAt: number;
    readonly betaAt?: number;
  };

/** Rows of a workgroup. */
const tile = 16;

/** How deep the tiles are: up to 12 KiB of workgroup memory. */
const depthOf = (cols: number): number => (cols <= 256 ? 8 : 4);

/** Whether rows of `cols` numbers, products of `inner` numbers each, fit the kernel. */
export const fitsLinearAddNorm = (cols: number, inner: number): boolean =>
  cols % 4 === 0 && cols <= 768 && inner % depthOf(cols) === 0;

/** Whether a next layer of `columns` numbers fits the kernel too. */
export const fitsNextLayer = (cols: number, columns: number): boolean =>
  columns % 4 === 0 && cols % depthOf(cols) === 0;

const op = 'linear_add_norm';

const source = rowSource(normWgsl, productsWgsl);

/**
 * x [..,I], matrices (w [D,I] and w2 [N,D]), vectors (b, gamma, beta and b2), residual [..,D], step if there is
 * dropout; s = residual + dropout(x·wᵀ + b), y = norm of s, stats as of the norm, and, if there is a next layer, next
 * = dropout(f(y·w2ᵀ + b2)) [..,N].
 */
export const linearAddNormOp = defineOp({
  name: op,
  inputs: ['x', 'matrices', 'vectors', 'residual', 'step?'],
  outputs: ['y', 's', 'stats', 'next?'],
  attrs: attrsOf<LinearAddNormAttrs>(),
  shape({ x, matrices, vectors, residual, step }, attrs) {
    const { rate, at, biasAt, gammaAt, betaAt, nextColumns, nextAt = 0, nextBiasAt, nextRate = 0 } = attrs;
    const [D, { rows, cols: inner }] = [dim(residual, -1), matrixOf(x.shape)];
    const lead = x.shape.slice(0, -1);
    expectType(op, 'x', x, 'f32');
    expectType(op, 'residual', residual, 'f32', [...lead, D], `x is ${show(x.shape)}`);
    expectType(op, 'matrices', matrices, 'f32', [sizeOf(matrices.shape)]);
    expectType(op, 'vectors', vectors, 'f32', [sizeOf(vectors.shape)]);
    expectDropout(op, Math.max(rate, nextRate), step);
    const fits = fitsLinearAddNorm(D, inner) && (!nextColumns || fitsNextLayer(D, nextColumns));
    check(fits, () => msg`rows of ${D} numbers of ${inner} products do not fit`, { area: op });
    checkPlace('matrices', matrices, at, D * inner);
    for (const place of [biasAt, gammaAt, betaAt]) checkPlace('vectors', vectors, place, D);
    if (nextColumns) checkPlace('matrices', matrices, nextAt, D * nextColumns);
    if (nextColumns) checkPlace('vectors', vectors, nextBiasAt, nextColumns);
    const y = tensorType('f32', [...lead, D]);
    const stats = tensorType('f32', betaAt === undefined ? [rows] : [rows, 2]);
    return { y, s: y, stats, next: nextColumns ? tensorType('f32', [...lead, nextColumns]) : undefined };
  },
  variants: partsOrFused,
  naive: parts,
  modelFlops: ({ x, residual }, _outputs, { nextColumns = 0 }) =>
    2 * sizeOf(residual.shape) * (dim(x, -1) + nextColumns),
  launch: (inputs, outputs, attrs, { variant, ...context }) =>
    variant.fused ? [fusedLaunch(inputs, outputs, attrs)] : partLaunches(context, inputs, outputs, attrs),
});

/** Throws unless `count` numbers from a multiple of 64 on are in a tensor. */
function checkPlace(name: string, tensor: TensorType, at: number | undefined, count: number): void {
  const fits = at === undefined || (at % 64 === 0 && at >= 0 && at + count <= sizeOf(tensor.shape));
  check(fits, () => msg`${count} numbers at ${at} are not in ${name} ${show(tensor.shape)}`, { area: op });
}

interface Inputs {
  readonly x: Value;
  readonly matrices: Value;
  readonly vectors: Value;
  readonly residual: Value;
  readonly step?: Value;
}

interface Outputs {
  readonly y: Value;
  readonly s: Value;
  readonly stats: Value;
  readonly next?: Value;
}

function fusedLaunch(inputs: Inputs, outputs: Outputs, attrs: LinearAddNormAttrs): Launch {
  const { x, residual } = inputs;
  const { rows, cols: inner } = matrixOf(x.shape);
  const D = dim(residual, -1);
  const { eps, at, biasAt, gammaAt, betaAt, rate, site } = attrs;
  const { nextColumns = 0, nextAt = 0, nextBiasAt, activation = 'none', nextRate = 0, nextSite = 0 } = attrs;
  const after = dropoutFields({ rate: nextRate, site: nextSite });
  const vector = (place = 0) => place / 4;
  return {
    shader: { name: 'linear-add-norm', source },
    entry: op,
    constants: {
      BLOCKS: Math.ceil(D / 256),
      DEPTH: depthOf(D),
      RMS: betaAt === undefined ? 1 : 0,
      DROPOUT: rate > 0 ? 1 : 0,
      NEXT: outputs.next ? 1 : 0,
    },
    params: {
      rows,
      inner,
      cols: D,
      eps,
      activation: activationKinds[activation],
      next_cols: nextColumns,
      bias_at: vector(biasAt),
      gamma_at: vector(gammaAt),
      beta_at: vector(betaAt),
      w_at: vector(at),
      next_at: vector(nextAt),
      next_bias_at: vector(nextBiasAt),
      has_bias: (biasAt === undefined ? 0 : 1) + (nextBiasAt === undefined ? 0 : 2),
      ...dropoutFields({ rate, site }),
      next_site: after.site,
      next_threshold: after.threshold,
      next_keep_scale: after.keep_scale,
    },
    bind: { ...inputs, step: inputs.step, ...outputs, next: outputs.next },
    grid: gridOf(Math.ceil(rows / tile), 1),
    flops: 2 * rows * D * (inner + nextColumns) + 10 * rows * D,
  };
}

/** The product, the norm of the sum, then the next product. */
function partLaunches(
  context: PartsContext,
  { x, matrices, vectors, residual, step }: Inputs,
  { y, s, stats, next }: Outputs,
  attrs: LinearAddNormAttrs,
): Launch[] {
  const { eps, at, biasAt, gammaAt, betaAt, rate, site } = attrs;
  const { nextColumns = 0, nextAt = 0, nextBiasAt, activation = 'none', nextRate = 0, nextSite = 0 } = attrs;
  const launches: Launch[] = [];
  const D = dim(residual, -1);
  const vector = (place: number, count = D) => viewOf(vectors, place, [count]);
  const layer = (place: number, columns: number, inner: number, bias: number | undefined) => ({
    w: viewOf(matrices, place, [columns, inner]),
    b: bias === undefined ? undefined : vector(bias, columns),
  });
  const first = { x, ...layer(at, D, dim(x, -1), biasAt) };
  const product = applyPart(context, launches, linearOp, first, { activation: 'none' });
  const sum = { x: product.y, residual, gamma: vector(gammaAt), step: rate > 0 ? step : undefined };
  const settings = { eps, rate, site };
  const outputs = { y, s, stats };
  if (betaAt === undefined) applyPart(context, launches, addRmsNormOp, sum, settings, outputs);
  else applyPart(context, launches, addLayerNormOp, { ...sum, beta: vector(betaAt) }, settings, outputs);
  if (!next) return launches;
  const after = { rate: nextRate, site: nextSite, activation };
  const second = {
    x: y,
    ...layer(nextAt, nextColumns, D, nextBiasAt),
    step: nextRate > 0 ? step : undefined,
  };
  applyPart(context, launches, linearOp, second, after, { y: next });
  return launches;
}

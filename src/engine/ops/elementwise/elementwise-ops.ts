// Elementwise ops: addition, activations, dropout and the logarithm of a mean, and the dispatches of
// shaders/elementwise/elementwise-ops.wgsl. After a matrix product its epilogue computes activation and
// dropout instead.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { sameShape, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Launch, type Value } from '../op.ts';
import { expectDropout, expectStep, expectType } from '../type-checks.ts';
import { type ElementwiseVariant, elementwise, elementwiseVariants } from '../work-division.ts';

/** Settings of a dispatch of elementwise-ops.wgsl. */
interface ElementwiseSettings extends Partial<DropoutAttrs> {
  /** Scale of log_mean and ema. Default 1. */
  readonly scale?: number;
  /** Activation of `activation` and `activation_backward`. */
  readonly kind?: Activation;
  /** Floating-point operations for each number. Default 1. */
  readonly flops?: number;
}

/**
 * A dispatch of elementwise-ops.wgsl that computes y = `out`. An undefined value is the input whose memory y
 * has.
 */
export function elementwiseLaunch(
  entry: string,
  variant: ElementwiseVariant,
  out: Value,
  bind: Readonly<Record<string, Value | undefined>>,
  { rate = 0, site = 0, scale = 1, kind, flops = 1 }: ElementwiseSettings = {},
): Launch {
  const count = sizeOf(out.shape);
  const { constants, grid } = elementwise(variant, Math.ceil(count / 4));
  const bound = Object.entries(bind).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return {
    shader: 'elementwise-ops',
    entry: bound.length < Object.keys(bind).length ? `${entry}_in_place` : entry,
    constants: { ...constants, KIND: kind && activationKinds[kind] },
    params: { count, ...dropoutFields({ rate, site }), scale },
    bind: { ...Object.fromEntries(bound), y: out },
    grid,
    flops: flops * count,
  };
}

/** y = a + b; y may take the memory of either. */
export const addOp = defineOp({
  name: 'add',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape({ a, b }) {
    expectType('add', 'a', a, 'f32');
    expectType('add', 'b', b, 'f32');
    check(sameShape(a.shape, b.shape), () => msg`shapes differ, a ${show(a.shape)} + b ${show(b.shape)}`, {
      area: 'add',
    });
    return { y: tensorType('f32', a.shape) };
  },
  inPlace: { y: ['a', 'b'] },
  f16Storage: ['a', 'b', 'y'],
  variants: elementwiseVariants,
  launch({ a, b }, { y }, _attrs, { shared, variant }) {
    const other = shared('a', 'y') ? b : shared('b', 'y') ? a : undefined;
    return [elementwiseLaunch('add', variant, y, other ? { x: undefined, b: other } : { x: a, b })];
  },
});

/**
 * a + b, both of one shape.
 *
 * @example
 * const residual = add(graph, x, w);
 */
export const add = (builder: Builder, a: Value, b: Value): Value => applyOp(builder, addOp, { a, b }).y;

/** The activations, and their numbers in WGSL. */
export const activationKinds = {
  none: 0,
  relu: 1,
  gelu: 2,
  silu: 3,
  'gelu-tanh': 4,
  'quick-gelu': 5,
} as const;

/**
 * Activations. `gelu` is exact, `gelu-tanh` approximate (Hendrycks and Gimpel, 2016), as is
 * `quick-gelu`, x·sigmoid(1.702x); `silu` is x·sigmoid(x).
 */
export type Activation = keyof typeof activationKinds;

/** Whether the derivative needs the activation's input. ReLU's follows from the output. */
export const keepsInput = (kind: Activation): boolean => kind !== 'none' && kind !== 'relu';

/** Which activation. */
export type ActivationAttrs = { readonly kind: Activation };

/** y = f(x), in place if the gradient does not need x. */
export const activationOp = defineOp({
  name: 'activation',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<ActivationAttrs>({ kind: 'string' }),
  shape({ x }, { kind }) {
    expectType('activation', 'x', x, 'f32');
    check(kind in activationKinds, msg`there is no ${kind}`, { area: 'activation' });
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  f16Storage: ['x', 'y'],
  variants: elementwiseVariants,
  launch: ({ x }, { y }, { kind }, { shared, variant }) => [
    elementwiseLaunch('activation', variant, y, { x: shared('x', 'y') ? undefined : x }, { kind }),
  ],
});

/**
 * f(x), element by element; x itself if the kind is none.
 *
 * @example
 * const y = activation(graph, x, 'gelu');
 */
export const activation = (builder: Builder, x: Value, kind: Activation): Value =>
  kind === 'none' ? x : applyOp(builder, activationOp, { x }, { kind }).y;

/**
 * Dropout. `rate`: probability of a zero. `site`: number of this dropout in the model, so that each has its
 * own mask. The mask is a function of seed, step, site and element, so the backward pass computes it again
 * instead of storing it.
 */
export type DropoutAttrs = { readonly rate: number; readonly site: number };

/**
 * The fields of Params of every kernel with dropout: elements whose random bits are below the threshold are
 * zero.
 */
export const dropoutFields = ({
  rate,
  site,
}: DropoutAttrs): Record<'site' | 'threshold' | 'keep_scale', number> => ({
  site,
  threshold: Math.min(0xffffffff, Math.floor(rate * 2 ** 32)),
  keep_scale: rate < 1 ? 1 / (1 - rate) : 0,
});

/** y = x * mask / (1 - rate). The mask depends on the row-major index of an element. */
export const dropoutOp = defineOp({
  name: 'dropout',
  inputs: ['x', 'step'],
  outputs: ['y'],
  attrs: attrsOf<DropoutAttrs>({ rate: 'number', site: 'number' }),
  shape({ x, step }, { rate }) {
    expectType('dropout', 'x', x, 'f32');
    expectStep('dropout', step);
    expectDropout('dropout', rate, step);
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  f16Storage: ['x', 'y'],
  variants: elementwiseVariants,
  launch: ({ x, step }, { y }, attrs, { shared, variant }) => [
    elementwiseLaunch('dropout', variant, y, { x: shared('x', 'y') ? undefined : x, step }, attrs),
  ],
});

/**
 * Dropout of x at a site; x itself if the rate is 0. `step` is the graph's step input.
 *
 * @example
 * const y = dropout(graph, x, graph.input('step', 'u32', [stepWords]), { rate: 0.1, site: 0 });
 */
export const dropout = (builder: Builder, x: Value, step: Value, attrs: DropoutAttrs): Value =>
  attrs?.rate === 0 ? x : applyOp(builder, dropoutOp, { x, step }, attrs).y;

/** y = log(max(x / count, 1e-37)); y may take the memory of x. */
export const logMeanOp = defineOp({
  name: 'log_mean',
  inputs: ['x'],
  outputs: ['y'],
  /** `count`: number of terms of each sum. */
  attrs: attrsOf<{ readonly count: number }>({ count: 'number' }),
  shape({ x }) {
    expectType('log_mean', 'x', x, 'f32');
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  variants: elementwiseVariants,
  launch: ({ x }, { y }, { count }, { shared, variant }) => [
    elementwiseLaunch(
      'log_mean',
      variant,
      y,
      { x: shared('x', 'y') ? undefined : x },
      { scale: 1 / count, flops: 0 },
    ),
  ],
});

/**
 * The logarithm of x / count, for a sum x of `count` probabilities.
 *
 * @example
 * const logProbs = logMean(graph, add(graph, softmax(graph, x), softmax(graph, w)), 2);
 */
export const logMean = (builder: Builder, x: Value, count: number): Value =>
  applyOp(builder, logMeanOp, { x }, { count }).y;

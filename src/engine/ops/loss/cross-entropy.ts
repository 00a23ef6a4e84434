// The loss: label-smoothed cross-entropy against token ids, and its gradient, in one kernel or two. Its
// statistics are sums over the tokens that count, small enough to be read back every step.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { matrixOf, type Shape, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { applyOp, attrsOf, type Builder, defineOp, sampleIds, type TensorTypes, type Value } from '../op.ts';
import { expectOptions, expectStep, expectType } from '../type-checks.ts';
import {
  gridOf,
  type RowGroup,
  rowConstants,
  rowGroupsFor,
  rowReductionsFor,
  shaderFor,
  wholeVectors,
} from '../work-division.ts';

/**
 * `smoothing`: label smoothing (0: none). `ignore`: target id that does not count; all other targets must be from 0 to
 * V - 1. `classes`: V, if rows of the logits are padded to whole vectors; the gradients of the padding are 0.
 */
export type CrossEntropyAttrs = {
  readonly smoothing: number;
  readonly ignore?: number;
  readonly classes?: number;
};

/** V, the number of logits of a row that count. */
export const classesOf = (logits: { readonly shape: Shape }, { classes }: CrossEntropyAttrs): number =>
  classes ?? matrixOf(logits.shape).cols;

/** Inputs that forward and backward have in common. */
export type LossInputs<T> = { readonly logits: T; readonly targets: T; readonly step: T };

/** Type of a tensor with a number for each target. */
function rowType(
  op: string,
  { logits, targets, step }: LossInputs<TensorType>,
  attrs: CrossEntropyAttrs,
): TensorType {
  expectType(op, 'logits', logits, 'f32');
  expectType(op, 'targets', targets, 'i32');
  expectStep(op, step);
  check(
    sizeOf(targets.shape) === matrixOf(logits.shape).rows,
    () => msg`each row needs a target, logits ${show(logits.shape)}, targets ${show(targets.shape)}`,
    { area: op },
  );
  const [classes, { cols }] = [classesOf(logits, attrs), matrixOf(logits.shape)];
  check(
    cols === classes || cols === wholeVectors(classes),
    () =>
      msg`logits ${show(logits.shape)} of ${classes} classes must have rows of that length, or padded to ${wholeVectors(classes)}`,
    { area: op },
  );
  check(
    attrs.smoothing >= 0 && attrs.smoothing < 1,
    msg`smoothing is ${attrs.smoothing}, must be at least 0 and below 1`,
    { area: op },
  );
  return tensorType('f32', targets.shape);
}

/** Fields of a launch that forward and backward have in common. */
function lossLaunch(logits: Value, attrs: CrossEntropyAttrs, variant?: RowGroup) {
  const { smoothing, ignore } = attrs;
  const { rows, cols: width } = matrixOf(logits.shape);
  const sizes = { rows, cols: classesOf(logits, attrs), width };
  const params = {
    ...sizes,
    smoothing,
    has_ignore_index: ignore === undefined ? 0 : 1,
    ignore_index: ignore ?? 0,
  };
  return { shader: shaderFor('cross-entropy', width, variant), params };
}

/** `fused`: compute the gradient of the logits in the same dispatch, for training. */
export type LossAttrs = CrossEntropyAttrs & { readonly fused: boolean };

/**
 * logits [..,V], targets i32 [..], step; nll (the label-smoothed loss of each row, 0 if ignored) and hit (1
 * if the first maximum of the logits is the target), f32 of the targets' shape. Further lse (logsumexp of
 * each row) or, if fused, dlogits, which may take the memory of logits. As the root of the backward pass the
 * loss is the sum of nll times step.tokenWeight.
 */
export const crossEntropyOp = defineOp({
  name: 'cross_entropy',
  inputs: ['logits', 'targets', 'step'],
  outputs: ['nll', 'hit', 'lse?', 'dlogits?'],
  attrs: attrsOf<LossAttrs>({ smoothing: 'number', ignore: 'number?', classes: 'number?', fused: 'boolean' }),
  shape(inputs, attrs) {
    const row = rowType('cross_entropy', inputs, attrs);
    const { shape } = inputs.logits;
    return attrs.fused
      ? { nll: row, hit: row, dlogits: tensorType('f32', shape) }
      : { nll: row, hit: row, lse: row };
  },
  inPlace: { dlogits: 'logits' },
  f16Storage: ['logits', 'dlogits'],
  variants: ({ logits }: TensorTypes<'logits'>, _attrs: unknown, traits: DeviceTraits) =>
    rowReductionsFor(matrixOf(logits.shape).cols, traits, true),
  sample: ({ logits }, attrs) => ({ targets: sampleIds(classesOf(logits, attrs), attrs.ignore) }),
  launch({ logits, targets, step }, { nll, hit, lse, dlogits }, attrs, { variant, shared }) {
    const rowGroup = rowConstants(variant);
    const common = {
      ...lossLaunch(logits, attrs, variant),
      grid: gridOf(matrixOf(logits.shape).rows, variant.rows),
    };
    if (!dlogits) {
      const bind = { logits, targets, nll, row_lse: lse, hit, dlogits: undefined };
      return [
        { ...common, entry: 'cross_entropy', constants: rowGroup, bind, flops: 4 * sizeOf(logits.shape) },
      ];
    }
    const inPlace = shared('logits', 'dlogits');
    const bind = { logits: inPlace ? undefined : logits, targets, nll, hit, dlogits, step };
    const constants = { ...rowGroup, IN_PLACE: inPlace ? 1 : 0 };
    return [{ ...common, entry: 'cross_entropy_fused', constants, bind, flops: 8 * sizeOf(logits.shape) }];
  },
});

/** Inputs of `crossEntropyOp` and its lse; dlogits, which may take the memory of logits. */
export const crossEntropyBackwardOp = defineOp({
  name: 'cross_entropy_backward',
  inputs: ['logits', 'lse', 'targets', 'step'],
  outputs: ['dlogits'],
  attrs: attrsOf<CrossEntropyAttrs>({ smoothing: 'number', ignore: 'number?', classes: 'number?' }),
  shape({ lse, ...inputs }, attrs) {
    const row = rowType('cross_entropy_backward', inputs, attrs);
    expectType('cross_entropy_backward', 'lse', lse, 'f32', row.shape, 'one for each target');
    return { dlogits: tensorType('f32', inputs.logits.shape) };
  },
  inPlace: { dlogits: 'logits' },
  f16Storage: ['logits', 'dlogits'],
  variants: ({ logits }: TensorTypes<'logits'>) => rowGroupsFor(matrixOf(logits.shape).cols),
  sample: ({ logits }, attrs) => ({ targets: sampleIds(classesOf(logits, attrs), attrs.ignore) }),
  launch({ logits, lse, targets, step }, { dlogits }, attrs, { variant, shared }) {
    const inPlace = shared('logits', 'dlogits');
    return [
      {
        ...lossLaunch(logits, attrs),
        entry: 'cross_entropy_backward',
        constants: { ...rowConstants(variant), IN_PLACE: inPlace ? 1 : 0 },
        bind: { logits: inPlace ? undefined : logits, lse, targets, dlogits, step },
        grid: gridOf(matrixOf(logits.shape).rows, variant.rows),
        flops: 4 * sizeOf(logits.shape),
      },
    ];
  },
});

/** The loss of each target, and whether the model predicts it. */
export interface Loss {
  readonly nll: Value;
  readonly hit: Value;
}

/**
 * Cross-entropy of logits [..,V] against targets i32 [..]; `gradients` walks from `nll`. `step`: the graph's
 * input.
 *
 * @example
 * const { nll } = crossEntropy(graph, logits, targets, step, { smoothing: 0.1, ignore: 0 });
 */
export const crossEntropy = (
  builder: Builder,
  logits: Value,
  targets: Value,
  step: Value,
  attrs: Partial<LossAttrs> = {},
): Loss => {
  expectOptions('cross_entropy', attrs, ['smoothing', 'ignore', 'classes', 'fused']);
  return applyOp(
    builder,
    crossEntropyOp,
    { logits, targets, step },
    { smoothing: 0, fused: false, ...attrs },
  );
};

/** The target that does not count. */
export type TokenStatsAttrs = { readonly ignore?: number };

/** nll, hit, targets i32, of one shape; stats [4]: sum of nll, tokens that are not ignored, hits, 0. */
export const tokenStatsOp = defineOp({
  name: 'token_stats',
  inputs: ['nll', 'hit', 'targets'],
  outputs: ['stats'],
  attrs: attrsOf<TokenStatsAttrs>({ ignore: 'number?' }),
  shape({ nll, hit, targets }) {
    expectType('token_stats', 'hit', hit, 'f32', nll.shape, 'as nll');
    expectType('token_stats', 'targets', targets, 'i32', nll.shape, 'as nll');
    return { stats: tensorType('f32', [4]) };
  },
  launch({ nll, hit, targets }, { stats }, { ignore }) {
    const count = sizeOf(nll.shape);
    return [
      {
        shader: 'token-stats',
        entry: 'token_stats',
        params: { count, has_ignore_index: ignore === undefined ? 0 : 1, ignore_index: ignore ?? 0 },
        bind: { nll, hit, targets, stats },
        grid: [1, 1, 1],
        flops: 3 * count,
      },
    ];
  },
});

/**
 * Four numbers: sum of nll, number of targets other than `ignore`, hits among them, 0.
 *
 * @example
 * const { nll, hit } = crossEntropy(graph, logits, targets, step, { ignore: 0 });
 * graph.output('stats', tokenStats(graph, nll, hit, targets, { ignore: 0 }));
 */
export const tokenStats = (
  builder: Builder,
  nll: Value,
  hit: Value,
  targets: Value,
  attrs: TokenStatsAttrs = {},
): Value => applyOp(builder, tokenStatsOp, { nll, hit, targets }, attrs).stats;

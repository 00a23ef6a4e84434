// The gradients of fused attention and of its position bias. Probabilities are recomputed from the stored
// logsumexp.

import { present } from '../../../core/present.ts';
import { dim, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { attrsOf, defineOp, type Launch, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { checkedCrossLayout, crossName, outputTypes, selfName } from './attention.ts';
import type { AttentionContext, AttentionVariant, ForwardBinding } from './attention-launch.ts';
import {
  attentionLaunch,
  attentionRows,
  attentionSources,
  backwardVariants,
  togetherLaunch,
  usesTiles,
} from './attention-launch.ts';
import type { AttentionAttrs, AttentionLayout } from './attention-layout.ts';
import { checkLengths, crossLayout, selfLayout } from './attention-layout.ts';
import {
  biasLaunch,
  biasName,
  type RelativePositionAttrs,
  relativeBuckets,
} from './relative-position-bias.ts';

/**
 * Bindings of the backward dispatches; the first writes `rowDots` f32 [B,H,Tq] for the others. `dbias` [H,
 * 2·farthest + 1] is written if it exists. `biasParts` is scratch memory of `biasPartsLength`, if the
 * gradient of the bias is wanted.
 */
interface BackwardBinding extends ForwardBinding {
  readonly dout: Value;
  readonly dq: Value;
  readonly dkv: Value;
  readonly rowDots: Value;
  readonly dbias?: Value;
  readonly biasParts?: Value;
}

/**
 * The backward dispatches: dq and the row dots, then dk and dv, then the rest of the gradient of the bias.
 */
function backwardLaunches(a: AttentionLayout, context: AttentionContext, x: BackwardBinding): Launch[] {
  const { biasParts: parts, dbias } = x;
  const common = { ...attentionSources(x), lse_in: x.lse, dout: x.dout };
  if (context.variant.together) {
    const ofSelf = x.dq === x.dkv;
    const bind = { ...common, out_in: x.out, dq: ofSelf ? undefined : x.dq, dkv: x.dkv };
    const one = togetherLaunch(a, context, ofSelf ? 'backward_self' : 'backward_cross', bind);
    return x.bias ? withBlockSums(a, one, parts, dbias) : [one];
  }
  const ofQueries = { ...common, out_in: x.out, dq: x.dq, row_dots: x.rowDots };
  const ofKeys = { ...common, dkv: x.dkv, row_dots_in: x.rowDots };
  const queries = attentionLaunch(a, context, 'backward_queries', a.queries, ofQueries, 6);
  const keys = attentionLaunch(a, context, 'backward_keys', a.keys, ofKeys, 8);
  if (!x.bias) return [queries, keys];
  if (!usesTiles(context.variant))
    return [queries, keys].concat(parts && dbias ? distanceSums(a, keys, parts, dbias) : []);
  return [queries, ...withBlockSums(a, keys, parts, dbias)];
}

/** A dispatch of keys that also sums the gradient of the bias by blocks, then their sums. */
function withBlockSums(a: AttentionLayout, keys: Launch, parts?: Value, dbias?: Value): Launch[] {
  const constants = { ...keys.constants, BIAS_GRADIENT: dbias ? 1 : 0 };
  const summing = { ...keys, constants, bind: { ...keys.bind, dbias_parts: parts } };
  return present([summing, parts && dbias ? blockSums(a, summing, parts, dbias) : undefined]);
}

/** The kernels of the backward pass of a node. */
const backwardKernels = (
  _inputs: unknown,
  { headWidth }: AttentionAttrs,
  traits: DeviceTraits,
): readonly AttentionVariant[] => backwardVariants(traits, headWidth);

/**
 * Numbers in the memory for partial sums of the gradient of the bias: by blocks of keys (tiles), else by
 * distance.
 */
function biasPartsLength(a: AttentionLayout, context: AttentionContext): number {
  const blocks = Math.ceil(a.keys / attentionRows(context, a.width, 'backward_keys'));
  return a.batch * a.heads * (usesTiles(context.variant) ? blocks * columnsOf(a) : 2 * a.queries - 1);
}

/** Columns of the bias: its distances. */
const columnsOf = ({ farthest }: AttentionLayout): number => 2 * farthest + 1;

/** The gradient of the bias from the sums of the workgroups of backward_keys. */
function blockSums(a: AttentionLayout, { flops: _, ...keys }: Launch, parts: Value, dbias: Value): Launch {
  const bind = { dbias_parts_in: parts, dbias };
  return { ...keys, entry: 'sum_blocks', bind, grid: [Math.ceil(columnsOf(a) / 64), a.heads, 1] };
}

/**
 * The gradient of the bias from the tensors of backward_keys: sums by distance of each row and head, then
 * over rows.
 */
function distanceSums(
  a: AttentionLayout,
  { flops = 0, ...keys }: Launch,
  parts: Value,
  dbias: Value,
): Launch[] {
  const distances = 2 * a.queries - 1;
  const { dkv: _, ...bind } = keys.bind;
  const sums = { entry: 'by_distance', bind: { ...bind, dbias_parts: parts }, flops: flops / 2 };
  const total = { entry: 'sum_distances', bind: { dbias_parts_in: parts, dbias } };
  return [
    { ...keys, ...sums, grid: [Math.ceil(distances / 64), a.heads, a.batch] },
    { ...keys, ...total, grid: [columnsOf(a), a.heads, 1] },
  ];
}

/**
 * Inputs: inputs and outputs of `selfAttentionOp`, and dout. Outputs: dqkv [B,T,3·H·W] and, if wanted, dbias.
 */
export const selfAttentionBackwardOp = defineOp({
  name: `${selfName}_backward`,
  inputs: ['qkv', 'out', 'lse', 'dout', 'lens', 'step', 'bias?'],
  outputs: ['dqkv', 'dbias?'],
  attrs: attrsOf<AttentionAttrs & { readonly biasGradient?: boolean }>(),
  shape({ qkv, lens, step, bias, ...forward }, attrs) {
    const name = `${selfName}_backward`;
    expectType(name, 'qkv', qkv, 'f32');
    const layout = selfLayout(name, attrs, qkv.shape, bias);
    checkBackward(name, layout, forward);
    checkLengths(name, layout, lens);
    expectStep(name, step);
    return { dqkv: tensorType('f32', qkv.shape), dbias: attrs.biasGradient ? bias : undefined };
  },
  f16Storage: ['qkv', 'out', 'dout', 'dqkv'],
  variants: backwardKernels,
  modelFlops: ({ qkv, out }) => 8 * sizeOf(out.shape) * dim(qkv, 1),
  launch({ qkv, ...inputs }, { dqkv, dbias }, attrs, { scratch, ...context }) {
    const layout = selfLayout(selfName, attrs, qkv.shape, inputs.bias);
    const rowDots = scratch('f32', inputs.lse.shape);
    const biasParts = dbias && scratch('f32', [biasPartsLength(layout, context)]);
    const bind = { ...inputs, q: qkv, kv: qkv, dq: dqkv, dkv: dqkv, dbias, rowDots, biasParts };
    return backwardLaunches(layout, context, bind);
  },
});

/**
 * Inputs: inputs and outputs of `crossAttentionOp`, and dout. Outputs: dq [B,Tq,H·W] and dkv [B,Tk,2·H·W].
 */
export const crossAttentionBackwardOp = defineOp({
  name: `${crossName}_backward`,
  inputs: ['q', 'kv', 'out', 'lse', 'dout', 'lens', 'step'],
  outputs: ['dq', 'dkv'],
  attrs: attrsOf<AttentionAttrs>(),
  shape({ q, kv, lens, step, ...forward }, attrs) {
    const name = `${crossName}_backward`;
    const layout = checkedCrossLayout(name, q, kv, attrs);
    checkBackward(name, layout, forward);
    checkLengths(name, layout, lens);
    expectStep(name, step);
    return { dq: tensorType('f32', q.shape), dkv: tensorType('f32', kv.shape) };
  },
  f16Storage: ['q', 'kv', 'out', 'dout', 'dq', 'dkv'],
  variants: backwardKernels,
  modelFlops: ({ q, kv }) => 8 * sizeOf(q.shape) * dim(kv, 1),
  launch(inputs, gradients, attrs, { scratch, ...context }) {
    const layout = crossLayout(crossName, attrs, inputs.q.shape, inputs.kv.shape);
    return backwardLaunches(layout, context, {
      ...inputs,
      ...gradients,
      rowDots: scratch('f32', inputs.lse.shape),
    });
  },
});

function checkBackward(
  name: string,
  layout: AttentionLayout,
  { out, lse, dout }: { readonly out: TensorType; readonly lse: TensorType; readonly dout: TensorType },
): void {
  const types = outputTypes(layout);
  expectType(name, 'out', out, 'f32', types.out.shape);
  expectType(name, 'lse', lse, 'f32', types.lse.shape);
  expectType(name, 'dout', dout, 'f32', types.out.shape);
}

/** dbias [H, 2·farthest + 1]; dtable [buckets, H], sums over the distances of each bucket. */
export const relativePositionBiasBackwardOp = defineOp({
  name: `${biasName}_backward`,
  inputs: ['dbias'],
  outputs: ['dtable'],
  attrs: attrsOf<RelativePositionAttrs & { readonly buckets: number }>(),
  shape: ({ dbias }, { buckets }) => ({ dtable: tensorType('f32', [buckets, dim(dbias, 0)]) }),
  launch: ({ dbias }, { dtable }, attrs) =>
    biasLaunch(`${biasName}_backward`, relativeBuckets(attrs.buckets, attrs), dbias, dtable, {
      dbias,
      dtable,
    }),
});

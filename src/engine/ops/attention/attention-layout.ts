// The memory layout of q, k and v in attention ops, and their shared attributes, checks and Params.
// Self-attention packs q, k and v along the columns of one tensor [B,T,3·H·W]; cross-attention takes q
// [B,Tq,H·W] and k and v packed in [B,Tk,2·H·W]. Head h has columns h·W to h·W + W - 1 of each.

import { check, HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { type Shape, show, type TensorType } from '../../../core/tensor.ts';
import { dropoutFields } from '../elementwise/elementwise-ops.ts';
import { checkBias, farthestOf } from './position-bias.ts';

/** Maximum head width: a query and its output must fit in the 8 KiB of variables of a WGSL function. */
export const maxHeadWidth = 896;

/** Maximum head width that fits the registers of a thread in `attention-subgroups` without heavy spilling. */
export const maxHeldWidth = 256;

/** Settings of an attention node. */
export type AttentionAttrs = {
  readonly heads: number;
  /** W, from 1 to 896. H·W may differ from the model's width. */
  readonly headWidth: number;
  /** Whether query i attends only to keys 0..i. Self-attention only. */
  readonly causal: boolean;
  /** Scale of q·k. Default 1/sqrt(W). */
  readonly scale?: number;
  /** Dropout rate of the attention probabilities, in [0, 1). Default 0. */
  readonly dropout?: number;
  /** Number of the dropout site, so that each site has its own mask. */
  readonly site?: number;
};

/** Sizes, row strides and columns of an attention op, in elements. */
export interface AttentionLayout {
  readonly batch: number;
  readonly heads: number;
  readonly width: number;
  readonly queries: number;
  readonly keys: number;
  readonly qStride: number;
  readonly kvStride: number;
  readonly kColumn: number;
  readonly vColumn: number;
  readonly causal: boolean;
  readonly scale: number;
  readonly dropout: number;
  readonly site: number;
  /** Largest distance of the position bias, -1 without one; see relative-position-bias.ts. */
  readonly farthest: number;
}

/** Layout of self-attention over qkv [B,T,3·H·W]. Throws a HeddleError if a shape does not fit. */
export function selfLayout(
  name: string,
  attrs: AttentionAttrs,
  qkv: Shape,
  bias?: TensorType,
): AttentionLayout {
  const inner = innerWidth(name, attrs);
  if (bias) checkBias(name, attrs.heads, bias);
  const [batch = 0, length = 0, columns] = qkv;
  check(
    qkv.length === 3 && columns === 3 * inner,
    msg`qkv must be [B,T,${3 * inner}] for ${attrs.heads} heads of ${attrs.headWidth}, it is ${show(qkv)}`,
    { area: name },
  );
  const sizes = { batch, queries: length, keys: length, qStride: 3 * inner, kvStride: 3 * inner };
  const layout = finish(name, attrs, { ...sizes, kColumn: inner, vColumn: 2 * inner });
  return bias ? { ...layout, farthest: farthestOf(bias) } : layout;
}

/**
 * Layout of attention from q [B,Tq,H·W] to kv [B,Tk,2·H·W]. Throws a HeddleError if the shapes do not fit.
 */
export function crossLayout(name: string, attrs: AttentionAttrs, q: Shape, kv: Shape): AttentionLayout {
  const inner = innerWidth(name, attrs);
  const heads = `${attrs.heads} heads of ${attrs.headWidth}`;
  check(q.length === 3 && q[2] === inner, msg`q must be [B,Tq,${inner}] for ${heads}, it is ${show(q)}`, {
    area: name,
  });
  check(
    kv.length === 3 && kv[2] === 2 * inner,
    msg`kv must be [B,Tk,${2 * inner}] for ${heads}, it is ${show(kv)}`,
    { area: name },
  );
  check(q[0] === kv[0], msg`batch sizes differ, q ${show(q)} and kv ${show(kv)}`, { area: name });
  check(!attrs.causal, 'only self-attention can be causal', { area: name });
  const sizes = {
    batch: q[0] ?? 0,
    queries: q[1] ?? 0,
    keys: kv[1] ?? 0,
    qStride: inner,
    kvStride: 2 * inner,
  };
  return finish(name, attrs, { ...sizes, kColumn: 0, vColumn: inner });
}

/** Throws a HeddleError unless `lens` is u32 [B]. */
export function checkLengths(name: string, layout: AttentionLayout, lens: TensorType): void {
  check(
    lens.dtype === 'u32' && lens.shape.length === 1 && lens.shape[0] === layout.batch,
    () => msg`key lengths must be u32 [${layout.batch}], they are ${lens.dtype} ${show(lens.shape)}`,
    { area: name },
  );
}

/** The fields of Params in shaders/attention/attention-base.wgsl. */
export const attentionParams = (a: AttentionLayout): Record<string, number> => ({
  batch: a.batch,
  queries: a.queries,
  keys: a.keys,
  heads: a.heads,
  q_stride: a.qStride,
  kv_stride: a.kvStride,
  k_column: a.kColumn,
  v_column: a.vColumn,
  scale: a.scale,
  ...dropoutFields({ rate: a.dropout, site: a.site }),
  causal: a.causal ? 1 : 0,
  farthest: Math.max(a.farthest, 0),
  slices: Math.ceil(a.width / 16),
  share: 32,
  padded: 2 * Math.ceil(a.width / 8),
});

function innerWidth(name: string, { heads, headWidth }: AttentionAttrs): number {
  check(
    Number.isInteger(heads) && heads >= 1 && heads <= 65535,
    msg`heads must be a whole number from 1, it is ${heads}`,
    { area: name },
  );
  check(
    Number.isInteger(headWidth) && headWidth >= 1 && headWidth <= maxHeadWidth,
    msg`head width must be a whole number from 1 to ${maxHeadWidth}, it is ${headWidth}`,
    { area: name },
  );
  return heads * headWidth;
}

type Sizes = Pick<
  AttentionLayout,
  'batch' | 'queries' | 'keys' | 'qStride' | 'kvStride' | 'kColumn' | 'vColumn'
>;

function finish(name: string, attrs: AttentionAttrs, sizes: Sizes): AttentionLayout {
  const {
    heads,
    headWidth: width,
    causal,
    scale = 1 / Math.sqrt(attrs.headWidth),
    dropout = 0,
    site = 0,
  } = attrs;
  if (!(dropout >= 0 && dropout < 1))
    throw new HeddleError(msg`dropout must be in [0, 1), it is ${dropout}`, { area: name });
  if (sizes.batch > 65535)
    throw new HeddleError(
      msg`a batch of ${sizes.batch} rows exceeds the 65535 workgroups of a dispatch; use a smaller batch`,
      { area: name },
    );
  return { ...sizes, heads, width, causal, scale, dropout, site, farthest: -1 };
}

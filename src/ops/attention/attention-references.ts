// References of attention: plain float64 loops, one query or key at a time.

import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import { type OpReference, opReference } from '../op.ts';
import type { ReferenceTensor } from '../reference-tensor.ts';
import { crossAttentionOp, selfAttentionOp } from './attention.ts';
import {
  crossAttentionBackwardOp,
  relativePositionBiasBackwardOp,
  selfAttentionBackwardOp,
} from './attention-backward.ts';
import { type AttentionLayout, crossLayout, selfLayout } from './attention-layout.ts';
import { attentionWeightsOp, weightsLayout } from './attention-weights.ts';
import {
  biasAt,
  bucketOf,
  distanceIndex,
  farthestOf,
  relativeBuckets,
  relativePositionBiasOp,
} from './relative-position-bias.ts';

/** Inputs of one attention: q in rows of `qStride`, k and v in rows of `kvStride`; lens [B]; the bias of position. */
interface AttentionInputs {
  readonly q: ReferenceTensor;
  readonly kv: ReferenceTensor;
  readonly lens: ReferenceTensor;
  readonly step?: ReferenceTensor;
  readonly bias?: ReferenceTensor | undefined;
}

/** Visits every query: `visit(b, h, i, keys)`, where `keys` is the number of keys that the query sees. */
function eachQuery(
  a: AttentionLayout,
  lens: ReferenceTensor,
  visit: (b: number, h: number, i: number, keys: number) => void,
): void {
  for (let b = 0; b < a.batch; b++)
    for (let h = 0; h < a.heads; h++)
      for (let i = 0; i < a.queries; i++) visit(b, h, i, Math.min(a.keys, lens.at(b), a.causal ? i + 1 : a.keys));
}

/** Columns of one head, and of its keys and values. */
const columnsOf = (a: AttentionLayout, h: number) => ({
  q: h * a.width,
  k: a.kColumn + h * a.width,
  v: a.vColumn + h * a.width,
});

/** Scaled scores, with bias, of query i against its first `keys` keys. */
function scores(
  a: AttentionLayout,
  { q, kv, bias }: AttentionInputs,
  b: number,
  h: number,
  i: number,
  keys: number,
): number[] {
  const at = columnsOf(a, h);
  return Array.from({ length: keys }, (_, j) => {
    let sum = 0;
    for (let w = 0; w < a.width; w++) sum += q.at(b, i, at.q + w) * kv.at(b, j, at.k + w);
    return a.scale * sum + (bias ? biasAt(bias, h, i, j) : 0);
  });
}

/** The maximum of the scores, and the sum of exp(score - maximum). */
function softmaxOf(s: readonly number[]): { max: number; total: number } {
  const max = Math.max(...s);
  return { max, total: s.reduce((sum, v) => sum + Math.exp(v - max), 0) };
}

/** out [B,Tq,H·W] and lse [B,H,Tq], the natural logarithm of the sum of exponentials; both 0 if a query sees no key. */
function attentionForward(a: AttentionLayout, x: AttentionInputs, out: ReferenceTensor, lse: ReferenceTensor): void {
  const factor = dropoutFactor(x.step, { rate: a.dropout, site: a.site });
  eachQuery(a, x.lens, (b, h, i, keys) => {
    if (keys === 0) return;
    const s = scores(a, x, b, h, i, keys);
    const { max, total } = softmaxOf(s);
    const row = (b * a.heads + h) * a.queries + i;
    const at = columnsOf(a, h);
    lse.set(row, max + Math.log(total));
    s.forEach((score, j) => {
      const p = Math.exp(score - lse.at(row)) * factor(row * a.keys + j);
      for (let w = 0; w < a.width; w++) out.add(b * a.queries + i, at.q + w, p * x.kv.at(b, j, at.v + w));
    });
  });
}

/** The probabilities without dropout: p [B,H,Tq,Tk], 0 where masked. */
function attentionProbabilities(a: AttentionLayout, x: AttentionInputs, p: ReferenceTensor): void {
  eachQuery(a, x.lens, (b, h, i, keys) => {
    const s = scores(a, x, b, h, i, keys);
    const { max, total } = softmaxOf(s);
    s.forEach((score, j) => {
      p.set(b * a.heads + h, i, j, Math.exp(score - max) / total);
    });
  });
}

/** Scaled scores [B,H,Tq,Tk] of the first lens[b] keys, without a causal mask; 0 for the others. */
function attentionScores(a: AttentionLayout, x: AttentionInputs, p: ReferenceTensor): void {
  eachQuery({ ...a, causal: false }, x.lens, (b, h, i, keys) => {
    scores(a, x, b, h, i, keys).forEach((score, j) => {
      p.set(b * a.heads + h, i, j, score);
    });
  });
}

/**
 * Gradients from dout [B,Tq,H·W], added to dq (laid out as q) and dkv (as kv). With P the probabilities and m the
 * dropout factors: dv_j = sum_i P_ij m_ij dout_i; dP_ij = m_ij dout_i·v_j; dS_ij = P_ij (dP_ij - D_i), D_i =
 * dout_i·out_i. dbias, if wanted, gets the sums of dS over equal distances.
 */
function attentionBackward(
  a: AttentionLayout,
  x: AttentionInputs,
  out: ReferenceTensor,
  dout: ReferenceTensor,
  dq: ReferenceTensor,
  dkv: ReferenceTensor,
  dbias?: ReferenceTensor,
): void {
  const { q, kv } = x;
  const factor = dropoutFactor(x.step, { rate: a.dropout, site: a.site });
  eachQuery(a, x.lens, (b, h, i, keys) => {
    const s = scores(a, x, b, h, i, keys);
    const { max, total } = softmaxOf(s);
    const at = columnsOf(a, h);
    const row = (b * a.heads + h) * a.queries + i;
    let D = 0;
    for (let w = 0; w < a.width; w++) D += dout.at(b, i, at.q + w) * out.at(b, i, at.q + w);
    s.forEach((score, j) => {
      const p = Math.exp(score - max) / total;
      const m = factor(row * a.keys + j);
      let dp = 0;
      for (let w = 0; w < a.width; w++) dp += dout.at(b, i, at.q + w) * kv.at(b, j, at.v + w);
      const slope = p * (m * dp - D);
      dbias?.add(h, distanceIndex(dbias, i, j), slope);
      const ds = slope * a.scale;
      const [query, key] = [b * a.queries + i, b * a.keys + j];
      for (let w = 0; w < a.width; w++) {
        dkv.add(key, at.v + w, p * m * dout.at(b, i, at.q + w));
        dq.add(query, at.q + w, ds * kv.at(b, j, at.k + w));
        dkv.add(key, at.k + w, ds * q.at(b, i, at.q + w));
      }
    });
  });
}

/** References of the ops of this folder. */
export const attentionReferences: readonly OpReference[] = [
  opReference(selfAttentionOp, ({ qkv, ...inputs }, { out, lse }, attrs) => {
    attentionForward(selfLayout('self_attention', attrs, qkv.shape), { q: qkv, kv: qkv, ...inputs }, out, lse);
  }),
  opReference(selfAttentionBackwardOp, ({ qkv, out, dout, ...inputs }, { dqkv, dbias }, attrs) => {
    const layout = selfLayout('self_attention', attrs, qkv.shape);
    attentionBackward(layout, { q: qkv, kv: qkv, ...inputs }, out, dout, dqkv, dqkv, dbias);
  }),
  opReference(crossAttentionOp, ({ q, kv, lens, step }, { out, lse }, attrs) => {
    attentionForward(crossLayout('cross_attention', attrs, q.shape, kv.shape), { q, kv, lens, step }, out, lse);
  }),
  opReference(crossAttentionBackwardOp, ({ q, kv, out, dout, lens, step }, { dq, dkv }, attrs) => {
    const layout = crossLayout('cross_attention', attrs, q.shape, kv.shape);
    attentionBackward(layout, { q, kv, lens, step }, out, dout, dq, dkv);
  }),
  opReference(attentionWeightsOp, ({ q, kv, lens, bias }, { p }, attrs) => {
    const compute = attrs.scores ? attentionScores : attentionProbabilities;
    compute(weightsLayout(attrs, q.shape, kv.shape), { q, kv, lens, bias }, p);
  }),
  opReference(relativePositionBiasOp, ({ table }, { bias }, attrs) => {
    const buckets = relativeBuckets(table.dim(0), attrs);
    const far = farthestOf(bias);
    for (let h = 0; h < bias.rows; h++)
      for (let d = -far; d <= far; d++) bias.set(h, far + d, table.at(bucketOf(buckets, d), h));
  }),
  opReference(relativePositionBiasBackwardOp, ({ dbias }, { dtable }, attrs) => {
    const buckets = relativeBuckets(attrs.buckets, attrs);
    const far = farthestOf(dbias);
    for (let h = 0; h < dbias.rows; h++)
      for (let d = -far; d <= far; d++) dtable.add(bucketOf(buckets, d), h, dbias.at(h, far + d));
  }),
];

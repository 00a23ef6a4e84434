// References of attention: plain float64 loops, one query or key at a time.

import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import { type OpReference, opReference } from '../op.ts';
import { type ReferenceTensor, softmaxOf, sum } from '../reference-tensor.ts';
import { readStep } from '../step-scalars.ts';
import { crossAttentionOp, selfAttentionOp } from './attention.ts';
import {
  crossAttentionBackwardOp,
  relativePositionBiasBackwardOp,
  selfAttentionBackwardOp,
} from './attention-backward.ts';
import { type AttentionLayout, crossLayout, selfLayout } from './attention-layout.ts';
import { attentionWeightsOp, weightsLayout } from './attention-weights.ts';
import { guidedAlignmentBackwardOp, guidedAlignmentOp } from './guided-alignment.ts';
import { biasAt, distanceIndex, farthestOf } from './position-bias.ts';
import { bucketOf, relativeBuckets, relativePositionBiasOp } from './relative-position-bias.ts';

/** Inputs of one attention: q [B,Tq,..], kv [B,Tk,..] with keys and values in columns, lens [B], and the position bias. */
interface AttentionInputs {
  readonly q: ReferenceTensor;
  readonly kv: ReferenceTensor;
  readonly lens: ReferenceTensor;
  readonly step?: ReferenceTensor;
  readonly bias?: ReferenceTensor;
}

/** A query with its scores. */
interface Query {
  readonly b: number;
  readonly h: number;
  readonly i: number;
  /** First columns of its head in q, and of the keys and values in kv. */
  readonly at: { readonly q: number; readonly k: number; readonly v: number };
  /** Scaled scores, with bias, of the keys that the query sees, and the parts of their softmax. */
  readonly scores: readonly number[];
  readonly max: number;
  readonly total: number;
}

/** Visits every query. */
function eachQuery(
  a: AttentionLayout,
  { q, kv, lens, bias }: AttentionInputs,
  visit: (query: Query) => void,
): void {
  for (let b = 0; b < a.batch; b++)
    for (let h = 0; h < a.heads; h++)
      for (let i = 0; i < a.queries; i++) {
        const at = { q: h * a.width, k: a.kColumn + h * a.width, v: a.vColumn + h * a.width };
        const keys = Math.min(a.keys, lens.at(b), a.causal ? i + 1 : a.keys);
        const scores = Array.from({ length: keys }, (_, j) => {
          const product = sum(a.width, (w) => q.at(b, i, at.q + w) * kv.at(b, j, at.k + w));
          return a.scale * product + (bias ? biasAt(bias, h, i, j) : 0);
        });
        visit({ b, h, i, at, scores, ...softmaxOf(scores) });
      }
}

/**
 * out [B,Tq,H·W] and lse [B,H,Tq], the natural logarithm of the sum of exponentials; both 0 if a query sees
 * no key.
 */
function attentionForward(
  a: AttentionLayout,
  x: AttentionInputs,
  out: ReferenceTensor,
  lse: ReferenceTensor,
): void {
  const factor = dropoutFactor(x.step, { rate: a.dropout, site: a.site });
  eachQuery(a, x, ({ b, h, i, at, scores, max, total }) => {
    if (scores.length === 0) return;
    const row = (b * a.heads + h) * a.queries + i;
    lse.set(row, max + Math.log(total));
    scores.forEach((score, j) => {
      const p = Math.exp(score - lse.at(row)) * factor(row * a.keys + j);
      for (let w = 0; w < a.width; w++) out.add(b * a.queries + i, at.q + w, p * x.kv.at(b, j, at.v + w));
    });
  });
}

/**
 * Gradients from dout [B,Tq,H·W], added to dq (laid out as q) and dkv (as kv). With P the probabilities and m
 * the dropout factors: dv_j = sum_i P_ij m_ij dout_i; dP_ij = m_ij dout_i·v_j; dS_ij = P_ij (dP_ij - D_i),
 * D_i = dout_i·out_i. dbias, if wanted, gets the sums of dS over equal distances.
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
  eachQuery(a, x, ({ b, h, i, at, scores, max, total }) => {
    const row = (b * a.heads + h) * a.queries + i;
    const D = sum(a.width, (w) => dout.at(b, i, at.q + w) * out.at(b, i, at.q + w));
    scores.forEach((score, j) => {
      const p = Math.exp(score - max) / total;
      const m = factor(row * a.keys + j);
      const dp = sum(a.width, (w) => dout.at(b, i, at.q + w) * kv.at(b, j, at.v + w));
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
    attentionForward(
      selfLayout('self_attention', attrs, qkv.shape),
      { q: qkv, kv: qkv, ...inputs },
      out,
      lse,
    );
  }),
  opReference(selfAttentionBackwardOp, ({ qkv, out, dout, ...inputs }, { dqkv, dbias }, attrs) => {
    const layout = selfLayout('self_attention', attrs, qkv.shape);
    attentionBackward(layout, { q: qkv, kv: qkv, ...inputs }, out, dout, dqkv, dqkv, dbias);
  }),
  opReference(crossAttentionOp, ({ q, kv, lens, step }, { out, lse }, attrs) => {
    attentionForward(
      crossLayout('cross_attention', attrs, q.shape, kv.shape),
      { q, kv, lens, step },
      out,
      lse,
    );
  }),
  opReference(crossAttentionBackwardOp, ({ q, kv, out, dout, lens, step }, { dq, dkv }, attrs) => {
    const layout = crossLayout('cross_attention', attrs, q.shape, kv.shape);
    attentionBackward(layout, { q, kv, lens, step }, out, dout, dq, dkv);
  }),
  opReference(attentionWeightsOp, ({ q, kv, lens, bias }, { p }, attrs) => {
    const a = weightsLayout(attrs, q.shape, kv.shape);
    const causal = a.causal && !attrs.scores;
    eachQuery({ ...a, causal }, { q, kv, lens, bias }, ({ b, h, i, scores, max, total }) => {
      scores.forEach((score, j) => {
        p.set(b * a.heads + h, i, j, attrs.scores ? score : Math.exp(score - max) / total);
      });
    });
  }),
  opReference(
    guidedAlignmentOp,
    ({ q, kv, lens, links, step }, { loss, dscores }, { head, weight, ...attrs }) => {
      const a = crossLayout('guided_alignment', { ...attrs, causal: false }, q.shape, kv.shape);
      const { tokenWeight } = readStep(step.data);
      eachQuery(a, { q, kv, lens }, ({ b, h, i, scores, max, total }) => {
        const linked = scores.map(
          (_, j) => Math.floor(links.at(b, i, Math.floor(j / 32)) / 2 ** (j % 32)) % 2,
        );
        const count = linked.reduce((n, bit) => n + bit, 0);
        if (h !== head || count === 0) return;
        scores.forEach((score, j) => {
          const [logarithm, y] = [score - max - Math.log(total), (linked[j] as number) / count];
          loss.add(b, i, -weight * y * logarithm);
          dscores.set(b, i, j, a.scale * weight * tokenWeight * (Math.exp(logarithm) - y));
        });
      });
    },
  ),
  opReference(guidedAlignmentBackwardOp, ({ q, kv, dscores }, { dq, dkv }, { headWidth, head }) => {
    for (let b = 0; b < q.dim(0); b++)
      for (let i = 0; i < q.dim(1); i++)
        for (let j = 0; j < kv.dim(1); j++)
          for (let c = head * headWidth; c < (head + 1) * headWidth; c++) {
            dq.add(b * q.dim(1) + i, c, dscores.at(b, i, j) * kv.at(b, j, c));
            dkv.add(b * kv.dim(1) + j, c, dscores.at(b, i, j) * q.at(b, i, c));
          }
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

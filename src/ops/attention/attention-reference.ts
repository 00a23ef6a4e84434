// Attention in plain float64 loops, one query or key at a time: what the kernels are checked against.

import { dropoutMask } from '../dropout-mask.ts';
import type { StepScalars } from '../step-scalars.ts';
import type { AttentionLayout } from './attention-layout.ts';

/** Inputs of one attention: q in rows of `qStride`, k and v in rows of `kvStride`; lens [B]. */
export interface AttentionInputs {
  readonly q: Float64Array;
  readonly kv: Float64Array;
  readonly lens: Float64Array;
  readonly step: Pick<StepScalars, 'seed' | 'step'>;
}

/** Visits every query: `visit(b, h, i, keys)`, where `keys` is the number of keys that the query sees. */
function eachQuery(
  a: AttentionLayout,
  lens: Float64Array,
  visit: (b: number, h: number, i: number, keys: number) => void,
): void {
  for (let b = 0; b < a.batch; b++)
    for (let h = 0; h < a.heads; h++)
      for (let i = 0; i < a.queries; i++) visit(b, h, i, Math.min(a.keys, lens[b] ?? 0, a.causal ? i + 1 : a.keys));
}

const qAt = (a: AttentionLayout, b: number, i: number, h: number) => (b * a.queries + i) * a.qStride + h * a.width;
const kAt = (a: AttentionLayout, b: number, j: number, h: number) =>
  (b * a.keys + j) * a.kvStride + a.kColumn + h * a.width;
const vAt = (a: AttentionLayout, b: number, j: number, h: number) =>
  (b * a.keys + j) * a.kvStride + a.vColumn + h * a.width;
const outAt = (a: AttentionLayout, b: number, i: number, h: number) => ((b * a.queries + i) * a.heads + h) * a.width;
const rowAt = (a: AttentionLayout, b: number, h: number, i: number) => (b * a.heads + h) * a.queries + i;

/** Sum over w of x[at + w] * y[from + w]. */
function dot(width: number, x: Float64Array, at: number, y: Float64Array, from: number): number {
  let sum = 0;
  for (let w = 0; w < width; w++) sum += (x[at + w] ?? 0) * (y[from + w] ?? 0);
  return sum;
}

/** y[from + w] += factor * x[at + w]. */
function addTo(width: number, y: Float64Array, from: number, factor: number, x: Float64Array, at: number): void {
  for (let w = 0; w < width; w++) y[from + w] = (y[from + w] ?? 0) + factor * (x[at + w] ?? 0);
}

/** Scaled scores of query i against its first `keys` keys. */
function scores(
  a: AttentionLayout,
  { q, kv }: AttentionInputs,
  b: number,
  h: number,
  i: number,
  keys: number,
): number[] {
  return Array.from({ length: keys }, (_, j) => a.scale * dot(a.width, q, qAt(a, b, i, h), kv, kAt(a, b, j, h)));
}

/** out [B,Tq,H·W] and lse [B,H,Tq], the natural logarithm of the sum of exponentials; both 0 where a query sees no key. */
export function attentionForward(a: AttentionLayout, x: AttentionInputs, out: Float64Array, lse: Float64Array): void {
  const mask = dropoutMask(x.step, a.site, a.dropout);
  eachQuery(a, x.lens, (b, h, i, keys) => {
    if (keys === 0) return;
    const s = scores(a, x, b, h, i, keys);
    const max = Math.max(...s);
    const total = s.reduce((sum, v) => sum + Math.exp(v - max), 0);
    const row = rowAt(a, b, h, i);
    lse[row] = max + Math.log(total);
    s.forEach((v, j) => {
      const p = Math.exp(v - (lse[row] ?? 0)) * mask(row * a.keys + j);
      addTo(a.width, out, outAt(a, b, i, h), p, x.kv, vAt(a, b, j, h));
    });
  });
}

/** The probabilities themselves, without dropout: p [B,H,Tq,Tk], 0 where masked. */
export function attentionProbabilities(a: AttentionLayout, x: AttentionInputs, p: Float64Array): void {
  eachQuery(a, x.lens, (b, h, i, keys) => {
    const s = scores(a, x, b, h, i, keys);
    const max = Math.max(...s);
    const total = s.reduce((sum, v) => sum + Math.exp(v - max), 0);
    s.forEach((v, j) => {
      p[rowAt(a, b, h, i) * a.keys + j] = Math.exp(v - max) / total;
    });
  });
}

/**
 * Gradients from dout [B,Tq,H·W], added to dq (laid out as q) and dkv (as kv). With P the probabilities and m the dropout factors:
 * dv_j = sum_i P_ij m_ij dout_i; dP_ij = m_ij dout_i·v_j; dS_ij = P_ij (dP_ij - D_i), D_i = dout_i·out_i.
 */
export function attentionBackward(
  a: AttentionLayout,
  x: AttentionInputs,
  out: Float64Array,
  dout: Float64Array,
  dq: Float64Array,
  dkv: Float64Array,
): void {
  const mask = dropoutMask(x.step, a.site, a.dropout);
  eachQuery(a, x.lens, (b, h, i, keys) => {
    const s = scores(a, x, b, h, i, keys);
    const max = Math.max(...s);
    const total = s.reduce((sum, v) => sum + Math.exp(v - max), 0);
    const [qi, oi] = [qAt(a, b, i, h), outAt(a, b, i, h)];
    const d = dot(a.width, dout, oi, out, oi);
    s.forEach((v, j) => {
      const [kj, vj] = [kAt(a, b, j, h), vAt(a, b, j, h)];
      const p = Math.exp(v - max) / total;
      const m = mask(rowAt(a, b, h, i) * a.keys + j);
      const ds = p * (m * dot(a.width, dout, oi, x.kv, vj) - d) * a.scale;
      addTo(a.width, dkv, vj, p * m, dout, oi);
      addTo(a.width, dq, qi, ds, x.kv, kj);
      addTo(a.width, dkv, kj, ds, x.q, qi);
    });
  });
}

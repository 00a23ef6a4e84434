// References of the sublayers of few rows: their parts, one after the other.

import { cachedCrossAttentionOp, cachedSelfAttentionOp } from '../decoding/cached-attention.ts';
import { decodingReferences } from '../decoding/decoding-references.ts';
import { activate } from '../elementwise/activation-references.ts';
import { dropoutFactor } from '../elementwise/dropout-reference.ts';
import type { Activation } from '../elementwise/elementwise-ops.ts';
import { addAndNormalize } from '../norm/norm-references.ts';
import { type OpReference, opReference } from '../op.ts';
import { ReferenceTensor, sum } from '../reference-tensor.ts';
import { linearAddNormOp } from './linear-add-norm.ts';
import { type RowInputAttrs, type RowInputs, rowChunk } from './row-launch.ts';
import { rowCrossAttentionOp, rowFeedForwardOp, rowLogitsOp, rowSelfAttentionOp } from './row-sublayers.ts';

const matrix = (rows: number, cols: number) =>
  new ReferenceTensor([rows, 1, cols], new Float64Array(rows * cols));

/** The input of the first product; sets `kept`. */
function begin(
  { x, parts, vectors }: RowInputs<ReferenceTensor>,
  attrs: RowInputAttrs,
  kept?: ReferenceTensor,
): ReferenceTensor {
  const [R, D] = [x.rows, x.cols];
  const y = matrix(R, D);
  const at = (start: number | undefined, c: number) => (start === undefined ? 0 : vectors.at(start + c));
  for (let r = 0; r < R; r++) {
    for (let c = 0; c < D; c++) {
      const shares = parts ? sum(parts.dim(0), (p) => parts.at(p, r, c)) : 0;
      y.set(r, c, x.at(r, c) + at(attrs.biasAt, c) + shares);
    }
    if (attrs.keeps === 'sum') for (let c = 0; c < D; c++) kept?.set(r, c, y.at(r, c));
    normalize(y, r, attrs.gammaAt, attrs.betaAt, attrs.eps, at);
    normalize(y, r, attrs.gamma2At, attrs.beta2At, attrs.eps2, at);
    if (attrs.keeps === 'norm') for (let c = 0; c < D; c++) kept?.set(r, c, y.at(r, c));
  }
  return y;
}

/** Replaces row r of y by its layer norm, or its RMSNorm if there is no beta. */
function normalize(
  y: ReferenceTensor,
  r: number,
  gamma: number | undefined,
  beta: number | undefined,
  eps = 0,
  at: (start: number | undefined, c: number) => number,
): void {
  if (gamma === undefined) return;
  const D = y.cols;
  const mean = beta === undefined ? 0 : sum(D, (c) => y.at(r, c)) / D;
  const variance = sum(D, (c) => (y.at(r, c) - mean) ** 2) / D;
  for (let c = 0; c < D; c++)
    y.set(r, c, ((y.at(r, c) - mean) / Math.sqrt(variance + eps)) * at(gamma, c) + at(beta, c));
}

/** n numbers of each row: f(x · wᵀ + b), the matrix at `start`. */
function product(
  x: ReferenceTensor,
  { matrices, vectors }: RowInputs<ReferenceTensor>,
  n: number,
  start: number,
  biasAt: number | undefined,
  f: Activation = 'none',
): ReferenceTensor {
  const y = matrix(x.rows, n);
  for (let r = 0; r < x.rows; r++)
    for (let o = 0; o < n; o++) {
      const z = sum(x.cols, (c) => x.at(r, c) * matrices.at(start + o * x.cols + c));
      y.set(r, o, activate(z + (biasAt === undefined ? 0 : vectors.at(biasAt + o)), f));
    }
  return y;
}

/** The shares of chunks of v in its product with the matrix at `start`. */
function share(
  v: ReferenceTensor,
  { matrices }: RowInputs<ReferenceTensor>,
  start: number,
  chunk: number,
  shares: ReferenceTensor,
): void {
  const [P, R, D] = [shares.dim(0), shares.dim(1), shares.dim(2)];
  for (let p = 0; p < P; p++)
    for (let r = 0; r < R; r++)
      for (let d = 0; d < D; d++) {
        const [from, to] = [p * chunk, Math.min(v.cols, (p + 1) * chunk)];
        shares.set(
          p,
          r,
          d,
          sum(to - from, (i) => matrices.at(start + d * v.cols + from + i) * v.at(r, from + i)),
        );
      }
}

/** The references of the cached attentions. */
const cached = new Map<object, (...all: never[]) => void>(decodingReferences.map(([op, run]) => [op, run]));
const selfAttention = cached.get(cachedSelfAttentionOp) as NonNullable<
  typeof cachedSelfAttentionOp.reference
>;
const crossAttention = cached.get(cachedCrossAttentionOp) as NonNullable<
  typeof cachedCrossAttentionOp.reference
>;

/** References of the ops of this folder. */
export const rowsReferences: readonly OpReference[] = [
  opReference(rowSelfAttentionOp, ({ cache, slots, step, ...inputs }, { shares, kept }, attrs) => {
    const { heads, headWidth, inAt, outAt, ownAt } = attrs;
    const qkv = product(begin(inputs, attrs, kept), inputs, 3 * heads * headWidth, inAt, ownAt);
    const out = matrix(qkv.rows, heads * headWidth);
    selfAttention({ qkv, cache, slots, step }, { out }, attrs);
    share(out, inputs, outAt, headWidth, shares);
  }),
  opReference(rowCrossAttentionOp, ({ kv, lens, ...inputs }, { shares, kept }, attrs) => {
    const { heads, headWidth, inAt, outAt, ownAt } = attrs;
    const q = product(begin(inputs, attrs, kept), inputs, heads * headWidth, inAt, ownAt);
    const out = matrix(q.rows, heads * headWidth);
    crossAttention({ q, kv, lens }, { out }, attrs);
    share(out, inputs, outAt, headWidth, shares);
  }),
  opReference(rowFeedForwardOp, (inputs, { shares, kept }, attrs) => {
    const { hidden, inAt, outAt, ownAt, activation } = attrs;
    const h = product(begin(inputs, attrs, kept), inputs, hidden, inAt, ownAt, activation);
    share(h, inputs, outAt, rowChunk.hidden, shares);
  }),
  opReference(rowLogitsOp, (inputs, { logits }, attrs) => {
    const y = product(begin(inputs, attrs), inputs, attrs.vocab, 0, attrs.ownAt);
    for (let r = 0; r < y.rows; r++) for (let o = 0; o < y.cols; o++) logits.set(r, o, y.at(r, o));
  }),
  opReference(linearAddNormOp, ({ x, matrices, vectors, residual, step }, { next, ...outputs }, attrs) => {
    const D = residual.cols;
    const vector = (at: number) => new ReferenceTensor([D], vectors.data.slice(at, at + D));
    const all = { x, matrices, vectors };
    const branch = product(x, all, D, attrs.at, attrs.biasAt);
    const beta = attrs.betaAt === undefined ? undefined : vector(attrs.betaAt);
    const mask = { eps: attrs.eps, rate: attrs.rate, site: attrs.site };
    addAndNormalize({ x: branch, residual, step, gamma: vector(attrs.gammaAt), beta }, outputs, mask);
    if (!next) return;
    const { nextColumns = 0, nextAt = 0, nextBiasAt, activation, nextRate = 0, nextSite = 0 } = attrs;
    const z = product(outputs.y, all, nextColumns, nextAt, nextBiasAt, activation);
    const factor = dropoutFactor(step, { rate: nextRate, site: nextSite });
    for (let i = 0; i < next.size; i++) next.set(i, z.at(i) * factor(i));
  }),
];

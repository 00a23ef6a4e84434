// References of the ops of decoding.

import { float16Table, toFloat16 } from '../../../core/float16.ts';
import { biasAt } from '../attention/position-bias.ts';
import { dropoutKey, pcg } from '../elementwise/dropout-reference.ts';
import { type OpReference, opReference } from '../op.ts';
import { type ReferenceTensor, softmaxOf, sum } from '../reference-tensor.ts';
import { readStep } from '../step-scalars.ts';
import { beamSelectOp } from './beam-select.ts';
import { bestTokensOp } from './best-tokens.ts';
import { cacheSlotsOp } from './cache-slots.ts';
import type { CachedAttentionAttrs } from './cached-attention.ts';
import { cachedCrossAttentionOp, cachedSelfAttentionOp, hiddenSlot } from './cached-attention.ts';
import type { NextTokenAttrs, NextTokenInputs } from './next-token.ts';
import { dead, greedyTokenOp, lowest, masked, sampleTokenOp, vocabOf } from './next-token.ts';
import { packF16Op } from './pack-f16.ts';
import { penalizeRepeatsOp } from './penalize-repeats.ts';

/** Number `col` of row `row` of keys and values, in f32 or packed as f16. */
function keyNumber(kv: ReferenceTensor, row: number, col: number, packed: boolean): number {
  if (!packed) return kv.at(row, col);
  const word = kv.at(row, col >> 1);
  return float16Table()[(col & 1 ? word >>> 16 : word) & 0xffff] as number;
}

/** Pairs of numbers as words with two f16. */
const wordsOfF16 = (x: Float64Array): Uint32Array => new Uint32Array(toFloat16(Float32Array.from(x)).buffer);

/**
 * Sets row r of out [..,HW] to the attention of row r of q, whose first HW columns are the query, to `seen`,
 * keys j in rows of kv [..,2HW]; 0 if there is none. `bias` of head and key is added to the score.
 */
function attend(
  { heads, headWidth: W, scale = 1 / Math.sqrt(W) }: CachedAttentionAttrs,
  q: ReferenceTensor,
  r: number,
  kv: ReferenceTensor,
  seen: readonly { readonly row: number; readonly j: number }[],
  out: ReferenceTensor,
  bias: (h: number, j: number) => number = () => 0,
): void {
  const packed = kv.cols === heads * W;
  for (let h = 0; h < heads; h++) {
    const [k, v] = [h * W, (heads + h) * W];
    const scores = seen.map(
      ({ row, j }) =>
        sum(W, (w) => q.at(r, h * W + w) * keyNumber(kv, row, k + w, packed)) * scale + bias(h, j),
    );
    const { max, total } = softmaxOf(scores);
    for (let w = 0; w < W; w++) {
      const value = seen.reduce(
        (o, { row }, n) => o + Math.exp((scores[n] as number) - max) * keyNumber(kv, row, v + w, packed),
        0,
      );
      out.set(r, h * W + w, seen.length ? value / total : 0);
    }
  }
}

/**
 * Applies the rules to row r of the logits; returns them and the logsumexp to subtract for log-probabilities.
 */
function applyRules(
  { logits, history, rules, step }: NextTokenInputs<ReferenceTensor>,
  attrs: NextTokenAttrs,
  r: number,
): { z: Float64Array; normalizer: number } {
  const z = logits.row(r).subarray(0, vocabOf(logits, attrs));
  logits.row(r).fill(lowest, z.length); // as the kernel does
  const { max, total } = softmaxOf(z);
  const normalizer = attrs.areLogProbs ? 0 : max + Math.log(total);
  if (!attrs.rules) return { z, normalizer };
  const { position } = readStep(step.data);
  const { forced: P = 0 } = attrs;
  const [minLength = 0, forceEndAt = -1, n = 0, firstToken = -1, firstOnly = 0, ...others] = rules.data;
  const banned = others.slice(0, others.length - logits.rows * P);
  const prefix = others.slice(banned.length + r * P, banned.length + (r + 1) * P);
  const first = position === 0 ? firstToken : -1;
  const [own = -1] = prefix.slice(position);
  const isFirst = position === 0 || (prefix[position - 1] ?? -1) >= 0 || (position === 1 && firstToken >= 0);
  const forced = position === forceEndAt ? attrs.endId : own >= 0 ? own : first;
  if (forced >= 0) {
    z.fill(masked)[forced] = 0;
    return { z, normalizer: 0 };
  }
  const forbid = (id = -1) => {
    if (id >= 0 && id < z.length && logits.at(r, id) > dead) logits.add(r, id, masked);
  };
  if (position < minLength) forbid(attrs.endId);
  const past = Array.from(history.row(r).subarray(0, position + 1));
  for (let i = 0; i < banned.length; i++) {
    const length = Math.max(1, -(banned[i] as number));
    const [...ids] = length > 1 ? banned.slice(i + 1, i + 1 + length) : [banned[i]];
    const before = ids.slice(0, -1);
    const isBefore =
      past.length >= before.length && before.join() === past.slice(past.length - before.length).join();
    if (isBefore && (isFirst || i >= firstOnly)) forbid(ids.at(-1));
    if (length > 1) i += length;
  }
  for (let i = 0; n > 0 && i + n <= past.length; i++) {
    const last = past.slice(past.length - n + 1).join();
    if (n === 1 || past.slice(i, i + n - 1).join() === last) forbid(past[i + n - 1]);
  }
  return { z, normalizer };
}

/** References of the ops of this folder. */
export const decodingReferences: readonly OpReference[] = [
  opReference(
    beamSelectOp,
    ({ logProbs, candidates, ends, scores, step }, { tokens, parents, totals, ended }, { shrinks }) => {
      const [R = 0, K = 0] = logProbs.shape;
      const start = readStep(step.data).position === 0;
      ended.data.fill(masked);
      for (let first = 0; first < R; first += K) {
        const before = Array.from({ length: K }, (_, k) =>
          start ? (k === 0 ? 0 : masked) : scores.at(first + k),
        );
        const all = before.flatMap((score, k) => [
          ...Array.from({ length: K }, (_, j) => {
            const token = candidates.at(first + k, j);
            return { score: score + logProbs.at(first + k, j), k, token, isEnd: false };
          }),
          { score: score + ends.at(first + k), k, token: 0, isEnd: true },
        ]);
        all.sort((x, y) => y.score - x.score); // stable: the lower row first, tokens before ends
        const running = start ? K : before.filter((score) => score > dead).length;
        const best = all.slice(0, shrinks ? running : K);
        for (const { score, k, isEnd } of best) if (isEnd && score > dead) ended.set(first + k, score);
        const rest = { score: masked, k: 0, token: candidates.at(first, 0), isEnd: false };
        const next = shrinks
          ? Array.from({ length: K }, (_, k) => best.filter((x) => !x.isEnd)[k] ?? rest)
          : all.filter((x) => !x.isEnd).slice(0, K);
        for (const [k, x] of next.entries()) {
          tokens.set(first + k, x.token);
          parents.set(first + k, x.k);
          totals.set(first + k, x.score);
          scores.set(first + k, x.score);
        }
      }
    },
  ),
  opReference(cacheSlotsOp, ({ newest, parents, slots, tokens, step }, _outputs, { beams, padId }) => {
    const { position } = readStep(step.data);
    const T = slots.cols;
    const before = { slots: slots.data.slice(), tokens: tokens.data.slice() };
    for (let r = 0; r < slots.rows; r++) {
      const k = r % beams;
      const parent = (r - k + parents.at(r)) * T;
      slots.row(r).set(before.slots.subarray(parent, parent + position));
      tokens.row(r).set(before.tokens.subarray(parent, parent + position));
      const token = newest.at(r);
      slots.set(r, position, k * T + position + (token === padId && position > 0 ? hiddenSlot : 0));
      tokens.set(r, position, token);
    }
  }),
  opReference(cachedSelfAttentionOp, ({ qkv, cache, slots, step, bias }, { out }, attrs) => {
    const inner = attrs.heads * attrs.headWidth;
    const [R = 0, T = 0] = cache.shape;
    const { position } = readStep(step.data);
    for (let r = 0; r < R; r++) {
      const own = qkv.row(r).subarray(inner);
      cache.row(r * T + position).set(cache.cols === inner ? wordsOfF16(own) : own);
    }
    for (let r = 0; r < R; r++) {
      const first = Math.floor(r / attrs.beams) * attrs.beams * T;
      const seen = Array.from(slots.row(r).subarray(0, position + 1), (slot, j) => ({
        row: first + slot,
        j,
      }));
      const keys = seen.filter(({ row }) => row < hiddenSlot);
      attend(attrs, qkv, r, cache, keys, out, (h, j) => (bias ? biasAt(bias, h, position, j) : 0));
    }
  }),
  opReference(cachedCrossAttentionOp, ({ q, kv, lens }, { out }, attrs) => {
    const S = kv.dim(1);
    for (let r = 0; r < q.rows; r++) {
      const b = Math.floor(r / attrs.beams);
      const keys = Array.from({ length: Math.min(S, lens.at(b)) }, (_, j) => ({ row: b * S + j, j }));
      attend(attrs, q, r, kv, keys, out);
    }
  }),
  opReference(packF16Op, ({ x }, { words }) => {
    for (let r = 0; r < x.rows; r++) words.row(r).set(wordsOfF16(x.row(r)));
  }),
  opReference(
    penalizeRepeatsOp,
    ({ logits, history, penalty, step }, _outputs, { ofLogProbs, vocab = logits.cols }) => {
      const { position } = readStep(step.data);
      for (let r = 0; r < logits.rows; r++) {
        const z = logits.row(r).subarray(0, vocab);
        const { max, total } = softmaxOf(z);
        if (ofLogProbs) for (const id of z.keys()) z[id] = (z[id] as number) - max - Math.log(total);
        for (const id of new Set(history.row(r).subarray(0, position + 1))) {
          if (id < 0 || id >= vocab) continue;
          const x = z[id] as number;
          z[id] = x < 0 ? x * penalty.at(0) : x / penalty.at(0);
        }
      }
    },
  ),
  opReference(greedyTokenOp, (inputs, { tokens, logProbs }, attrs) => {
    for (let r = 0; r < tokens.size; r++) {
      const { z, normalizer } = applyRules(inputs, attrs, r);
      const max = z.reduce((a, b) => Math.max(a, b));
      tokens.set(r, max > dead ? z.indexOf(max) : attrs.endId);
      logProbs.set(r, max > dead ? max - normalizer : 0);
    }
  }),
  opReference(bestTokensOp, (inputs, { logProbs, tokens, ends }, attrs) => {
    const { endId, wanted } = attrs;
    for (let r = 0; r < ends.size; r++) {
      const { z, normalizer } = applyRules(inputs, attrs, r);
      const order = Array.from(z, (value, id) => ({ value, id })).filter(({ id }) => id !== endId);
      order.sort((a, b) => b.value - a.value || a.id - b.id);
      for (let k = 0; k < wanted; k++) {
        logProbs.set(r, k, Math.max(masked, (order[k]?.value ?? masked) - normalizer));
        tokens.set(r, k, order[k]?.id ?? endId);
      }
      ends.set(r, Math.max(masked, inputs.logits.at(r, endId) - normalizer));
      inputs.logits.set(r, endId, lowest); // as the kernel does
    }
  }),
  opReference(sampleTokenOp, (inputs, { tokens, logProbs }, attrs) => {
    const { step, sampling, streams } = inputs;
    const [temperature = 1, topP = 1, topK = 0] = sampling.data;
    const { seed, position } = readStep(step.data);
    for (let r = 0; r < tokens.size; r++) {
      const { z, normalizer } = applyRules(inputs, attrs, r);
      const max = z.reduce((a, b) => Math.max(a, b));
      const first = z.indexOf(max);
      const tokensOfRow = Array.from(z, (logit, id) => ({
        id,
        logit,
        p: Math.exp((logit - max) / temperature),
      }));
      // As the kernel does; what is past the vocabulary has no probability.
      inputs.logits.row(r).fill(0);
      for (const { id, p } of tokensOfRow) inputs.logits.row(r)[id] = p;
      const sorted = tokensOfRow.map(({ p }) => p).sort((a, b) => b - a);
      let min = topK > 0 ? (sorted[Math.min(topK, sorted.length) - 1] ?? 0) : 0;
      if (topP < 1) {
        const allowed = sorted.filter((p) => p >= min);
        const aim = topP * allowed.reduce((a, b) => a + b, 0);
        let mass = 0;
        for (const p of allowed) {
          if (mass >= aim) break;
          mass += p;
          min = p;
        }
      }
      // The exponential race: token i with the smallest -log(1 - u_i) / p_i is a sample of p.
      const key = dropoutKey({ seed, step: position }, streams.at(r));
      let best = -1;
      let chosen = { id: attrs.endId, logit: normalizer };
      for (const candidate of tokensOfRow) {
        const { id, p } = candidate;
        if (!(p > 0 && p >= min) || (topK === 1 && id !== first)) continue;
        const u = Math.min((pcg((pcg(id) + key) >>> 0) + 0.5) / 2 ** 32, 0.99999994);
        const speed = p / -Math.log1p(-u);
        if (speed > best) [best, chosen] = [speed, candidate];
      }
      tokens.set(r, max > dead ? chosen.id : attrs.endId);
      logProbs.set(r, max > dead ? chosen.logit - normalizer : 0);
    }
  }),
];

// Kernels of a decoding step: attention with the KV cache, choice of the next token, beam bookkeeping. They run at half
// of the maximum length, at which a step has its average cost.

import { beamSelect } from '../ops/decoding/beam-select.ts';
import { cacheSlots } from '../ops/decoding/cache-slots.ts';
import { cachedCrossAttention, cachedSelfAttention } from '../ops/decoding/cached-attention.ts';
import {
  bestTokens,
  greedyToken,
  rulesSize,
  sampleToken,
  samplingSize,
  writeRules,
} from '../ops/decoding/next-token.ts';
import { takeRows } from '../ops/elementwise/take-rows.ts';
import { input, type KernelCase, step } from './kernel-case.ts';

/** Sizes: rows, rows per sentence, positions, vocabulary, heads, head width. */
export interface DecodingSizes {
  readonly R: number;
  readonly beams: number;
  readonly T: number;
  readonly V: number;
  readonly H: number;
  readonly W: number;
}

const halfWay = ({ T }: DecodingSizes) => ({ position: T / 2 - 1 });

/** Cache slots before any reordering of beams: row r reads its own keys. */
const ownSlots = ({ R, beams, T }: DecodingSizes): Uint32Array =>
  Uint32Array.from({ length: R * T }, (_, i) => (Math.floor(i / T) % beams) * T + (i % T));

/** Self-attention of one token to the keys before it. */
export function selfAttention(s: DecodingSizes): KernelCase {
  const { R, beams, T, H, W } = s;
  return {
    name: `cached self-attention [${R}] at ${T / 2} of ${T}, ${H} heads x ${W}`,
    group: 'decoding',
    build(g) {
      const cache = g.state('cache', 'f32', [R, T, 2 * H * W]);
      const slots = g.input('slots', 'u32', [R, T]);
      const attrs = { heads: H, headWidth: W, beams };
      cachedSelfAttention(g, input(g, 'qkv', [R, 1, 3 * H * W]), cache, slots, step(g), attrs);
    },
    data: (name) => (name === 'slots' ? ownSlots(s) : undefined),
    step: halfWay(s),
    bytes: 4 * R * (4 * H * W + (T / 2) * (1 + 2 * H * W)),
    flops: 4 * R * (T / 2) * H * W,
  };
}

/** Cross-attention of one token. */
export const crossAttention = ({ R, beams, T, H, W }: DecodingSizes): KernelCase => ({
  name: `cached cross-attention [${R}x${T}] ${H} heads x ${W}`,
  group: 'decoding',
  build(g) {
    const kv = input(g, 'kv', [R / beams, T, 2 * H * W]);
    const attrs = { heads: H, headWidth: W, beams };
    cachedCrossAttention(g, input(g, 'q', [R, 1, H * W]), kv, g.input('lens', 'u32', [R / beams]), attrs);
  },
  data: (name, length) => (name === 'lens' ? new Array(length).fill(T) : undefined),
});

/** Choice of the next token with rules: a minimum length, no repeated trigram, two suppressed tokens. */
export function choice(kind: 'greedy token' | 'best tokens' | 'sampled token', s: DecodingSizes): KernelCase {
  const { R, beams, T, V } = s;
  const stride = V % 7919 === 0 ? 7907 : 7919;
  return {
    name: `${kind} [${R},${V}]`,
    group: 'decoding',
    build(g) {
      const logits = g.state('logits', 'f32', [R, 1, V]);
      const history = g.input('history', 'i32', [R, T]);
      const rules = g.input('rules', 'i32', [rulesSize(2)]);
      const attrs = { endId: 2, rules: true };
      if (kind === 'greedy token') return void greedyToken(g, logits, history, rules, step(g), attrs);
      if (kind === 'best tokens')
        return void bestTokens(g, logits, history, rules, step(g), { ...attrs, wanted: beams });
      const settings = { sampling: input(g, 'sampling', [samplingSize]), streams: g.input('streams', 'u32', [R]) };
      sampleToken(g, logits, history, rules, step(g), settings, attrs);
    },
    data(name, length) {
      // A different permutation of V distinct values in each row, so that float32 and float64 agree on the order.
      if (name === 'logits')
        return Float32Array.from(
          { length },
          (_, i) => (((i % V) * stride + Math.floor(i / V) * 131) % V) * (20 / V) - 10,
        );
      if (name === 'history') return Int32Array.from({ length }, (_, i) => 3 + ((i * 31) % (V - 3)));
      if (name === 'streams') return Uint32Array.from({ length }, (_, i) => i);
      if (name === 'sampling') return [0.8, 0.9, 40, 0];
      if (name !== 'rules') return undefined;
      const rules = new Int32Array(length);
      writeRules(rules, { minLength: 5, forceEndAt: -1, noRepeatNgram: 3, firstToken: -1, banned: [0, 1] });
      return rules;
    },
    step: halfWay(s),
  };
}

/** Choice of the best beams. */
export function beamStep(s: DecodingSizes): KernelCase {
  const { R, beams } = s;
  return {
    name: `beam select [${R}] of ${beams} beams`,
    group: 'decoding',
    build(g) {
      const best = {
        logProbs: input(g, 'logProbs', [R, beams]),
        tokens: g.input('tokens', 'i32', [R, beams]),
        ends: input(g, 'ends', [R]),
      };
      beamSelect(g, best, g.state('scores', 'f32', [R]), step(g));
    },
    // Descending in a row, and distinct within a sentence.
    data(name, length) {
      if (name === 'logProbs')
        return Float32Array.from(
          { length },
          (_, i) => -(i % beams) / 2 - (0.4 * ((i * 37) % (beams * beams))) / beams ** 2 - 0.1,
        );
      if (name === 'tokens') return Int32Array.from({ length }, (_, i) => 3 + i);
      return name === 'scores' ? Float32Array.from({ length }, (_, i) => -3 - i / 7.3) : undefined;
    },
    step: halfWay(s),
  };
}

/** The table of cache slots after beams are reordered. */
export function slots(s: DecodingSizes): KernelCase {
  const { R, beams, T } = s;
  return {
    name: `cache slots [${R},${T}] of ${beams} beams`,
    group: 'decoding',
    build(g) {
      const history = [g.state('slots', 'u32', [R, T]), g.state('tokens', 'i32', [R, T])] as const;
      const newest = g.input('newest', 'i32', [R, 1]);
      cacheSlots(g, newest, g.input('parents', 'i32', [R]), ...history, step(g), { beams, padId: 0 });
    },
    data(name, length) {
      if (name === 'slots') return ownSlots(s);
      if (name === 'parents') return Int32Array.from({ length }, (_, i) => (i * 3) % beams);
      return Int32Array.from({ length }, (_, i) => 3 + (i % 50));
    },
    step: halfWay(s),
  };
}

/** Copy of the unfinished rows. */
export const takenRows = (R: number, D: number): KernelCase => ({
  name: `take rows [${R},${D}]`,
  group: 'decoding',
  build: (g) => void takeRows(g, input(g, 'x', [2 * R, D]), g.input('picks', 'u32', [R])),
  data: (name, length) => (name === 'picks' ? Uint32Array.from({ length }, (_, i) => (i * 7) % (2 * R)) : undefined),
  bytes: 4 * R * (1 + 2 * D),
});

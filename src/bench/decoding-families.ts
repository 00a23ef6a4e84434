// Kernel families of a decoding step: attention with the KV cache, choice of the next token, beam
// bookkeeping. They run at half of the maximum length, at which a step has its average cost.

import { beamSelect } from '../engine/ops/decoding/beam-select.ts';
import { bestTokens } from '../engine/ops/decoding/best-tokens.ts';
import { cacheSlots } from '../engine/ops/decoding/cache-slots.ts';
import { cachedCrossAttention, cachedSelfAttention } from '../engine/ops/decoding/cached-attention.ts';
import {
  greedyToken,
  rulesSize,
  sampleToken,
  samplingSize,
  writeRules,
} from '../engine/ops/decoding/next-token.ts';
import { packF16 } from '../engine/ops/decoding/pack-f16.ts';
import { penalizeRepeats } from '../engine/ops/decoding/penalize-repeats.ts';
import { takeRows } from '../engine/ops/elementwise/take-rows.ts';
import { input, type KernelData, step } from './kernel-case.ts';
import { choice, family, heads, headWidth, size, vocab } from './kernel-family.ts';

const fields = {
  rows: size('Rows', 64, 4096),
  beams: size('Beams', 4, 16),
  length: size('Positions', 64, 8192, 2),
};

const halfWay = (length: number) => ({ position: length / 2 - 1 });

/** Cache slots before any reordering of beams: row r reads its own keys. */
const ownSlots = (beams: number, length: number) => (i: number) =>
  (Math.floor(i / length) % beams) * length + (i % length);

/** A minimum length, no repeated trigram, two suppressed tokens. */
function rules(): Int32Array {
  const words = new Int32Array(rulesSize(2));
  writeRules(words, { minLength: 5, forceEndAt: -1, noRepeatNgram: 3, firstToken: -1, banned: [0, 1] });
  return words;
}

/** Families of a decoding step. */
export const decodingFamilies = {
  // Attention of one token: to the keys before it, or to the source.
  'cached attention': family({
    label: 'Cached attention',
    group: 'decoding',
    fields: {
      kind: choice('Attention', 'self-attention', 'cross-attention'),
      ...fields,
      heads,
      width: headWidth,
      dtype: choice('Keys', 'f32', 'f16'),
    },
    make({ kind, rows, beams, length, heads, width, dtype }) {
      const attrs = { heads, headWidth: width, beams };
      const isPacked = dtype === 'f16';
      const ofHeads = `${heads} heads x ${width}${isPacked ? ', f16' : ''}`;
      const columns = (isPacked ? 1 : 2) * heads * width;
      const keyType = isPacked ? 'u32' : 'f32';
      // Words of two f16 numbers from 0.5 to 1.
      const words = (i: number) => 0x38003800 + ((i * 37) % 1024) + 65536 * ((i * 59) % 1024);
      const withKeys = (name: string, data: KernelData): KernelData =>
        isPacked ? { ...data, [name]: words } : data;
      if (kind === 'cross-attention')
        return {
          name: `cached cross-attention [${rows}x${length}] ${ofHeads}`,
          build(g) {
            const kv = g.input('kv', keyType, [rows / beams, length, columns]);
            const q = input(g, 'q', [rows, 1, heads * width]);
            cachedCrossAttention(g, q, kv, g.input('lens', 'u32', [rows / beams]), attrs);
          },
          data: () => withKeys('kv', { lens: () => length }),
        };
      return {
        name: `cached self-attention [${rows}] at ${length / 2} of ${length}, ${ofHeads}`,
        build(g) {
          const cache = g.state('cache', keyType, [rows, length, columns]);
          const slots = g.input('slots', 'u32', [rows, length]);
          cachedSelfAttention(g, input(g, 'qkv', [rows, 1, 3 * heads * width]), cache, slots, step(g), attrs);
        },
        data: () => withKeys('cache', { slots: ownSlots(beams, length) }),
        step: halfWay(length),
        bytes: 4 * rows * (4 * heads * width + (length / 2) * (1 + columns)),
        flops: 4 * rows * (length / 2) * heads * width,
      };
    },
  }),
  'next token': family({
    label: 'Next token',
    group: 'decoding',
    fields: { kind: choice('Choice', 'greedy token', 'best tokens', 'sampled token'), ...fields, vocab },
    make({ kind, rows, beams, length, vocab }) {
      const stride = vocab % 7919 === 0 ? 7907 : 7919;
      return {
        name: `${kind} [${rows},${vocab}]`,
        build(g) {
          const logits = g.state('logits', 'f32', [rows, 1, vocab]);
          const history = g.input('history', 'i32', [rows, length]);
          const rules = g.input('rules', 'i32', [rulesSize(2)]);
          const attrs = { endId: 2, rules: true };
          if (kind === 'greedy token') return void greedyToken(g, logits, history, rules, step(g), attrs);
          if (kind === 'best tokens')
            return void bestTokens(g, logits, history, rules, step(g), { ...attrs, wanted: beams });
          const settings = {
            sampling: input(g, 'sampling', [samplingSize]),
            streams: g.input('streams', 'u32', [rows]),
          };
          sampleToken(g, logits, history, rules, step(g), settings, attrs);
        },
        data: () => ({
          // A different permutation of distinct values in each row, so that float32 and float64 agree on the
          // order.
          logits: (i) => (((i % vocab) * stride + Math.floor(i / vocab) * 131) % vocab) * (20 / vocab) - 10,
          history: (i) => 3 + ((i * 31) % (vocab - 3)),
          streams: (i) => i,
          sampling: [0.8, 0.9, 40, 0],
          rules: rules(),
        }),
        step: halfWay(length),
      };
    },
  }),
  'repetition penalty': family({
    label: 'Repetition penalty',
    group: 'decoding',
    fields: {
      kind: choice('Scores', 'logits', 'log-probabilities'),
      rows: fields.rows,
      length: fields.length,
      vocab,
    },
    make: ({ kind, rows, length, vocab }) => ({
      name: `repetition penalty [${rows},${vocab}] of ${kind}`,
      build(g) {
        const logits = g.state('logits', 'f32', [rows, 1, vocab]);
        const history = g.input('history', 'i32', [rows, length]);
        const attrs = { ofLogProbs: kind === 'log-probabilities' };
        penalizeRepeats(g, logits, history, input(g, 'penalty', [1]), step(g), attrs);
      },
      data: () => ({ penalty: [1.2], history: (i) => (i * 31) % vocab }),
      step: halfWay(length),
    }),
  }),
  'beam select': family({
    label: 'Beam select',
    group: 'decoding',
    fields: { rows: fields.rows, beams: fields.beams },
    make: ({ rows, beams }) => ({
      name: `beam select [${rows}] of ${beams} beams`,
      build(g) {
        const best = {
          logProbs: input(g, 'logProbs', [rows, beams]),
          tokens: g.input('tokens', 'i32', [rows, beams]),
          ends: input(g, 'ends', [rows]),
        };
        beamSelect(g, best, g.state('scores', 'f32', [rows]), step(g));
      },
      data: () => ({
        // Descending in a row, and distinct within a sentence.
        logProbs: (i) => -(i % beams) / 2 - (0.4 * ((i * 37) % (beams * beams))) / beams ** 2 - 0.1,
        tokens: (i) => 3 + i,
        scores: (i) => -3 - i / 7.3,
      }),
      step: { position: 0 },
    }),
  }),
  // The table of cache slots after beams are reordered.
  'cache slots': family({
    label: 'Cache slots',
    group: 'decoding',
    fields,
    make: ({ rows, beams, length }) => ({
      name: `cache slots [${rows},${length}] of ${beams} beams`,
      build(g) {
        const history = [
          g.state('slots', 'u32', [rows, length]),
          g.state('tokens', 'i32', [rows, length]),
        ] as const;
        const newest = g.input('newest', 'i32', [rows, 1]);
        cacheSlots(g, newest, g.input('parents', 'i32', [rows]), ...history, step(g), { beams, padId: 0 });
      },
      data: () => ({
        slots: ownSlots(beams, length),
        parents: (i) => (i * 3) % beams,
        newest: (i) => 3 + (i % 50),
        tokens: (i) => 3 + (i % 50),
      }),
      step: halfWay(length),
    }),
  }),
  'pack as f16': family({
    label: 'Pack as f16',
    group: 'decoding',
    fields: { rows: size('Rows', 512, 65536), width: size('Width', 512, 8192, 4) },
    make: ({ rows, width }) => ({
      name: `pack_f16 [${rows},${width}]`,
      build: (g) => void packF16(g, input(g, 'x', [rows, width])),
    }),
  }),
  // Copy of the unfinished rows.
  'take rows': family({
    label: 'Copy of rows',
    group: 'decoding',
    fields: { rows: size('Rows', 64), width: size('Columns', 16_384, 1_000_000) },
    make: ({ rows, width }) => ({
      name: `take rows [${rows},${width}]`,
      build: (g) => void takeRows(g, input(g, 'x', [2 * rows, width]), g.input('indices', 'u32', [rows])),
      data: () => ({ indices: (i) => (i * 7) % (2 * rows) }),
      bytes: 4 * rows * (1 + 2 * width),
    }),
  }),
};

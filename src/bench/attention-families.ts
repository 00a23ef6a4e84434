// Kernel families of attention.

import { gradients } from '../engine/graph/gradient.ts';
import type { Graph } from '../engine/graph/graph.ts';
import { crossAttention, selfAttention } from '../engine/ops/attention/attention.ts';
import { attentionWeights } from '../engine/ops/attention/attention-weights.ts';
import { guidedAlignment, wordsOfLinks } from '../engine/ops/attention/guided-alignment.ts';
import { relativePositionBias } from '../engine/ops/attention/relative-position-bias.ts';
import { backward, input, step } from './kernel-case.ts';
import { choice, family, heads, headWidth, named, pass, size, storage } from './kernel-family.ts';

const batch = size('Sentences', 4, 4096);

/** Fields of an attention of target positions to source positions. */
const crossFields = {
  batch,
  queries: size('Target length', 128, 8192),
  keys: size('Source length', 128, 8192),
  heads,
  width: headWidth,
};

/** The sizes that these fields give. */
type CrossSizes = Readonly<Record<keyof typeof crossFields, number>>;

/** The sizes in the name of a case. */
const crossName = ({ batch, queries, keys, heads, width }: CrossSizes): string =>
  `[${batch},${queries}x${keys}] ${heads} heads x ${width}`;

/** Queries, keys and values, and the lengths of the sources. */
const crossInputs = (g: Graph, { batch, queries, keys, heads, width }: CrossSizes) => ({
  q: input(g, 'q', [batch, queries, heads * width]),
  kv: input(g, 'kv', [batch, keys, 2 * heads * width]),
  lens: g.input('lens', 'u32', [batch]),
});

/** Families of attention. */
export const attentionFamilies = {
  // Without padding. With position bias as in T5: attention to all positions.
  attention: family({
    label: 'Self-attention',
    group: 'attention',
    fields: {
      batch,
      length: size('Length', 128, 8192),
      heads,
      width: headWidth,
      pass,
      mask: choice('Mask', 'causal', 'position bias'),
      dtype: storage,
    },
    make({ batch, length, heads, width, pass, mask }) {
      const biased = mask === 'position bias';
      return {
        name: `${named('attention', pass)}${biased ? ' with position bias' : ''} [${batch},${length}] ${heads} heads x ${width}`,
        build(g) {
          const qkv = input(g, 'qkv', [batch, length, 3 * heads * width]);
          const lens = g.input('lens', 'u32', [batch]);
          const bias = biased ? input(g, 'bias', [heads, 183]) : undefined;
          const y = selfAttention(g, qkv, lens, step(g), { heads, headWidth: width, causal: !biased }, bias);
          if (pass === 'backward') backward(g, y, bias ? [qkv, bias] : [qkv]);
        },
        data: () => ({ lens: () => length }),
      };
    },
  }),
  // `probabilities`: the attention weights, which the fused kernel does not store.
  'cross-attention': family({
    label: 'Cross-attention',
    group: 'attention',
    fields: {
      ...crossFields,
      pass: choice('Pass', 'forward', 'backward', 'probabilities'),
      dtype: storage,
    },
    make({ pass, ...sizes }) {
      const name = pass === 'probabilities' ? 'attention weights' : named('cross-attention', pass);
      return {
        name: `${name} ${crossName(sizes)}`,
        build(g) {
          const { q, kv, lens } = crossInputs(g, sizes);
          const attrs = { heads: sizes.heads, headWidth: sizes.width };
          if (pass === 'probabilities') return void attentionWeights(g, q, kv, lens, attrs);
          const y = crossAttention(g, q, kv, lens, step(g), attrs);
          if (pass === 'backward') backward(g, y, [q, kv]);
        },
        data: () => ({ lens: () => sizes.keys }),
      };
    },
  }),
  // The loss of word alignments on one head. Two keys of each query are linked.
  'guided alignment': family({
    label: 'Guided alignment',
    group: 'attention',
    fields: { ...crossFields, pass },
    make({ pass, ...sizes }) {
      const { batch, queries, keys, heads, width } = sizes;
      return {
        name: `${named('guided alignment', pass)} ${crossName(sizes)}`,
        build(g) {
          const given = crossInputs(g, sizes);
          const links = g.input('links', 'u32', [batch, queries, wordsOfLinks(keys)]);
          const attrs = { heads, headWidth: width, head: 0, weight: 0.5 };
          const loss = guidedAlignment(g, { ...given, links, step: step(g) }, attrs);
          if (pass === 'backward') gradients(g, loss, [given.q, given.kv]);
        },
        data: () => ({ lens: () => keys, links: () => 0b101 }),
        step: { tokenWeight: 1 },
      };
    },
  }),
  // T5's bias by distance, and the gradient of its table.
  'position bias': family({
    label: 'Relative position bias',
    group: 'attention',
    fields: { heads, pass },
    make: ({ heads, pass }) => ({
      name: `${named('relative position bias', pass)} of [32,${heads}]`,
      build(g) {
        const table = input(g, 'table', [32, heads]);
        const bias = relativePositionBias(g, table, { maxDistance: 128, bidirectional: true });
        if (pass === 'backward') backward(g, bias, [table]);
      },
    }),
  }),
};

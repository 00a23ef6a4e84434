// Kernel families of sublayers, or parts of them, that are one dispatch each (src/engine/ops/rows/).

import { alignedSize } from '../core/tensor.ts';
import { linearAddNormOp } from '../engine/ops/rows/linear-add-norm.ts';
import {
  rowCrossAttentionOp,
  rowFeedForwardOp,
  rowLogitsOp,
  rowSelfAttentionOp,
} from '../engine/ops/rows/row-sublayers.ts';
import { input, step } from './kernel-case.ts';
import { choice, family, heads, headWidth, rows, size, vocab } from './kernel-family.ts';

/** Families of sublayers. */
export const sublayerFamilies = {
  // Each adds up the shares of the sublayer before and normalizes the sum.
  'row sublayer': family({
    label: 'Sublayer of few rows',
    group: 'decoding',
    fields: {
      kind: choice('Sublayer', 'self-attention', 'cross-attention', 'feed-forward', 'logits'),
      rows: size('Rows', 1, 8),
      beams: size('Beams', 1, 8),
      length: size('Positions', 64, 8192, 2),
      heads,
      width: headWidth,
      hidden: size('Hidden units', 1024, 16384, 4),
      vocab,
    },
    make({ kind, rows, beams, length, heads, width, hidden, vocab }) {
      const D = heads * width;
      const W = alignedSize(D);
      const attrs = {
        biasAt: 0,
        gammaAt: W,
        betaAt: 2 * W,
        eps: 1e-5,
        ownAt: 3 * W,
        keeps: 'norm' as const,
        heads,
        headWidth: width,
        beams,
        inAt: 0,
        hidden,
        activation: 'relu' as const,
      };
      const own = { 'self-attention': 3 * D, 'cross-attention': D, 'feed-forward': hidden, logits: vocab }[
        kind
      ];
      const outAt = alignedSize(own * D);
      return {
        name: `row ${kind} [${rows},${D}] ${kind === 'logits' ? `${vocab} tokens` : `${heads} heads x ${width}`}`,
        build(g) {
          const inputs = {
            x: input(g, 'x', [rows, 1, D]),
            parts: input(g, 'parts', [heads, rows, D]),
            vectors: g.state('vectors', 'f32', [3 * W + alignedSize(own)]),
            matrices: g.state('matrices', 'f32', [outAt + (kind === 'logits' ? 0 : own * D)]),
          };
          if (kind === 'logits')
            return void g.apply(rowLogitsOp, inputs, {
              ...attrs,
              keeps: undefined,
              vocab,
              width: Math.ceil(vocab / 4) * 4,
            });
          if (kind === 'feed-forward') return void g.apply(rowFeedForwardOp, inputs, { ...attrs, outAt });
          if (kind === 'cross-attention') {
            const kv = g.state('kv', 'f32', [rows / beams, length, 2 * D]);
            const lens = g.input('lens', 'u32', [rows / beams]);
            return void g.apply(rowCrossAttentionOp, { ...inputs, kv, lens }, { ...attrs, outAt });
          }
          const cache = g.state('cache', 'f32', [rows, length, 2 * D]);
          const slots = g.input('slots', 'u32', [rows, length]);
          g.apply(rowSelfAttentionOp, { ...inputs, cache, slots, step: step(g) }, { ...attrs, outAt });
        },
        data: () => ({
          lens: () => length,
          slots: (i: number) => (Math.floor(i / length) % beams) * length + (i % length),
        }),
        step: { position: length / 2 - 1 },
      };
    },
  }), // The end of a sublayer of training: its last layer, the residual connection, the norm, and the next layer.
  'linear and norm': family({
    label: 'Linear layers around a norm',
    group: 'products',
    fields: {
      rows,
      inputs: size('Inputs', 256, 16384, 8),
      width: size('Width', 256, 768, 8),
      next: size('Next layer', 1024, 16384, 4),
      dropout: choice('Dropout', 'no', 'yes'),
    },
    make({ rows, inputs, width, next, dropout }) {
      const W = alignedSize(width);
      const nextAt = alignedSize(width * inputs);
      const rate = dropout === 'yes' ? 0.1 : 0;
      const attrs = {
        at: 0,
        biasAt: 0,
        gammaAt: W,
        betaAt: 2 * W,
        eps: 1e-5,
        rate,
        site: 0,
        nextColumns: next,
        nextAt,
        nextBiasAt: 3 * W,
        activation: 'relu' as const,
        nextRate: rate,
        nextSite: 1,
      };
      return {
        name: `linear and norm [${rows},${inputs}] -> ${width} -> ${next}${rate > 0 ? ', dropout' : ''}`,
        build(g) {
          const inputsOf = {
            x: input(g, 'x', [rows, inputs]),
            matrices: g.state('matrices', 'f32', [nextAt + next * width]),
            vectors: g.state('vectors', 'f32', [3 * W + next]),
            residual: input(g, 'residual', [rows, width]),
            step: rate > 0 ? step(g) : undefined,
          };
          g.apply(linearAddNormOp, inputsOf, attrs);
        },
      };
    },
  }),
};

// Embedding, its two gradients and positions on the GPU.

import { describe, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { type EmbeddingAttrs, embeddingOp } from '../../../../src/engine/ops/embedding/embedding.ts';
import {
  embeddingBackwardOp,
  positionBackwardOp,
} from '../../../../src/engine/ops/embedding/embedding-backward.ts';
import { itOnDawn } from '../../../support/gpu.ts';
import { checkInPlace } from '../../../support/in-place.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

const plain: EmbeddingAttrs = {
  scale: 1,
  positions: 'none',
  offset: 0,
  decode: false,
  rate: 0,
  site: 0,
};

/** Ids [B,T] below `vocabulary`, some often and most never, and the places of each. */
function batch(
  B: number,
  T: number,
  vocabulary: number,
  seed = 1,
): { ids: Tensor; rowStart: Tensor; occurrences: Tensor } {
  const r = random(seed);
  const ids = Array.from({ length: B * T }, () => r.int(r.int(3) ? Math.min(3, vocabulary) : vocabulary));
  const places = Array.from({ length: vocabulary }, (_, v) => ids.flatMap((id, i) => (id === v ? [i] : [])));
  let n = 0;
  const starts = [0, ...places.map((p) => (n += p.length))];
  return {
    ids: integers('i32', [B, T], ids),
    rowStart: integers('u32', [vocabulary + 1], starts),
    occurrences: integers('u32', [B * T], places.flat()),
  };
}

// A product and a sum: two roundings, 2^-23.
const tolerance = 2.4e-7;
// Sums of up to a few hundred terms in float32.
const gradTolerance = 2e-6;

describe('embedding', () => {
  const cases: [number, number, number, number][] = [
    [1, 1, 1, 1],
    [2, 3, 7, 5],
    [3, 129, 40, 31],
    [2, 8, 300, 257],
    [1, 2, 3, 4],
    [3, 129, 40, 36],
    [2, 33, 300, 260],
  ];
  for (const [B, T, V, D] of cases) {
    const { ids, rowStart, occurrences } = batch(B, T, V);
    const table = randomTensor([V, D], 2, 0.3);
    const positions = randomTensor([T + 5, D], 3);
    const index = { rowStart, occurrences };

    it(`looks up [${B},${T}] in [${V},${D}], and sums the gradient of each row`, async () => {
      await checkOp(embeddingOp, {
        inputs: { ids, table, ...index },
        attrs: { ...plain, scale: 16 },
        wrt: ['table'],
        tolerance,
        gradTolerance,
      });
    });

    it(`adds learned positions with an offset to [${B},${T},${D}]`, async () => {
      const attrs: EmbeddingAttrs = { ...plain, positions: 'learned', offset: 2 };
      await checkOp(embeddingOp, {
        inputs: { ids, table, positions, ...index },
        attrs,
        wrt: ['table', 'positions'],
        tolerance,
        gradTolerance,
      });
    });

    it(`applies one dropout mask to [${B},${T},${D}] and to both gradients`, async () => {
      const attrs: EmbeddingAttrs = { ...plain, scale: 2, positions: 'learned', rate: 0.3, site: 9 };
      const inputs = { ids, table, positions, step: 'step' as const, ...index };
      await checkOp(embeddingOp, { inputs, attrs, wrt: ['table', 'positions'], tolerance, gradTolerance });
    });

    it(`starts at step.position when decoding [${B},${T},${D}]`, async () => {
      const attrs: EmbeddingAttrs = { ...plain, positions: 'fixed', decode: true };
      await checkOp(embeddingOp, {
        inputs: { ids, table, positions, step: 'step' },
        attrs,
        step: { position: 4 },
        tolerance,
      });
    });
  }

  it('takes ids as u32 too', async () => {
    const ids = integers('u32', [1, 4], [3, 0, 2, 3]);
    await checkOp(embeddingOp, {
      inputs: { ids, table: randomTensor([4, 6], 1) },
      attrs: { ...plain },
      tolerance: 0,
    });
  });
});

describe('embedding_backward', () => {
  for (const rate of [0, 0.5])
    it(`adds to an existing gradient, dropout ${rate}`, async () => {
      const { rowStart, occurrences } = batch(3, 50, 90);
      const dy = randomTensor([3, 50, 33], 5);
      const base = randomTensor([90, 33], 6);
      const inputs = { dy, rowStart, occurrences, step: rate > 0 ? ('step' as const) : undefined, base };
      await checkOp(embeddingBackwardOp, {
        inputs,
        attrs: { scale: 3, rate, site: 2 },
        tolerance: gradTolerance,
      });
    });

  for (const D of [33, 36])
    it(`adds to a gradient of width ${D} in its own memory`, async () => {
      const { rowStart, occurrences } = batch(3, 50, 90);
      const inputs = {
        dy: randomTensor([3, 50, D], 5),
        rowStart,
        occurrences,
        base: randomTensor([90, D], 6),
      };
      const attrs = { scale: 3, rate: 0, site: 2 };
      await checkInPlace(embeddingBackwardOp, { inputs, attrs, tolerance: gradTolerance });
    });

  itOnDawn('covers a vocabulary past 65,535 rows', async () => {
    const V = 70_001;
    const starts = Array.from({ length: V + 1 }, (_, v) => (v === V ? 3 : v > 65_600 ? 2 : v > 0 ? 1 : 0));
    const inputs = {
      dy: randomTensor([1, 3, 257], 7),
      rowStart: integers('u32', [V + 1], starts),
      occurrences: integers('u32', [3], [2, 0, 1]),
    };
    await checkOp(embeddingBackwardOp, { inputs, attrs: { scale: 1, rate: 0, site: 0 }, tolerance });
  });
});

describe('position_backward', () => {
  it('leaves rows beyond the sequence at zero', async () => {
    const attrs = { rows: 11, offset: 2, rate: 0, site: 0 };
    await checkOp(positionBackwardOp, {
      inputs: { dy: randomTensor([7, 5, 13], 8) },
      attrs,
      tolerance: gradTolerance,
    });
  });
});

// The embedding on the CPU: gradients compared with finite differences, tables of sinusoids, errors.

import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { type EmbeddingAttrs, embeddingOp } from '../../../../src/engine/ops/embedding/embedding.ts';
import {
  embeddingBackwardOp,
  positionBackwardOp,
} from '../../../../src/engine/ops/embedding/embedding-backward.ts';
import { sinusoids } from '../../../../src/engine/ops/embedding/sinusoids.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, integers, randomTensor } from '../../../support/op.ts';

const ids = integers('i32', [2, 3], [4, 1, 4, 4, 0, 1]);
const rowStart = integers('u32', [7], [0, 1, 3, 3, 3, 6, 6]);
const occurrences = integers('u32', [6], [4, 1, 5, 0, 2, 3]);
const table = randomTensor([6, 5], 1);
const positions = randomTensor([8, 5], 2);
const attrs: EmbeddingAttrs = {
  scale: 3,
  positions: 'learned',
  offset: 2,
  decode: false,
  rate: 0,
  site: 1,
};

describe('gradients', () => {
  it('of both tables are right, with an offset and a scale', () => {
    checkGradient(embeddingOp, {
      inputs: { ids, table, positions, rowStart, occurrences },
      attrs,
      wrt: ['table', 'positions'],
    });
  });

  it('of both tables are right under dropout', () => {
    const inputs = { ids, table, positions, step: 'step' as const, rowStart, occurrences };
    checkGradient(embeddingOp, { inputs, attrs: { ...attrs, rate: 0.4 }, wrt: ['table', 'positions'] });
  });
});

describe('sinusoids', () => {
  it('interleave sines and cosines as in the paper', () => {
    const t = sinusoids(3, 4, 'interleaved');
    const want = [0, 1, 2].flatMap((p) => [Math.sin(p), Math.cos(p), Math.sin(p / 100), Math.cos(p / 100)]);
    expect(Array.from(t)).toEqual(Array.from(Float32Array.from(want)));
  });

  it('are sines, then cosines, as in Marian', () => {
    const t = sinusoids(3, 4, 'halves');
    const want = [0, 1, 2].flatMap((p) => [Math.sin(p), Math.sin(p / 100), Math.cos(p), Math.cos(p / 100)]);
    expect(Array.from(t)).toEqual(Array.from(Float32Array.from(want)));
  });

  it('of an odd width have one sine more', () => {
    const frequency = (pair: number) => 10000 ** ((-2 * pair) / 5);
    const [s0, s1, s2] = [0, 1, 2].map((i) => Math.sin(frequency(i)));
    const [c0, c1] = [0, 1].map((i) => Math.cos(frequency(i)));
    const close = (got: Float32Array, want: (number | undefined)[]) => {
      for (const [i, x] of want.entries()) expect(got[i]).toBeCloseTo(x ?? Number.NaN, 7);
    };
    close(sinusoids(2, 5, 'interleaved').slice(5), [s0, c0, s1, c1, s2]);
    close(sinusoids(2, 5, 'halves').slice(5), [s0, s1, s2, c0, c1]);
  });
});

describe('errors', () => {
  it('name the shapes that do not fit', () => {
    const shape =
      (inputs: Parameters<typeof embeddingOp.shape>[0], over: Partial<EmbeddingAttrs> = {}) =>
      () =>
        embeddingOp.shape(inputs, { ...attrs, ...over });
    expect(shape({ ids, table, positions: f32([4, 5], []) })).toThrow(
      errorAbout({ area: 'embedding', values: ['[2,3]', 5, 4] }),
    );
    expect(shape({ ids, table, positions: f32([8, 4], []) })).toThrow(
      errorAbout({ area: 'embedding', values: ['positions', 'f32', '[8,4]'] }),
    );
    expect(shape({ ids: f32([2, 3], []), table, positions })).toThrow(
      errorAbout({ area: 'embedding', values: ['f32'] }),
    );
    expect(shape({ ids, table }, { positions: 'none', rate: 0.1 })).toThrow(
      errorAbout({ area: 'embedding', values: ['step'] }),
    );
    expect(() => positionBackwardOp.shape({ dy: table }, { rows: 3, offset: 0, rate: 0, site: 0 })).toThrow(
      errorAbout({ area: 'position_backward', values: ['[6,5]'] }),
    );
    expect(() =>
      embeddingBackwardOp.shape(
        { dy: f32([2, 3, 5], []), rowStart, occurrences: integers('u32', [5], []) },
        {
          scale: 1,
          rate: 0,
          site: 0,
        },
      ),
    ).toThrow(errorAbout({ area: 'embedding_backward', values: ['occurrences', 'u32', '[5]'] }));
  });
});

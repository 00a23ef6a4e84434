// Buckets of the relative position bias, by the formula in whole numbers and by known values; its gradients;
// what does not fit.

import { describe, expect, it } from 'vitest';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { selfAttentionOp } from '../../../../src/engine/ops/attention/attention.ts';
import {
  bucketOf,
  relativeBuckets,
  relativePositionBias,
  relativePositionBiasOp,
} from '../../../../src/engine/ops/attention/relative-position-bias.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, integers, randomTensor } from '../../../support/op.ts';

const startsOf = (buckets: number, maxDistance: number, bidirectional: boolean) =>
  relativeBuckets(buckets, { maxDistance, bidirectional }).starts;

describe('the buckets', () => {
  it('begin at the distances of T5', () => {
    expect(startsOf(8, 20, true)).toEqual([0, 1, 2, 7]);
    expect(startsOf(8, 20, false)).toEqual([0, 1, 2, 3, 4, 6, 9, 14]);
    expect(startsOf(32, 128, true)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]);
    expect(startsOf(32, 128, false)).toEqual([
      ...Array.from({ length: 17 }, (_, i) => i),
      ...[19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113],
    ]);
  });

  it('are those of the formula for every distance, in whole numbers', () => {
    for (const [n, max] of [
      [2, 2],
      [3, 9],
      [5, 64],
      [16, 9],
      [17, 300],
      [128, 65535],
    ] as const) {
      const buckets = relativeBuckets(n, { maxDistance: max, bidirectional: false });
      const e = Math.floor(n / 2);
      for (const d of [0, 1, 2, 3, 7, 8, 9, 15, 16, 63, 64, 65, 299, 300, 301, 65535, 10 ** 6]) {
        let want = d;
        if (d >= e) {
          const reached = (k: number) =>
            BigInt(d) ** BigInt(n - e) * BigInt(e) ** BigInt(k) >=
            BigInt(max) ** BigInt(k) * BigInt(e) ** BigInt(n - e);
          let k = 0;
          while (k < n - e - 1 && reached(k + 1)) k++;
          want = e + k;
        }
        expect([d, bucketOf(buckets, -d)]).toEqual([d, want]);
      }
    }
  });

  it('of keys after the query are higher by half in an encoder, and bucket 0 in a decoder', () => {
    const encoder = relativeBuckets(8, { maxDistance: 20, bidirectional: true });
    expect([-100, -7, -6, -2, -1, 0, 1, 2, 6, 7, 100].map((d) => bucketOf(encoder, d))).toEqual([
      3, 3, 2, 2, 1, 0, 5, 6, 6, 7, 7,
    ]);
    const decoder = relativeBuckets(8, { maxDistance: 20, bidirectional: false });
    expect([-14, -13, 0, 1, 50].map((d) => bucketOf(decoder, d))).toEqual([7, 6, 0, 0, 0]);
  });

  it('are rejected if there are too few or too many, or the maximum distance leaves no logarithmic bucket', () => {
    const of = (buckets: number, maxDistance: number, bidirectional: boolean) => () =>
      relativeBuckets(buckets, { maxDistance, bidirectional });
    expect(of(1, 20, false)).toThrow(errorAbout({ area: 'relative_position_bias', values: [1, 2, 128] }));
    expect(of(3, 20, true)).toThrow(errorAbout({ area: 'relative_position_bias', values: [3, 4, 256] }));
    expect(of(-32, 128, true)).toThrow(errorAbout({ area: 'relative_position_bias', values: [-32] }));
    expect(of(129, 128, false)).toThrow(errorAbout({ area: 'relative_position_bias', values: [129, 2] }));
    expect(of(2.5, 128, false)).toThrow(errorAbout({ area: 'relative_position_bias', values: [2.5, 2] }));
    expect(of(32, 8, true)).toThrow(errorAbout({ area: 'relative_position_bias', values: [8, 9, 32] }));
    expect(of(32, 65536, true)).toThrow(errorAbout({ area: 'relative_position_bias', values: [65536] }));
    expect(of(32, Number.NaN, true)).toThrow(errorAbout({ area: 'relative_position_bias', values: [9, 32] }));
  });
});

describe('the gradient', () => {
  it('of the table is that of finite differences', () => {
    for (const bidirectional of [true, false])
      checkGradient(relativePositionBiasOp, {
        inputs: { table: randomTensor([9, 2], 1) },
        attrs: { maxDistance: 11, bidirectional },
        wrt: ['table'],
      });
  });

  it('of the bias is that of finite differences, with distances beyond it, lengths and dropout', () => {
    for (const causal of [false, true])
      checkGradient(selfAttentionOp, {
        inputs: {
          qkv: randomTensor([3, 6, 18], 1),
          lens: integers('u32', [3], [6, 4, 0]),
          step: 'step',
          bias: randomTensor([2, 5], 2),
        },
        attrs: { heads: 2, headWidth: 3, causal, dropout: 0.2, site: 1, scale: 1 },
        wrt: ['qkv', 'bias'],
      });
  });
});

it('rejects a bias of other heads, and a table that is not a matrix', () => {
  const g = new Graph();
  const qkv = g.input('qkv', 'f32', [2, 5, 18]);
  const [lens, step] = [g.input('lens', 'u32', [2]), g.input('step', 'u32', [8])];
  const attrs = { heads: 2, headWidth: 3, causal: false };
  const bias = g.input('bias', 'f32', [3, 5]);
  expect(() => g.apply(selfAttentionOp, { qkv, lens, step, bias }, attrs)).toThrow(
    errorAbout({ area: 'self_attention', values: [2, 'f32', '[3,5]'] }),
  );
  const even = g.input('even', 'f32', [2, 4]);
  expect(() => g.apply(selfAttentionOp, { qkv, lens, step, bias: even }, attrs)).toThrow(
    errorAbout({ area: 'self_attention', values: [2, 'f32', '[2,4]'] }),
  );
  const distances = { maxDistance: 20, bidirectional: true };
  expect(() => relativePositionBias(g, g.input('t', 'f32', [8]), distances)).toThrow(
    errorAbout({ area: 'relative_position_bias', values: ['[8]'] }),
  );
  expect(relativePositionBias(g, g.input('table', 'f32', [8, 2]), distances).shape).toEqual([2, 15]);
});

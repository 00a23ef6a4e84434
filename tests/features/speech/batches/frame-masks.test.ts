// SpecAugment: masks that depend only on seed, epoch and row.
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { createFrameMasks, type MaskOptions } from '../../../../src/features/speech/batches/frame-masks.ts';
import { FrameRows, framesOf } from '../../../../src/features/speech/batches/frame-rows.ts';
import type { EncodedCorpus } from '../../../../src/text/batches/encoded-corpus.ts';

const special = { pad: 0, start: 1, end: 2, unknown: 3 };
const r = random(1);
const rows = [20, 31].map((length) => ({
  data: Float32Array.from({ length: length * 8 }, () => 1 + r.uniform()),
  length: length + 5,
  fill: -1,
}));
const corpus: EncodedCorpus = {
  count: 2,
  source: { ids: new Uint16Array(), starts: Uint32Array.of(0, 25, 61) },
  sourceRows: new FrameRows(8, 2, rows),
  target: { ids: Uint16Array.of(4, 5, 6), starts: Uint32Array.of(0, 2, 3) },
  pairIndex: Uint32Array.of(0, 1),
  sourceSpecial: special,
  targetSpecial: special,
  tooLong: 0,
  truncated: 0,
  empty: 0,
  unknown: { source: 0, target: 0 },
  limits: { source: 100, target: 10 },
};
const options: MaskOptions = {
  maskTimeProb: 0.3,
  maskTimeLength: 3,
  maskFeatureProb: 0.25,
  maskFeatureLength: 2,
};
const masked = (given: MaskOptions, epoch: number, some: readonly number[], seed = 7) => {
  const masks = createFrameMasks({ width: 8, perPosition: 2 }, given, seed);
  return masks?.(corpus, Uint32Array.from(some), epoch);
};

it('masks nothing without rates', () => {
  expect(masked({ ...options, maskTimeProb: 0, maskFeatureProb: 0 }, 0, [0])).toBeUndefined();
});

it('sets whole frames or whole bands to zero and leaves the rest', () => {
  const { sourceRows, target, source } = masked(options, 0, [1, 0]) as EncodedCorpus;
  const frames = framesOf({ sourceRows });
  expect([...source.starts]).toEqual([0, 36, 61]);
  expect([...target.ids]).toEqual([6, 4, 5]);
  const [row] = frames?.rows ?? [];
  const data = row?.data ?? new Float32Array();
  const zero = (t: number, m: number) => data[t * 8 + m] === 0;
  const times = Array.from({ length: 31 }, (_, t) => Array.from({ length: 8 }, (_, m) => zero(t, m)));
  const wholeFrames = times.filter((frame) => frame.every(Boolean)).length;
  expect(wholeFrames).toBeGreaterThanOrEqual(3);
  expect(wholeFrames).toBeLessThanOrEqual(12);
  for (let t = 0; t < 31; t++)
    for (let m = 0; m < 8; m++) if (!zero(t, m)) expect(data[t * 8 + m]).toBe(rows[1]?.data[t * 8 + m]);
  expect(row).toMatchObject({ length: 36, fill: -1 });
});

it('depends on seed, epoch and row only', () => {
  const dataOf = (found: EncodedCorpus | undefined, i: number) => [
    ...(framesOf(found ?? {})?.rows[i]?.data ?? []),
  ];
  expect(dataOf(masked(options, 3, [0, 1]), 1)).toEqual(dataOf(masked(options, 3, [1]), 0));
  expect(dataOf(masked(options, 3, [1]), 0)).not.toEqual(dataOf(masked(options, 4, [1]), 0));
  expect(dataOf(masked(options, 3, [1]), 0)).not.toEqual(dataOf(masked(options, 3, [1], 8), 0));
});

// The scaling benchmark: its fits, and the limits that plans must keep at all sizes.

import { describe, expect, it } from 'vitest';
import {
  axes,
  dispatchTable,
  exponentOf,
  fitsOf,
  layerDispatches,
  limits,
  measureScale,
  scaleTable,
} from '../../../bench/scale/scale-bench.ts';
import { type AxisCosts, type Cost, scaleReport } from '../../../bench/scale/scale-report.ts';

describe('exponentOf', () => {
  it('is the exponent of a power law, or of its end if that is larger', () => {
    const power = (b: number) => [1, 2, 4, 8, 16].map((x) => [x, 3 * x ** b] as const);
    for (const b of [0, 1, 2]) expect(exponentOf(power(b), true)).toBeCloseTo(b, 10);
    const late = [1, 2, 4, 8, 16].map((x) => [x, 100 + x ** 2] as const);
    expect(exponentOf(late, false)).toBeLessThan(0.5);
    expect(exponentOf(late, true)).toBeGreaterThan(exponentOf(late, false));
    expect(exponentOf(power(1).slice(0, 2), true)).toBeNaN();
  });
});

describe('limits', () => {
  const points = (cost: (value: number) => Partial<Cost>): AxisCosts => ({
    axis: 'length',
    run: 'training',
    points: [32, 64, 128, 256].map((value) => ({
      value,
      cost: { memory: 1, dispatches: 1, attentionFlops: 1, otherFlops: 1, ...cost(value) },
    })),
  });

  it('fail for memory quadratic in length, and pass for linear memory', () => {
    const failed = (cost: (value: number) => Partial<Cost>) =>
      fitsOf([points(cost)]).flatMap((f) => (f.passed ? [] : [f.cost]));
    expect(failed((n) => ({ memory: n ** 2 }))).toEqual(['memory']);
    expect(failed((n) => ({ memory: 1000 + n, dispatches: n ** 0.2, jsMs: 1 }))).toEqual(['dispatches']);
    expect(failed((n) => ({ attentionFlops: n ** 2, otherFlops: n, stepMs: n ** 2 }))).toEqual([]);
    expect(failed((n) => ({ otherFlops: n ** 2, jsMs: n ** 0.3 }))).toEqual(['otherFlops', 'jsMs']);
  });

  it('hold for the plans of all sizes, up to a length of 4,096 and a vocabulary of 256,000', {
    timeout: 120_000,
  }, async () => {
    expect([axes.length.at(-1), axes.vocabulary.at(-1)]).toEqual([4096, 256_000]);
    const { all } = await measureScale(axes, { runs: 0, seconds: 0, onPoint: () => {} });
    const fits = fitsOf(all);
    expect(fits.filter((f) => !f.passed)).toEqual([]);
    const held = fits.filter((f) => f.limit !== undefined).map((f) => `${f.run} ${f.axis} ${f.cost}`);
    for (const run of ['training', 'decoding'])
      for (const { cost, axes: some } of limits.filter((b) => !b.cost.endsWith('Ms')))
        for (const axis of some) expect(held).toContain(`${run} ${axis} ${cost}`);
    const table = scaleTable(all, fits);
    expect(table).toMatch(/^\| training \| length \| 4096 \| [\d.]+ GiB \| \d+ \|.* not measured \|$/m);
    const page = scaleReport('title', all, fits);
    expect(page).toContain('training, exponent 0.');
    expect(page.match(/class="plot"/g)?.length).toBe(2 * Object.keys(axes).length);
  });
});

it('times JavaScript on the null backend', { timeout: 60_000 }, async () => {
  const few = { length: [32], batch: [], vocabulary: [], layers: [], width: [64] };
  const { all } = await measureScale(few, { runs: 2, seconds: 0, onPoint: () => {} });
  for (const { points } of all) for (const { cost } of points) expect(cost.jsMs).toBeGreaterThan(0);
});

describe('dispatches of a layer', () => {
  it('are listed, and few for a token of one row', () => {
    const lines = layerDispatches();
    const few = lines.at(-1);
    expect(few?.dispatches).toBeLessThanOrEqual(20);
    expect(few?.perLayer).toBeLessThanOrEqual(8);
    const step = lines.find(({ run }) => run === 'training, 32 rows, launch-bound');
    expect(step?.dispatches).toBeLessThanOrEqual(110);
    expect(dispatchTable(lines)).toContain('| token, 1 row, launch-bound | 13 | 3 |');
  });
});

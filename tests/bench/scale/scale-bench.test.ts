// The scaling benchmark: the limits that plans must keep at all sizes, and its tables.

import { describe, expect, it } from 'vitest';
import { axes, layerDispatches, measureScale } from '../../../bench/scale/scale-bench.ts';
import { fitsOf, limits } from '../../../bench/scale/scale-fits.ts';
import { scaleReport } from '../../../bench/scale/scale-report.ts';
import { dispatchTable, scaleTable } from '../../../bench/scale/scale-tables.ts';

describe('limits', () => {
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

it('times JavaScript on the null backend', async () => {
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

// Writing into the cache of keys and values on the GPU.

import { describe, it } from 'vitest';
import { cacheRowsOp, kvWriteOp } from '../../src/ops/kv-write.ts';
import { checkOp, integers, randomTensor } from '../support/op.ts';

describe('kv_write', () => {
  const cases: [number, number, number, number[]][] = [
    // L, n, C, rows
    [1, 1, 1, [0]],
    [17, 1, 65, [16, 0, 5]],
    [130, 1, 256, [129, 64]],
    [9, 4, 7, [3, 5]],
  ];
  for (const [L, n, C, rows] of cases)
    it(`writes ${n} rows at ${rows} of [${rows.length},${L},${C}] and leaves the others`, async () => {
      const B = rows.length;
      const inputs = [randomTensor([B, L, C], 1), randomTensor([B, n, C], 2), integers('u32', [B], rows)];
      await checkOp(kvWriteOp, { inputs, attrs: { column: 0 }, tolerance: 0 });
    });

  it('keeps the columns it is asked for', async () => {
    const inputs = [randomTensor([2, 4, 6], 1), randomTensor([2, 1, 9], 2), integers('u32', [2], [2, 2])];
    await checkOp(kvWriteOp, { inputs, attrs: { column: 3 }, tolerance: 0 });
  });

  it('drops rows past the end', async () => {
    const inputs = [randomTensor([2, 5, 8], 1), randomTensor([2, 3, 8], 2)];
    for (const row of [3, 5, 1_000_000])
      await checkOp(kvWriteOp, {
        inputs: [...inputs, integers('u32', [2], [row, 0])],
        attrs: { column: 0 },
        tolerance: 0,
      });
  });
});

describe('cache_rows', () => {
  const [tokens, used] = [integers('i32', [4, 1], [5, 0, 7, 0]), integers('u32', [4], [3, 3, 0, 130])];

  it('gives each token the next row, and none to padding', async () => {
    const inputs = [tokens, used, 'step' as const];
    await checkOp(cacheRowsOp, { inputs, attrs: { padId: 0 }, step: { position: 5 }, tolerance: 0 });
  });

  it('starts anew at position 0, where padding counts', async () => {
    const inputs = [tokens, used, 'step' as const];
    await checkOp(cacheRowsOp, { inputs, attrs: { padId: 0 }, step: { position: 0 }, tolerance: 0 });
  });

  it('reaches past one workgroup', async () => {
    const ids = Array.from({ length: 65 }, (_, i) => i % 3);
    const inputs = [integers('i32', [65, 1], ids), integers('u32', [65], ids), 'step' as const];
    await checkOp(cacheRowsOp, { inputs, attrs: { padId: 2 }, step: { position: 9 }, tolerance: 0 });
  });
});

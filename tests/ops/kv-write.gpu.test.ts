// Writing into the cache of keys and values on the GPU.

import { describe, it } from 'vitest';
import { kvWriteOp } from '../../src/ops/kv-write.ts';
import { checkOp, randomTensor } from '../support/op.ts';

describe('kv_write', () => {
  const cases: [number, number, number, number, number][] = [
    // B, L, n, C, position
    [1, 1, 1, 1, 0],
    [3, 17, 1, 65, 16],
    [2, 130, 1, 256, 129],
    [2, 9, 4, 7, 3],
  ];
  for (const [B, L, n, C, position] of cases)
    it(`writes ${n} rows at ${position} of [${B},${L},${C}] and leaves the others`, async () => {
      const inputs = [randomTensor([B, L, C], 1), randomTensor([B, n, C], 2), 'step' as const];
      await checkOp(kvWriteOp, { inputs, attrs: { column: 0 }, step: { position }, tolerance: 0 });
    });

  it('keeps the columns it is asked for', async () => {
    const inputs = [randomTensor([2, 4, 6], 1), randomTensor([2, 1, 9], 2), 'step' as const];
    await checkOp(kvWriteOp, { inputs, attrs: { column: 3 }, step: { position: 2 }, tolerance: 0 });
  });

  it('drops rows past the end', async () => {
    const inputs = [randomTensor([2, 5, 8], 1), randomTensor([2, 3, 8], 2), 'step' as const];
    for (const position of [3, 5, 1_000_000])
      await checkOp(kvWriteOp, { inputs, attrs: { column: 0 }, step: { position }, tolerance: 0 });
  });
});

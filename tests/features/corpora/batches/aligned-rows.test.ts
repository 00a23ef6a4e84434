// Links of rows as the bits of a batch.
import { expect, it } from 'vitest';
import { AlignedRows } from '../../../../src/features/corpora/batches/aligned-rows.ts';

it('writes a bit for each link, and none for links beyond the batch and rows without links', () => {
  const rows = new AlignedRows(4);
  rows.set(
    [1, 3],
    [
      [0, 0],
      [33, 1],
      [31, 1],
      [40, 1], // beyond the source
      [0, 2], // beyond the target
    ],
  );
  rows.set([2], [[2, 1]]);
  const bits = new Uint32Array(3 * 2 * 2).fill(7);
  rows.fill(bits, { batch: 3, source: 40, target: 2 }, Uint32Array.of(3, 0));
  expect([...bits]).toEqual([1, 0, 2 ** 31, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  rows.fill(bits, { batch: 3, source: 40, target: 2 }, Uint32Array.of(0, 2, 1));
  expect([...bits]).toEqual([0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 2 ** 31, 2]);
  expect(rows.links).toBe(6);
});

it('keeps many links', () => {
  const rows = new AlignedRows(1000);
  for (let row = 0; row < 1000; row++) rows.set([row], [[row % 32, 0]]);
  const bits = new Uint32Array(1);
  for (const row of [0, 500, 999]) {
    rows.fill(bits, { batch: 1, source: 32, target: 1 }, Uint32Array.of(row));
    expect(bits[0]).toBe(2 ** (row % 32));
  }
});

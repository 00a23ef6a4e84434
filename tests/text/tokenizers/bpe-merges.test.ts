// Applies BPE merges, compared with a direct implementation.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyMerges, pairOf } from '../../../src/text/tokenizers/bpe-merges.ts';

/** Merges one pair at a time, found by looking at all of them: the definition. */
function naive(ids: number[], table: Map<number, { rank: number; id: number }>): number[] {
  for (;;) {
    let best: { rank: number; id: number } | undefined;
    let at = -1;
    for (let i = 0; i + 1 < ids.length; i++) {
      const merge = table.get(pairOf(ids[i] as number, ids[i + 1] as number));
      if (merge && (!best || merge.rank < best.rank)) [best, at] = [merge, i];
    }
    if (!best) return ids;
    ids = [...ids.slice(0, at), best.id, ...ids.slice(at + 2)];
  }
}

it('applies merges as a direct implementation does, for any table and any ids', () => {
  const id = fc.nat({ max: 6 });
  fc.assert(
    fc.property(
      fc.array(id, { maxLength: 24 }),
      fc.array(fc.tuple(id, id, id), { maxLength: 20 }),
      (ids, merges) => {
        const table = new Map(merges.map(([a, b, to], rank) => [pairOf(a, b), { rank, id: to }]));
        // Each merge makes the ids one fewer, so even a table that runs in circles ends.
        expect(applyMerges(ids, table)).toEqual(naive(ids, table));
      },
    ),
    { numRuns: 500 },
  );
});

it('keeps pairs of large ids apart', () => {
  expect(pairOf(1, 0)).not.toBe(pairOf(0, 2 ** 21 - 1));
  expect(pairOf(2 ** 21 - 1, 2 ** 21 - 1)).toBeLessThan(Number.MAX_SAFE_INTEGER);
});

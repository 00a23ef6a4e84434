// The index of the tokens of a batch.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fillTokenIndex } from '../../../src/text/batches/token-index.ts';
import { tokenIndex } from '../../support/batches.ts';
import { errorAbout } from '../../support/expect-error.ts';

it('lists the positions of each token in order, padding included', () => {
  const { rowStart, positions } = tokenIndex([2, 0, 2, 1, 0, 0], 4);
  expect([...rowStart]).toEqual([0, 3, 4, 6, 6]);
  expect([...positions]).toEqual([1, 4, 5, 3, 0, 2]);
});

it.each([10, 1000])(
  'lists each position of %i tokens once, in order, for any previous contents of the arrays',
  (vocab) => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: vocab - 1 })), (ids) => {
        const rowStart = new Uint32Array(vocab + 1).fill(77);
        const occurrences = new Uint32Array(ids.length).fill(77);
        fillTokenIndex(rowStart, occurrences, ids);
        expect(rowStart[0]).toBe(0);
        expect(rowStart[vocab]).toBe(ids.length);
        for (let v = 0; v < vocab; v++) {
          const places = [...occurrences.subarray(rowStart[v], rowStart[v + 1])];
          expect(places).toEqual(ids.flatMap((id, i) => (id === v ? [i] : [])));
        }
      }),
    );
  },
);

it('omits the places of no token', () => {
  for (const vocab of [4, 400]) {
    const rowStart = new Uint32Array(vocab + 1);
    const occurrences = new Uint32Array(5);
    fillTokenIndex(rowStart, occurrences, [-1, 3, 1, -1, 3]);
    expect([rowStart[1], rowStart[2], rowStart[vocab]]).toEqual([0, 1, 3]);
    expect([...occurrences.subarray(0, 3)]).toEqual([2, 1, 4]);
  }
});

it('rejects ids out of range', () => {
  for (const id of [4, -2])
    expect(() => tokenIndex([0, id], 4)).toThrow(errorAbout({ area: 'embedding', values: [4, 1] }));
  expect(() => tokenIndex([4], 4)).toThrow(errorAbout({ area: 'embedding', values: [4, 0] }));
  expect(() => tokenIndex([0, 400], 400)).toThrow(errorAbout({ area: 'embedding', values: [400, 1] }));
});

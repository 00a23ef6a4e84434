// Lengths of the rows of a batch.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fillLengths } from '../../../src/text/batches/row-lengths.ts';
import { errorAbout } from '../../support/expect-error.ts';

const lengthsOf = (rows: number[][], padId = 0, vocab = 10): number[] => {
  const lengths = new Uint32Array(rows.length);
  fillLengths(lengths, Int32Array.from(rows.flat()), rows[0]?.length ?? 0, padId, vocab, 'source');
  return Array.from(lengths);
};

it('counts the tokens before the padding', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(7), { minLength: 1 }), fc.nat(9), (wanted, padId) => {
      const token = padId === 5 ? 6 : 5;
      const rows = wanted.map((n) => Array.from({ length: 7 }, (_, t) => (t < n ? token : padId)));
      expect(lengthsOf(rows, padId)).toEqual(wanted);
    }),
  );
});

it('rejects padding inside a row, and names row and position', () => {
  expect(() =>
    lengthsOf([
      [1, 2, 0],
      [1, 0, 2],
    ]),
  ).toThrow(errorAbout({ area: 'source', values: [1, 0, 3] }));
});

it('rejects an id out of range, in padding too', () => {
  for (const id of [-1, 10, 2 ** 31 - 1])
    expect(() =>
      lengthsOf([
        [1, 2, 3],
        [4, id, 5],
      ]),
    ).toThrow(errorAbout({ area: 'source', values: [id, 1, 10] }));
  expect(() => lengthsOf([[1, 12, 12]], 12)).toThrow(errorAbout({ area: 'source', values: [12, 0, 1] }));
});

it('counts the places of no token as padding if the padding is none', () => {
  expect(
    lengthsOf(
      [
        [1, 0, -1],
        [0, -1, -1],
      ],
      -1,
    ),
  ).toEqual([2, 1]);
});

it('counts a start token that is padding itself', () => {
  const lengths = new Uint32Array(3);
  const rows = [0, 4, 5, 0, 0, 7, 0, 0, 0, 0, 0, 0];
  fillLengths(lengths, Int32Array.from(rows), 4, 0, 10, 'target', true);
  expect(Array.from(lengths)).toEqual([3, 2, 1]);
  const inside = Int32Array.from([0, 4, 0, 5]);
  expect(() => fillLengths(lengths.subarray(0, 1), inside, 4, 0, 10, 'target', true)).toThrow(
    errorAbout({ area: 'target', values: [0, 2] }),
  );
});

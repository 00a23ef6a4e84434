// The inputs of a batch: token positions and lengths.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import { fillLengths, fillTokenIndex } from '../../../src/text/batches/batch-inputs.ts';
import { tokenIndex } from '../../support/batches.ts';

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

it('rejects ids out of range', () => {
  for (const id of [4, -1])
    expect(() => tokenIndex([0, id], 4)).toThrow(
      `token id ${id} at 1 is out of range, the vocabulary has 4 tokens`,
    );
  expect(() => tokenIndex([4], 4)).toThrow(HeddleError);
  expect(() => tokenIndex([0, 400], 400)).toThrow(
    'token id 400 at 1 is out of range, the vocabulary has 400 tokens',
  );
});

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
  ).toThrow(
    new HeddleError('source: row 1 has padding (id 0) at 1, before its end at 3; pad at the end only'),
  );
});

it('rejects an id out of range, in padding too', () => {
  for (const id of [-1, 10, 2 ** 31 - 1])
    expect(() =>
      lengthsOf([
        [1, 2, 3],
        [4, id, 5],
      ]),
    ).toThrow(
      new HeddleError(`source: token id ${id} in row 1 at 1 is out of range, the vocabulary has 10 tokens`),
    );
  expect(() => lengthsOf([[1, 12, 12]], 12)).toThrow('token id 12 in row 0 at 1 is out of range');
});

it('counts a start token that is padding itself', () => {
  const lengths = new Uint32Array(3);
  const rows = [0, 4, 5, 0, 0, 7, 0, 0, 0, 0, 0, 0];
  fillLengths(lengths, Int32Array.from(rows), 4, 0, 10, 'target', true);
  expect(Array.from(lengths)).toEqual([3, 2, 1]);
  const inside = Int32Array.from([0, 4, 0, 5]);
  expect(() => fillLengths(lengths.subarray(0, 1), inside, 4, 0, 10, 'target', true)).toThrow(
    'padding (id 0) at 2',
  );
});

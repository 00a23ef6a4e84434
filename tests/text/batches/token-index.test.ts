import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import { fillTokenIndex } from '../../../src/text/batches/token-index.ts';
import { tokenIndex } from '../../support/batches.ts';

it('lists the places of each token in order, padding among them', () => {
  const { rowStart, positions } = tokenIndex([2, 0, 2, 1, 0, 0], 4);
  expect([...rowStart]).toEqual([0, 3, 4, 6, 6]);
  expect([...positions]).toEqual([1, 4, 5, 3, 0, 2]);
});

it('holds each place once, under its own token, in order, whatever was in the arrays before', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 })), (ids) => {
      const rowStart = new Uint32Array(11).fill(77);
      const occurrences = new Uint32Array(ids.length).fill(77);
      fillTokenIndex(rowStart, occurrences, ids);
      expect(rowStart[0]).toBe(0);
      for (let v = 0; v < 10; v++) {
        const places = [...occurrences.subarray(rowStart[v], rowStart[v + 1])];
        expect(places).toEqual(ids.flatMap((id, i) => (id === v ? [i] : [])));
      }
    }),
  );
});

it('refuses ids out of range', () => {
  for (const id of [4, -1])
    expect(() => tokenIndex([0, id], 4)).toThrow(`token id ${id} at 1 is out of range, the vocabulary has 4 tokens`);
  expect(() => tokenIndex([4], 4)).toThrow(HeddleError);
});

// Counts of the hot loop of a kernel.

import { expect, it } from 'vitest';
import { Listing, shareOf } from '../../../bench/isa/listing.ts';

/** A product: an outer loop of two multiply-adds around an inner one of three, of which one access is a spill. */
function nested(structured: boolean): Listing {
  const listing = new Listing({ structured });
  listing.add({ kind: 'alu', text: 'start' });
  listing.label('outer');
  listing.add({ kind: 'fma', text: 'outer fma', weight: 2 });
  listing.label('inner');
  for (const text of ['a', 'b', 'c']) listing.add({ kind: 'fma', text });
  listing.add({ kind: 'mem', text: 'spill', spill: true });
  listing.add({ kind: 'alu', text: 'add' });
  listing.add({ kind: 'other', text: 'back to inner', target: 'inner' });
  listing.add({ kind: 'mem', text: 'load' });
  listing.add({ kind: 'other', text: 'back to outer', target: 'outer' });
  listing.add({ kind: 'other', text: 'end', always: true });
  return listing;
}

it.each([true, false])('counts the innermost loop and the one around it (structured: %s)', (structured) => {
  const { looped, loop, round, assembly } = nested(structured).hotLoop();
  expect(looped).toBe(true);
  expect(loop).toEqual({ instructions: 6, fma: 3, alu: 1, mem: 1, matrix: 0, spill: 1 });
  expect(round).toEqual({ instructions: 3 + 8 * 6, fma: 2 + 8 * 3, alu: 8, mem: 1 + 8, matrix: 0, spill: 8 });
  expect(shareOf(loop)).toBe(0.75);
  expect(assembly).toEqual(['a', 'b', 'c', 'spill', 'add', 'back to inner']);
});

it('counts the kernel if there is no loop', () => {
  const listing = new Listing();
  listing.add({ kind: 'fma', text: 'fma' });
  listing.add({ kind: 'other', text: 'end', always: true });
  const { looped, loop } = listing.hotLoop();
  expect(looped).toBe(false);
  expect(loop).toMatchObject({ instructions: 2, fma: 1 });
});

it('takes no branch forward for a loop', () => {
  const listing = new Listing();
  listing.add({ kind: 'other', text: 'skip', target: 2 });
  listing.add({ kind: 'fma', text: 'fma' });
  listing.add({ kind: 'other', text: 'end', always: true });
  expect(listing.hotLoop().looped).toBe(false);
});

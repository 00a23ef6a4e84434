// Slots: intervals that overlap in time never share memory, and the peak is close to its lower bound.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { align, assignSlots, type Group, maxAlive } from '../../../src/engine/plan/lifetimes.ts';

const groups = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 1 << 20 }), start: fc.nat(60), length: fc.nat(30) }),
  { maxLength: 60 },
);
const make = (list: { size: number; start: number; length: number }[]): Group[] =>
  list.map(({ size, start, length }) => ({ bytes: align(size), start, end: start + length }));

it('separates groups in use at the same time, in slots that are large enough', () => {
  fc.assert(
    fc.property(groups, (list) => {
      const all = make(list);
      const slots = assignSlots(all);
      for (const [i, a] of all.entries()) {
        const slot = slots.slotOf.get(a)!;
        expect(slots.bytes[slot]).toBeGreaterThanOrEqual(a.bytes);
        for (const b of all.slice(i + 1))
          if (a.start <= b.end && b.start <= a.end) expect(slots.slotOf.get(b)).not.toBe(slot);
      }
    }),
  );
});

it('needs at least the maximum in use at once', () => {
  fc.assert(
    fc.property(groups, (list) => {
      const all = make(list);
      const needed = maxAlive(all, 100);
      const brute = Math.max(
        0,
        ...Array.from({ length: 100 }, (_, t) =>
          all.filter((g) => g.start <= t && t <= g.end).reduce((n, g) => n + g.bytes, 0),
        ),
      );
      expect(needed).toBe(brute);
      expect(assignSlots(all).bytes.reduce((n, b) => n + b, 0)).toBeGreaterThanOrEqual(needed);
    }),
  );
});

it('gives two groups that meet at one node separate slots', () => {
  const touching = make([
    { size: 256, start: 0, length: 3 },
    { size: 256, start: 3, length: 2 },
    { size: 256, start: 6, length: 0 },
  ]);
  expect(assignSlots(touching).bytes).toEqual([256, 256]);
});

it('needs no more than is in use if all sizes are equal', () => {
  fc.assert(
    fc.property(groups, (list) => {
      const all = make(list.map((g) => ({ ...g, size: 1024 })));
      // Not for every order of intervals, but sorted by start as here the greedy choice is an optimal
      // colouring.
      expect(assignSlots(all).bytes.length * 1024).toBe(maxAlive(all, 100));
    }),
  );
});

// The priority queue of BPE.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHeap } from '../../../src/text/tokenizers/binary-heap.ts';

it('pops numbers in order, with any pushes and pops in between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer())), (steps) => {
      const heap = createHeap<number>((a, b) => a < b);
      const list: number[] = [];
      for (const step of steps) {
        if (step === null) expect(heap.pop()).toBe(list.shift());
        else {
          heap.push(step);
          list.push(step);
          list.sort((a, b) => a - b);
        }
      }
    }),
  );
});

// The example of docs/inspection.md: copying in a model that reverses words.

import { expect, it } from 'vitest';
import { lookInside, trainReverse } from '../../docs/examples/look-inside.ts';
import { gpuDevice } from '../support/gpu.ts';

it('finds the letters that cross-attention copies, and the heads that copy them', async () => {
  using model = await trainReverse({ device: await gpuDevice() });
  const { reversed, hidden, patched, heads, loss } = await lookInside(model, 'abcdefg', 'tuvwxyz');
  expect(reversed).toBe('gfedcba');
  for (const [key, rise] of hidden.entries()) expect(rise.indexOf(Math.max(...rise))).toBe(6 - key);
  // With a letter's memory from another word, the result has the letter of that word at its place.
  const swapped = [...'abcdefg'].map((_, i) => {
    const letters = [...'gfedcba'];
    letters[6 - i] = 'tuvwxyz'[i]!;
    return letters.join('');
  });
  expect(patched.filter((word, i) => word === swapped[i]).length).toBeGreaterThanOrEqual(5);
  expect(heads[0]!.loss).toBeGreaterThan(2 * loss);
  expect(heads[0]!.part).toMatch(/cross/);
});

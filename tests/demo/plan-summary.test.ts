// What the page adds to the planned memory, which no page can compare with what the card has.
import { expect, it } from 'vitest';
import { memoryHint } from '../../demo/train/page/plan-summary.ts';

it('warns of plans above 4 GiB, and of no others', () => {
  expect(memoryHint(4 * 2 ** 30)).toBe('');
  expect(memoryHint(4 * 2 ** 30 + 1)).toMatch(/has 4\.0 GiB free: .* A smaller batch takes less\./);
});

// Hint about large plans.
import { expect, it } from 'vitest';
import { memoryHint } from '../../demo/train/page/plan-summary.ts';

it('warns about plans above 4 GiB only', () => {
  expect(memoryHint(4 * 2 ** 30)).toBe('');
  expect(memoryHint(4 * 2 ** 30 + 1)).toMatch(/If 4\.0 GiB are not free, .*a smaller batch takes less\./);
});

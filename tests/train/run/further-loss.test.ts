// The loss that a run adds: only with guided alignment.
import { expect, it } from 'vitest';
import { furtherLoss } from '../../../src/train/run/further-loss.ts';

it('is guided alignment, if the settings name a file', async () => {
  expect(await furtherLoss({})).toBeUndefined();
  expect(await furtherLoss({ guidedAlignment: 'align' })).toBeTypeOf('function');
});

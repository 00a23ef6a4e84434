// The stored losses of the conformance check.
import { expect, it } from 'vitest';
import { storedLosses, trainReference } from '../../src/bench/conformance-check.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { testSession } from '../support/session.ts';

it('the stored losses are those of the CPU backend', async () => {
  const session = testSession({
    device: 'cpu',
    files: memoryFiles(),
  });
  const losses = await trainReference(session);
  await session.close();
  expect(losses).toHaveLength(20);
  for (const [i, loss] of losses.entries()) expect(storedLosses[i]).toBeCloseTo(loss, 7);
});

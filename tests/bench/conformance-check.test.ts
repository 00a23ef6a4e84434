// The stored losses of the conformance check.
import { expect, it } from 'vitest';
import { storedLosses, trainReference } from '../../src/bench/conformance-check.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { createContext } from '../../src/session/job-context.ts';

it('the stored losses are those of the CPU backend', async () => {
  const { context, close } = createContext({
    host: 'cpu',
    files: memoryFiles(),
    emit: () => undefined,
    signal: new AbortController().signal,
    openGpu: async () => undefined,
  });
  const losses = await trainReference(context);
  await close();
  expect(losses).toHaveLength(20);
  for (const [i, loss] of losses.entries()) expect(storedLosses[i]).toBeCloseTo(loss, 7);
}, 60_000);

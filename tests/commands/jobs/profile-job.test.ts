// The model FLOPs utilization of a profile, over a peak that is measured once per adapter.

import { expect, it } from 'vitest';
import { profile } from '../../../src/commands/jobs/profile-job.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { dawnGpu } from '../../../src/host/dawn.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import { testSession } from '../../support/session.ts';

it('computes the MFU as FLOPs of the products over time over the peak, which later runs read from the store', async () => {
  const files = memoryFiles();
  const run = async () => {
    const events: JobEvent[] = [];
    const session = testSession({
      files,
      onEvent: (event) => void events.push(event),
      gpu: () => dawnGpu(),
      tune: true,
    });
    const shape = { batch: 4, source: 8, target: 8 };
    const result = await profile(
      { preset: 'tiny', run: 'training', model: {}, vocab: 100, shape, runs: 1 },
      session,
    );
    await session.close();
    const measured = events.some(
      (e) => e.type === 'progress' && e.text.includes('peak rate of multiply-adds'),
    );
    return { ...result, measured };
  };
  const [first, second] = [await run(), await run()];
  expect([first.measured, second.measured]).toEqual([true, false]);
  expect(first.peakGflops).toBeGreaterThan(0.1);
  expect(second.peakGflops).toBe(first.peakGflops);
  for (const { mfu, modelFlops, ms, peakGflops } of [first, second])
    expect(mfu).toBeCloseTo(modelFlops / (ms / 1000) / (peakGflops * 1e9), 10);
});

// 20 updates on the GPU of each host but Chrome, where they take a minute: the stored losses, and the same
// ones after a lost device.

import { expect, it } from 'vitest';
import { storedLosses, trainReference } from '../../src/bench/conformance-check.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { everyCase, gpuHost, testGpu } from '../support/gpu.ts';
import { testSession } from '../support/session.ts';

if (gpuHost !== 'Chrome' || everyCase)
  it('trains with the stored losses, and with the same bits after the device is lost', async () => {
    const session = testSession({
      name: gpuHost,
      files: memoryFiles(),
      gpu: testGpu,
    });
    const losses = await trainReference(session);
    expect(losses).toHaveLength(20);
    for (const [i, loss] of losses.entries())
      expect(Math.abs(loss / (storedLosses[i] as number) - 1)).toBeLessThan(1e-5);
    expect(await trainReference(session, 12)).toEqual(losses);
    await session.close();
  });

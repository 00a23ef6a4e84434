// 20 updates on the GPU of each host but Chrome, where they take a minute: the stored losses, and the same
// ones after a lost device.

import { expect, it } from 'vitest';
import { storedLosses, trainReference } from '../../src/bench/conformance-check.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { createContext } from '../../src/session/job-context.ts';
import { everyCase, gpuHost, testGpu } from '../support/gpu.ts';

if (gpuHost !== 'Chrome' || everyCase)
  it('trains with the stored losses, and with the same bits after the device is lost', async () => {
    const { context, close } = createContext({
      host: gpuHost,
      files: memoryFiles(),
      emit: () => undefined,
      signal: new AbortController().signal,
      openGpu: testGpu,
    });
    const losses = await trainReference(context);
    expect(losses).toHaveLength(20);
    for (const [i, loss] of losses.entries())
      expect(Math.abs(loss / (storedLosses[i] as number) - 1)).toBeLessThan(1e-5);
    expect(await trainReference(context, 12)).toEqual(losses);
    await close();
  }, 120_000);

// Runs before each test file with a GPU: errors that WebGPU reports during a test fail it, and each test fails if the
// engine does not choose kernels as on the adapter that HEDDLE_ADAPTER names.
import { beforeAll, expect } from 'vitest';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { type KnownAdapter, knownAdapters } from '../../src/engine/gpu/known-adapters.ts';
import { gpuDevice, watchTests } from './gpu.ts';

const adapter = import.meta.env.HEDDLE_ADAPTER as KnownAdapter | '' | undefined;
if (adapter)
  beforeAll(async () => {
    const { vendor, software } = wrapDevice(await gpuDevice()).traits;
    expect({ vendor, software }).toEqual({ vendor: knownAdapters[adapter].vendor, software: false });
  });
watchTests();

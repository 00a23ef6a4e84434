// Which kernels heddle chooses for GPUs that are not here.

import { afterEach, expect, it, vi } from 'vitest';
import { assumedAdapter, knownAdapterNames, traitsAs } from '../../../src/engine/gpu/known-adapters.ts';
import { type DeviceTraits, defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { errorAbout } from '../../support/expect-error.ts';

afterEach(() => vi.unstubAllEnvs());

/** A CPU adapter with subgroups of 8 lanes, as lavapipe. */
const software: DeviceTraits = {
  ...defaultTraits,
  f16: true,
  subgroups: true,
  minSubgroup: 8,
  maxWorkgroupBytes: 32768,
  software: true,
};

it.each(knownAdapterNames)('%s: a GPU that asks for no more than the device has', (name) => {
  const traits = traitsAs(name, software);
  expect(traits.software).toBe(false);
  expect(traits.minSubgroup).toBeLessThanOrEqual(software.minSubgroup);
  expect(traits.maxWorkgroupBytes).toBeLessThanOrEqual(software.maxWorkgroupBytes);
  expect(traitsAs(name, defaultTraits)).toMatchObject({ f16: false, subgroups: false, minSubgroup: 0 });
});

it('reads the name from the environment', () => {
  vi.stubEnv('HEDDLE_ADAPTER', '');
  expect(assumedAdapter()).toBeUndefined();
  vi.stubEnv('HEDDLE_ADAPTER', 'tgl');
  expect(assumedAdapter()).toBe('tgl');
});

it('names the adapters if there is none of a name', () => {
  vi.stubEnv('HEDDLE_ADAPTER', 'rtx');
  expect(assumedAdapter).toThrow(
    errorAbout({ kind: 'not-found', area: 'HEDDLE_ADAPTER', values: ['rtx', 'tgl', 'mali-a867'] }),
  );
});

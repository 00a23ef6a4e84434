// Which compiled GPUs the kernel lab shows beside a measured one.

import { expect, it } from 'vitest';
import summaries from '../../bench/results/compilers/kernels.json' with { type: 'json' };
import { relativesOf } from '../../demo/lab/compiled-relatives.ts';

it('are those of the same vendor', () => {
  const vendors = new Set(Object.values(summaries).map(({ vendor }) => vendor));
  expect(vendors.size).toBeGreaterThan(1);
  const adapters = {
    intel: 'intel xe-2lpg',
    nvidia: 'nvidia ampere',
    apple: 'apple metal-3',
    adreno: 'qualcomm adreno-7xx',
    mali: 'arm valhall',
    amd: 'amd rdna-3',
  };
  for (const [vendor, adapter] of Object.entries(adapters)) {
    const found = relativesOf(adapter);
    expect(found.every((one) => one.vendor === vendor)).toBe(true);
    expect(found.length > 0).toBe(vendors.has(vendor));
  }
  expect(relativesOf('google swiftshader')).toEqual([]);
});

it('have shares of the peak', () => {
  for (const { products, attention, hot, spilling } of relativesOf('intel')) {
    for (const share of [...(products ?? []), ...(attention ?? [])]) expect(share).toBeGreaterThan(0.3);
    expect(spilling).toBeLessThanOrEqual(hot);
  }
});

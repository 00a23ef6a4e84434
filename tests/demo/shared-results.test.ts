// Results in a URL: they round-trip, and a damaged link is rejected with a reason.
import { expect, it } from 'vitest';
import { fromHash, toHash } from '../../demo/lab/shared-results.ts';
import type { BenchRun } from '../../src/bench/bench-file.ts';
import { kernelCases } from '../../src/bench/kernel-cases.ts';
import type { Roofs } from '../../src/engine/gpu/roofs.ts';
import { errorAbout } from '../support/expect-error.ts';

const roof = (spread: number) => ({ before: [], after: [], spread });
const run: BenchRun = {
  heddle: '0.1.0',
  when: '2026-11-25T12:00:00.000Z',
  adapter: 'acme x1 Acme X1 ☂',
  roofs: { bandwidth: { rate: 12.34 }, peak: { rate: 567.8 } } as Roofs,
  roofSpread: { bandwidth: roof(0.0123), peak: roof(0.0456), busy: false },
  kernels: kernelCases.map(({ name, group }, i) => ({
    name,
    group,
    op: 'x',
    flops: 2 * 256 ** 3 + i,
    bytes: 4096 * i,
    speed: 0.98,
    variants: [
      { variant: 'tile-4', error: 2e-7, passed: true, ms: 1.2345678 + i, low: 1.1 + i, high: 1.3 + i },
      { variant: 'naive', error: 1e-7, passed: true, ms: 9 + i, low: 9 + i, high: 9 + i },
    ],
  })),
};

it('encodes the adapter, the roofs and the fastest variant of each kernel in an address of a few kB', async () => {
  const hash = await toHash(run);
  expect(hash.length).toBeLessThan(6000);
  expect(hash).toMatch(/^#results=[\w-]+$/);
  const shared = await fromHash(hash);
  expect(shared).toMatchObject({ heddle: '0.1.0', when: run.when, adapter: run.adapter });
  expect(shared?.roofs?.peak.rate).toBe(567.8);
  expect(shared?.roofSpread?.peak.spread).toBe(0.0456);
  expect(shared?.kernels.map(({ name, group, flops }) => [name, group, flops])).toEqual(
    run.kernels.map(({ name, group, flops }) => [name, group, flops]),
  );
  expect(shared?.kernels[3]?.variants).toEqual([
    { variant: 'tile-4', error: 2e-7, passed: true, ms: 4.235, low: 4.1, high: 4.3 },
  ]);
});

it('returns nothing without results, and throws if they are damaged or of another version', async () => {
  expect(await fromHash('')).toBeUndefined();
  expect(await fromHash('#kernels')).toBeUndefined();
  const hash = await toHash(run);
  const damaged = errorAbout({
    template: 'The results in the address cannot be read: the link is incomplete. Copy it again.',
  });
  await expect(fromHash(hash.slice(0, -20))).rejects.toThrow(damaged);
  await expect(fromHash('#results=%%%')).rejects.toThrow(damaged);
});

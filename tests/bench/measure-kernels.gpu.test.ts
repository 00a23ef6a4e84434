// Measuring kernels on a device: progress events and results.
import { expect, it } from 'vitest';
import { measurePrepared } from '../../src/bench/check-kernel.ts';
import { conformanceKernelCases, smallKernelCases } from '../../src/bench/kernel-cases.ts';
import { kernelOf } from '../../src/bench/kernel-families.ts';
import { prepareLargeKernel } from '../../src/bench/large-kernel.ts';
import { measure } from '../../src/bench/measure-kernels.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { everyCase, gpuDevice } from '../support/gpu.ts';

it('checks every variant of a kernel, then times it, and reports progress', async () => {
  const device = wrapDevice(await gpuDevice());
  const heard: string[] = [];
  const options = { set: 'small', filter: 'add', roofs: false, span: 2, rounds: 3 } as const;
  const { kernels, roofs } = await measure(device, options, {
    signal: new AbortController().signal,
    onProgress: (done, total, next) => heard.push(`${done}/${total} ${next}`),
    onKernel: ({ name }) => heard.push(name),
  });
  expect(heard).toEqual(['0/1 add [64,64]', 'add [64,64]']);
  expect(roofs).toBeUndefined();
  const [{ flops, bytes, variants, group }] = kernels as [(typeof kernels)[number]];
  expect([flops, bytes, group]).toEqual([64 * 64, 3 * 4 * 64 * 64, 'elements']);
  expect(variants.map((v) => v.variant).sort()).toEqual(['per-1', 'per-16']);
  for (const { error, passed } of variants) expect([error, passed]).toEqual([0, true]);
  const best = variants[0] as (typeof variants)[number];
  expect(best.rounds).toBe(3);
  expect(best.low).toBeLessThanOrEqual(best.ms as number);
});

it('stops between kernels if it is aborted', async () => {
  const device = wrapDevice(await gpuDevice());
  const stop = new AbortController();
  const measured = measure(
    device,
    { set: 'small', filter: 'norm', roofs: false, span: 1, rounds: 1 },
    { signal: stop.signal, onProgress() {}, onKernel: () => stop.abort(new Error('enough')) },
  );
  await expect(measured).rejects.toThrow(new Error('enough'));
});

/** Limits so low that every kernel is compared with the naive kernel, not with a float64 reference. */
const limits = { full: { flops: 0, bytes: 0 }, small: { flops: 1e5, bytes: 1e5 } } as const;
const large = [
  kernelOf({ family: 'matmul', values: { M: 96, K: 80, N: 72 } }),
  ...(everyCase
    ? conformanceKernelCases.filter(({ needs, spec }) => !needs && spec)
    : smallKernelCases.filter(({ name }) => /^(AdamW|layer norm backward)/.test(name))),
];

it.each(large)(
  'compares a kernel that is too large for float64 with the naive one: $name',
  async (kernel) => {
    const device = wrapDevice(await gpuDevice());
    const prepared = await prepareLargeKernel(device, kernel, limits);
    expect(prepared.comparedWith?.kernel).toBeTruthy();
    const { comparedWith, variants } = await measurePrepared(device, prepared, { span: 0, rounds: 1 });
    expect(comparedWith).toEqual(prepared.comparedWith);
    for (const { variant, error, passed } of variants)
      expect([variant, passed, error < 1e-4]).toEqual([variant, true, true]);
  },
);

it('checks the naive kernel at smaller sizes', async () => {
  const device = wrapDevice(await gpuDevice());
  const { comparedWith } = await prepareLargeKernel(device, large[0] as (typeof large)[number], limits);
  expect(comparedWith).toEqual({ variant: 'naive', kernel: 'matmul [24,40]x[40,36]' });
});

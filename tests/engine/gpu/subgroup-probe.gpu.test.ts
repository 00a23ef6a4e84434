// The probe of subgroups: passes where kernels with subgroups are right, drops them where lanes are in
// another order.

import { expect, it } from 'vitest';
import { openDevice, probedDevice, wrapDevice } from '../../../src/engine/gpu/device.ts';
import { assumedAdapter } from '../../../src/engine/gpu/known-adapters.ts';
import { pipelinesOf } from '../../../src/engine/gpu/pipelines.ts';
import { probeKernel, probeSubgroupRows, probeSubgroups } from '../../../src/engine/gpu/subgroup-probe.ts';
import { attentionVariants } from '../../../src/engine/ops/attention/attention-launch.ts';
import type { DeviceTraits } from '../../../src/engine/ops/device-traits.ts';
import { productKernels } from '../../../src/engine/ops/matmul/matmul-kernels.ts';
import { gpuDevice, testGpu } from '../../support/gpu.ts';

const features = ['subgroups', 'subgroup-size-control'] as GPUFeatureName[];

/** A device whose compiler changes the probe. */
async function deviceWith(change: (code: string) => string): Promise<GPUDevice> {
  const adapter = (await (await testGpu()).requestAdapter())!;
  const requiredFeatures = features.filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures });
  const create = device.createShaderModule.bind(device);
  const createShaderModule = (d: GPUShaderModuleDescriptor) => create({ ...d, code: change(d.code) });
  return Object.defineProperty(device, 'createShaderModule', { value: createShaderModule });
}

const variantsOf = ({ traits }: { traits: DeviceTraits }) =>
  [
    ...productKernels({ form: 'NN', m: 64, n: 64, k: 64 }, [], traits),
    ...attentionVariants(traits, 8),
  ].filter(({ family }) => family === 'subgroups');

/** Whether the adapter, or the one that it is taken for, has subgroups. */
const usesSubgroups = async () =>
  (await gpuDevice()).features.has('subgroups') && assumedAdapter() !== 'unnamed';

/** Number of kernels with subgroups that CPU adapters are offered; a GPU, or an adapter that is taken for one, has none. */
const offeredTo = ({ software, minSubgroup }: DeviceTraits) => (software && minSubgroup >= 4 ? 2 : 0);

it('passes on this adapter, and asks for subgroups of the size of a workgroup if it can', async () => {
  const device = await gpuDevice();
  const { traits } = wrapDevice(device);
  expect(await probeSubgroups(device, traits.minSubgroup)).toBe('');
  expect(await probeSubgroupRows(device, traits.subgroupSize)).toBe('');
  const opened = await openDevice(await testGpu());
  expect(opened.droppedSubgroups).toBeUndefined();
  expect(variantsOf(opened)).toHaveLength(offeredTo(traits));
  opened.destroy();
});

it.for<[string, (code: string) => string]>([
  [
    'lanes are in another order',
    (code: string) => code.replace('lane == thread', 'lane + thread == LANES - 1u'),
  ],
  [
    'a workgroup is several subgroups',
    (code: string) => code.replace('size >= LANES', 'size > 2u * LANES + 99u'),
  ],
  ['a lane has the number of another one', (code: string) => code.replace('first + 3u', 'first + 2u')],
])('drops the kernels with subgroups if %s (needs subgroups)', async ([_, change], { skip }) => {
  skip(!(await usesSubgroups()));
  const device = await deviceWith(change);
  const { traits } = wrapDevice(device);
  expect(traits.subgroups).toBe(true);
  expect(variantsOf({ traits })).toHaveLength(offeredTo(traits));
  const dropped = await probedDevice(device);
  expect(dropped.traits).toMatchObject({ subgroups: false, minSubgroup: 0 });
  expect(dropped.droppedSubgroups).toMatch(/^a workgroup of [48] threads is not one subgroup/);
  expect(variantsOf(dropped)).toEqual([]);
  dropped.check();
  dropped.destroy();
});

it('sees subgroups that are not threads next to each other (needs subgroups)', async ({ skip }) => {
  const { subgroupSize } = wrapDevice(await gpuDevice()).traits;
  skip(subgroupSize < 4);
  for (const [from, to] of [
    ['subgroupMin(own) == first', 'subgroupMin(own) == first + 1u'],
    ['f32(thread % LANES + 1u)', 'f32(thread % LANES)'],
  ] as const) {
    const device = await deviceWith((code) => code.replace(from, to));
    expect(await probeSubgroupRows(device, subgroupSize)).toMatch(/^a subgroup is not \d+ threads next/);
    device.destroy();
  }
});

it('drops them if the probe does not compile (needs subgroups)', async ({ skip }) => {
  skip(!(await usesSubgroups()));
  const dropped = await probedDevice(
    await deviceWith((code) => code.replace('subgroupBroadcast', 'nothing')),
  );
  expect(dropped.traits.subgroups).toBe(false);
  expect(dropped.droppedSubgroups).toMatch(/^the probe did not run: shader probe-subgroups\.probe/);
  dropped.destroy();
});

it('asks for subgroups of as many lanes as a workgroup has threads (needs subgroups of 4)', async ({
  skip,
}) => {
  const codes: string[] = [];
  const device = await deviceWith((code) => {
    codes.push(code);
    return code;
  });
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = device.adapterInfo ?? {}; // a shape may have no info
  skip(!device.features.has('subgroups') || subgroupMinSize < 4);
  const kernel = probeKernel(subgroupMinSize);
  const { LANES: lanes = 0 } = kernel.constants;
  await pipelinesOf(device).get(kernel);
  const canAsk =
    device.features.has('subgroup-size-control') && lanes >= subgroupMinSize && lanes <= subgroupMaxSize;
  expect(codes.map((code) => code.includes(`@workgroup_size(LANES) @subgroup_size(${lanes})`))).toEqual([
    canAsk,
  ]);
  device.destroy();
});

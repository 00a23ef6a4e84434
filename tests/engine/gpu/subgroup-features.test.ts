// Which subgroup matrices of a device kernels can use, as described by its adapter.

import { describe, expect, it } from 'vitest';
import {
  adapterInfoOf,
  explicitSubgroupSizes,
  matrixConfigsOf,
  matrixFeature,
  type SubgroupDevice,
} from '../../../src/engine/gpu/subgroup-features.ts';

const sums = { resultComponentType: 'f32', M: 16, N: 16, K: 16 };

/** A device with features and configurations; subgroups of `sizes`. */
function deviceWith(
  features: readonly string[],
  [min, max]: readonly [number, number],
  explicit = {},
): SubgroupDevice {
  const subgroupMatrixConfigs = [
    { componentType: 'f16', ...sums },
    { componentType: 'f16', ...sums, resultComponentType: 'f16' },
    { componentType: 'u8', ...sums, resultComponentType: 'u32' },
    { componentType: 'f32', ...sums, M: 8, N: 8, K: 8 },
  ];
  const adapterInfo = { subgroupMinSize: min, subgroupMaxSize: max, subgroupMatrixConfigs, ...explicit };
  return { features: new Set(features), adapterInfo } as unknown as SubgroupDevice;
}

const all = ['subgroups', 'subgroup-size-control', matrixFeature];

describe('matrixConfigsOf', () => {
  it('has the configurations with operands of f16 or f32 and sums of f32', () => {
    expect(matrixConfigsOf(deviceWith(all, [32, 64]))).toEqual([
      { operands: 'f16', m: 16, n: 16, k: 16, lanes: 32 },
      { operands: 'f32', m: 8, n: 8, k: 8, lanes: 32 },
    ]);
  });

  it.each([
    [[8, 16], {}, [16]],
    [[64, 128], {}, [64]],
    [[4, 128], { minExplicitComputeSubgroupSize: 64, maxExplicitComputeSubgroupSize: 128 }, [64]],
  ] as const)('asks for the subgroup size nearest to 32 of %j with %j', (sizes, explicit, lanes) => {
    expect([...new Set(matrixConfigsOf(deviceWith(all, sizes, explicit)).map((c) => c.lanes))]).toEqual(
      lanes,
    );
  });

  it('has none without the feature, or if the size of a subgroup is not known', () => {
    expect(matrixConfigsOf(deviceWith(['subgroups', 'subgroup-size-control'], [32, 32]))).toEqual([]);
    const unsized = ['subgroups', matrixFeature];
    expect(matrixConfigsOf(deviceWith(unsized, [32, 64]))).toEqual([]);
    expect(matrixConfigsOf(deviceWith(unsized, [32, 32]))).toHaveLength(2);
    expect(explicitSubgroupSizes(deviceWith(unsized, [32, 32]))).toBeUndefined();
  });
});

describe('adapterInfoOf', () => {
  const names = { vendor: 'amd', architecture: 'rdna-3', device: '', description: 'RX' };
  const deviceInfo = { ...names, subgroupMatrixConfigs: [] };
  const adapterInfo = { ...names, subgroupMatrixConfigs: [{ componentType: 'f16', ...sums }] };
  const gpuWith = (info: object) => async () =>
    ({ requestAdapter: async () => ({ info }) }) as unknown as GPU;
  const infoOf = (features: readonly string[], own: object, openGpu: () => Promise<GPU | undefined>) =>
    adapterInfoOf({ features: new Set(features), adapterInfo: own } as unknown as SubgroupDevice, openGpu);

  it('asks an adapter of the same names for the matrices that the info of the device lacks', async () => {
    expect(await infoOf(all, deviceInfo, gpuWith(adapterInfo))).toBe(adapterInfo);
    expect(await infoOf(all, deviceInfo, gpuWith({ ...adapterInfo, device: 'another' }))).toBe(deviceInfo);
    expect(await infoOf(all, deviceInfo, async () => undefined)).toBe(deviceInfo);
  });

  it('keeps the info of a device that has the matrices, or not the feature', async () => {
    const reject = () => Promise.reject(new Error('asked'));
    expect(await infoOf(all, adapterInfo, reject)).toBe(adapterInfo);
    expect(await infoOf(['subgroups'], deviceInfo, reject)).toBe(deviceInfo);
  });
});

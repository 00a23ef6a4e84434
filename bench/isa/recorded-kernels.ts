// The pipelines of a run without any device, so that an emulated process need not plan models: it takes minutes there.

import { requestedLimits } from '../../src/engine/gpu/device.ts';
import { type KnownAdapter, knownAdapters } from '../../src/engine/gpu/known-adapters.ts';

/** A pipeline to compile. */
export interface RecordedKernel {
  /** Index of its WGSL in `RecordedKernels.modules`. */
  readonly module: number;
  readonly entry: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly name: string;
  readonly from: string;
}

/** Pipelines in the order of a run. */
export interface RecordedKernels {
  readonly modules: readonly string[];
  readonly kernels: readonly RecordedKernel[];
}

/** A GPU whose devices only pass on what is compiled. It has the features and limits of a known adapter. */
export function recordingGpu(name: KnownAdapter): GPU {
  const flags = { GPUBufferUsage: {}, GPUShaderStage: { COMPUTE: 4 }, GPUMapMode: {} };
  Object.assign(globalThis, flags);
  const { vendor, f16, minSubgroup, minRequestedSubgroup, subgroupSize, maxWorkgroupBytes } =
    knownAdapters[name];
  const features = new Set([
    ...(minSubgroup > 0 ? ['subgroups'] : []),
    ...(minRequestedSubgroup > 0 ? ['subgroup-size-control'] : []),
    ...(f16 ? ['shader-f16'] : []),
  ]);
  const info = {
    vendor,
    subgroupMinSize: minSubgroup,
    minExplicitComputeSubgroupSize: minRequestedSubgroup,
    // The largest size that heddle requests.
    maxExplicitComputeSubgroupSize: subgroupSize,
    isFallbackAdapter: false,
  };
  const limits = {
    ...Object.fromEntries(requestedLimits.map((limit) => [limit, 2 ** 31 - 4])),
    maxComputeWorkgroupStorageSize: maxWorkgroupBytes,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
  };
  const device = {
    features,
    limits,
    adapterInfo: info,
    lost: new Promise(() => undefined),
    addEventListener: () => undefined,
    pushErrorScope: () => undefined,
    popErrorScope: async () => null,
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({}),
    createComputePipeline: () => ({}),
    createComputePipelineAsync: async () => ({}),
    createBuffer: () => ({ destroy: () => undefined }),
  };
  const adapter = { features, limits, info, requestDevice: async () => device };
  return { requestAdapter: async () => adapter } as unknown as GPU;
}

// The features and limits of a GPU adapter that kernels depend on, as plain data.

/** A product of matrices that the threads of a subgroup compute in hardware: [m,k]·[k,n], sums in f32. */
export interface MatrixConfig {
  /** Type of the operands. */
  readonly operands: 'f16' | 'f32';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Threads of a subgroup. */
  readonly lanes: number;
}

/** Features and limits of the GPU adapter that kernels depend on. */
export interface DeviceTraits {
  /** Largest storage binding in bytes. */
  readonly maxBindingBytes: number;
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** The adapter's minimum subgroup size, 0 without subgroups. */
  readonly minSubgroup: number;
  /** Products of subgroup matrices; empty if the adapter has none. */
  readonly matrices: readonly MatrixConfig[];
  /** Workgroup memory in bytes. */
  readonly maxWorkgroupBytes: number;
  readonly maxInvocations: number;
  /** The adapter is a CPU (WebGPU's isFallbackAdapter). */
  readonly software: boolean;
  /** Vendor of the GPU as WebGPU names it: `intel`, `apple`, ...; `''` if it is unknown, as in Firefox. */
  readonly vendor: string;
  /** Smallest subgroup that a kernel can request (`subgroup-size-control`); 0 if it cannot request any. */
  readonly minRequestedSubgroup: number;
  /**
   * Threads of every subgroup of a kernel that requests this size, and of all others if the size is fixed; 0 if the
   * size of subgroups is not known before a kernel runs.
   */
  readonly subgroupSize: number;
}

/** WebGPU's guaranteed limits, without optional features. */
export const defaultTraits: DeviceTraits = {
  maxBindingBytes: 128 * 2 ** 20,
  f16: false,
  subgroups: false,
  minSubgroup: 0,
  matrices: [],
  maxWorkgroupBytes: 16384,
  maxInvocations: 256,
  software: false,
  vendor: '',
  minRequestedSubgroup: 0,
  subgroupSize: 0,
};

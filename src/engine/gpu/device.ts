// Opens a WebGPU device, in a browser or with Dawn in Node, with all limits of its adapter, and describes it.

import { HeddleError } from '../../core/errors.ts';
import { type AdapterInfo, hostOf } from '../../core/host-name.ts';
import { msg } from '../../core/message.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';
import { assumedAdapter, traitsAs } from './known-adapters.ts';
import {
  deviceInfo,
  explicitSubgroupSizes,
  knownSubgroupSize,
  matrixConfigsOf,
  matrixFeature,
} from './subgroup-features.ts';
import { probeSubgroupRows, probeSubgroups } from './subgroup-probe.ts';
import type { SubmissionLimits, Submissions } from './submission-pace.ts';
import { SubmissionPace } from './submission-pace.ts';
import { lowLimit, noAdapter, noWebGpu, refused } from './webgpu-errors.ts';

/** A GPU device, and the features and limits that kernels can use. */
export interface Device {
  readonly gpu: GPUDevice;
  readonly traits: DeviceTraits;
  readonly adapter: AdapterInfo;
  /** How much work a submission may have. */
  readonly submissions: Submissions;
  /** Why kernels do not use the subgroups of the device; absent if they use them, or if there are none. */
  readonly droppedSubgroups?: string;
  /** Throws a HeddleError if the device was lost or has reported an uncaptured error. */
  check(): void;
  /**
   * Resolves to the reason if the device is lost within `timeout` milliseconds (default 300), else undefined.
   */
  lost(timeout?: number): Promise<string | undefined>;
  /** Destroys the device; its sessions and buffers can no longer be used. */
  destroy(): void;
  /** `destroy` at the end of a block: `using device = await openDevice()`. */
  [Symbol.dispose](): void;
}

/** Settings of `openDevice`. */
export interface DeviceOptions {
  /** Required limits by their WebGPU names. `openDevice` throws if the adapter has less. */
  readonly require?: Readonly<Record<string, number>>;
  readonly powerPreference?: GPUPowerPreference;
  /**
   * Limits of submissions; 0 milliseconds: none. [100 ms on adapters of phones that reset the GPU after long
   * submissions, else none]
   */
  readonly submissions?: SubmissionLimits;
}

/** Limits that `openDevice` requests as large as the adapter has them. All others are the guaranteed ones. */
export const requestedLimits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;
/** TypeScript 7 does not know all of these names. */
const requestedFeatures = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  matrixFeature,
] as readonly GPUFeatureName[];

/** Opens a device; see checked-calls.ts. */
export async function openDevice(gpu: GPU | undefined, options: DeviceOptions = {}): Promise<Device> {
  if (!gpu) throw noWebGpu();
  const refuse = async (error: unknown): Promise<never> => {
    throw refused(error);
  };
  const { powerPreference = 'high-performance' } = options;
  const adapter = await gpu.requestAdapter({ powerPreference }).catch(refuse);
  if (!adapter) throw noAdapter();
  const limits = adapter.limits as unknown as Readonly<Record<string, number | undefined>>;
  const required: Record<string, number> = { ...options.require };
  for (const [name, needed] of Object.entries(required)) {
    const has = limits[name] ?? 0;
    if (has < needed) throw lowLimit(name, has, needed);
  }
  for (const name of requestedLimits) {
    const limit = limits[name];
    if (limit !== undefined) required[name] = limit;
  }
  return probedDevice(
    await adapter
      .requestDevice({
        label: 'heddle',
        requiredFeatures: requestedFeatures.filter((f) => adapter.features.has(f)),
        requiredLimits: required,
      })
      .catch(refuse),
    adapter.info,
    options.submissions,
  );
}

/** Names of phones and tablets in a user agent, and of their GPUs: Adreno, Mali, PowerVR, Xclipse. */
const phones = /iphone|ipad|android|qualcomm|adreno|\barm\b|\bmali\b|img-tec|powervr|samsung|xclipse/i;

/**
 * Whether the driver of an adapter is known, or must be expected, to reset the GPU after a long submission (a
 * watchdog): those of phones and tablets. An iPad names itself a Mac, but has a touch screen. See
 * docs/devices.md.
 */
export function hasWatchdog({ vendor, architecture, description }: AdapterInfo): boolean {
  const { userAgent = '', maxTouchPoints = 0 } = globalThis.navigator ?? {};
  const isTouchMac = userAgent.includes('Macintosh') && maxTouchPoints > 1;
  return isTouchMac || phones.test(`${vendor} ${architecture} ${description} ${userAgent}`);
}

/**
 * `wrapDevice` with limits of submissions, without subgroups if their probe fails
 * (src/engine/gpu/subgroup-probe.ts).
 */
export async function probedDevice(
  gpu: GPUDevice,
  info?: Partial<GPUAdapterInfo>,
  limits?: SubmissionLimits,
): Promise<Device> {
  const device = wrapDevice(gpu, info);
  if (limits ? limits.maxMs !== 0 : hasWatchdog(device.adapter))
    device.submissions.pace ??= new SubmissionPace(limits);
  const droppedSubgroups = await probeSubgroups(gpu, device.traits.minSubgroup);
  if (droppedSubgroups === '') return withKnownSubgroups(device);
  return {
    ...device,
    droppedSubgroups,
    traits: { ...device.traits, subgroups: false, minSubgroup: 0, subgroupSize: 0 },
  };
}

/** A device without a known size of subgroups if they are not as kernels that add up by them assume. */
async function withKnownSubgroups(device: Device): Promise<Device> {
  const { gpu, traits } = device;
  // No kernel of a CPU adapter adds up by subgroups.
  if (traits.software || (await probeSubgroupRows(gpu, traits.subgroupSize)) === '') return device;
  return { ...device, traits: { ...traits, subgroupSize: 0 } };
}

/** What has happened to a device. All wrappers of the device share it. */
interface DeviceHistory {
  /** Browsers may leave out fields, or all of them. */
  info: Partial<GPUAdapterInfo>;
  /** Arguments of the error that makes the device unusable: its loss, or the first uncaptured error. */
  failure?: ConstructorParameters<typeof HeddleError>;
  /** Whether it was destroyed on purpose: its loss is then not a failure. */
  closing: boolean;
  /** Resolves to the reason of the loss; to undefined if it was destroyed on purpose. */
  readonly lost: Promise<string | undefined>;
  readonly submissions: Submissions;
}

const histories = new WeakMap<GPUDevice, DeviceHistory>();

function historyOf(device: GPUDevice, given: Partial<GPUAdapterInfo> | undefined): DeviceHistory {
  const known = histories.get(device);
  if (known) {
    if (given) known.info = given;
    return known;
  }
  const history: DeviceHistory = {
    info: given ?? deviceInfo(device) ?? {},
    submissions: {},
    closing: false,
    lost: device.lost.then(({ reason, message }) => {
      if (history.closing) return undefined;
      const text = [reason, message].filter((s) => s && s !== 'unknown').join(': ') || 'no reason given';
      history.failure ??= [msg`The GPU device was lost (${text})`, { kind: 'device' }];
      return text;
    }),
  };
  device.addEventListener('uncapturederror', ({ error }) => {
    const kind = error.constructor.name === 'GPUOutOfMemoryError' ? 'memory' : 'device';
    history.failure ??= [msg`WebGPU error: ${error.message}`, { kind }];
  });
  histories.set(device, history);
  return history;
}

/** Wraps a GPUDevice that the caller has requested; see checked-calls.ts. */
export function wrapDevice(device: GPUDevice, info?: Partial<GPUAdapterInfo>): Device {
  const history = historyOf(device, info);
  const {
    vendor = '',
    architecture = '',
    device: model = '',
    description = '',
    isFallbackAdapter = false,
    subgroupMinSize,
  } = history.info;
  const { name, version } = hostOf();
  const traits: DeviceTraits = {
    maxBindingBytes: device.limits.maxStorageBufferBindingSize,
    f16: device.features.has('shader-f16'),
    subgroups: device.features.has('subgroups'),
    minSubgroup: device.features.has('subgroups') ? (subgroupMinSize ?? 0) : 0,
    matrices: matrixConfigsOf({ features: device.features, adapterInfo: history.info }),
    maxWorkgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
    maxInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    software: isFallbackAdapter,
    vendor: vendor.toLowerCase(),
    minRequestedSubgroup: explicitSubgroupSizes(device)?.min ?? 0,
    subgroupSize: knownSubgroupSize({ features: device.features, adapterInfo: history.info }),
  };
  const assumed = assumedAdapter();
  const isNamed = [vendor, architecture, model, description].some((text) => text !== '');
  return {
    gpu: device,
    submissions: history.submissions,
    // Firefox does not name the adapter, so it gets the name of the browser.
    adapter: {
      vendor,
      architecture,
      device: model,
      description: isNamed ? description : `${name} ${version}`,
    },
    traits: assumed ? traitsAs(assumed, traits) : traits,
    check() {
      if (history.failure) throw new HeddleError(...history.failure);
    },
    lost: (timeout = 300) =>
      Promise.race([
        history.lost,
        new Promise<undefined>((resolve) => setTimeout(resolve, timeout, undefined)),
      ]),
    destroy() {
      history.closing = true;
      device.destroy();
    },
    [Symbol.dispose]() {
      this.destroy();
    },
  };
}

/** Describes whether kernels use the subgroups of a device. */
export const subgroupUse = ({ droppedSubgroups, traits }: Device): string =>
  traits.minSubgroup >= 4
    ? 'used'
    : `not used: ${droppedSubgroups ?? 'the device has none of 4 or more lanes'}`;

/** Describes the subgroup matrices that kernels can use, by type and sizes M, N, K: `f16 16x16x16`. */
export function matrixUse({ gpu, traits: { matrices } }: Device): string {
  if (matrices.length > 0)
    return matrices.map(({ operands, m, n, k }) => `${operands} ${m}x${n}x${k}`).join(', ');
  if (!gpu.features.has(matrixFeature)) return 'not used: there are none';
  return 'not used: none has operands of f16 or f32 with sums of f32, or the size of a subgroup is not known';
}

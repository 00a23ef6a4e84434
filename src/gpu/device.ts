// Gets a device from any WebGPU (a browser's, or Dawn's in Node) with all the limits its adapter has, and says what it is.

import { HeddleError } from '../core/errors.ts';
import type { DeviceTraits } from '../ops/op.ts';

/** What an adapter says of itself, for reports. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

/** A device and what kernels may count on. */
export interface Device {
  readonly gpu: GPUDevice;
  readonly traits: DeviceTraits;
  readonly adapter: AdapterInfo;
  /** Throws where the device was lost or has reported an error that no scope caught. */
  check(): void;
  /** Why it was lost, or undefined. Waits `patience` milliseconds (default 300), since work can fail by it before it is known. */
  lost(patience?: number): Promise<string | undefined>;
  destroy(): void;
}

/** Settings of `openDevice`. */
export interface DeviceOptions {
  /** Limits that must be reached; a missing one is an error that names it with both numbers. */
  readonly require?: Readonly<Record<string, number>>;
  readonly powerPreference?: GPUPowerPreference;
}

const wantedLimits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;
const wantedFeatures = ['timestamp-query', 'shader-f16', 'subgroups'] as const;

/**
 * Opens a device. Throws a HeddleError where there is no WebGPU, no adapter, or a required limit is missing.
 * `gpu` is `navigator.gpu` in a page, or what src/host gives in Node.
 */
export async function openDevice(gpu: GPU | undefined, options: DeviceOptions = {}): Promise<Device> {
  if (!gpu)
    throw new HeddleError(
      'There is no WebGPU here. Use a current Chrome or Edge (chrome://gpu says why it is off), on https or localhost.',
    );
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? 'high-performance' });
  if (!adapter)
    throw new HeddleError(
      'WebGPU found no adapter. In Node install a Vulkan driver (Debian: mesa-vulkan-drivers); ' +
        'in Chrome switch on hardware acceleration, or start it with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.',
    );
  const limits = adapter.limits as unknown as Record<string, number>;
  for (const [name, needed] of Object.entries(options.require ?? {})) {
    const has = limits[name] ?? 0;
    if (has < needed)
      throw new HeddleError(
        `The adapter's ${name} is ${has}, ${needed} is needed. Use a smaller model or another adapter.`,
      );
  }
  const required: Record<string, number> = { ...options.require };
  for (const name of wantedLimits) if (limits[name] !== undefined) required[name] = limits[name];
  return wrapDevice(
    await adapter.requestDevice({
      label: 'heddle',
      requiredFeatures: wantedFeatures.filter((f) => adapter.features.has(f)),
      requiredLimits: required,
    }),
  );
}

/** A Device of a GPUDevice that someone else has requested. */
export function wrapDevice(device: GPUDevice): Device {
  let failure: ConstructorParameters<typeof HeddleError> | undefined;
  let closing = false;
  const lost = device.lost.then((info) => {
    if (closing) return undefined;
    failure ??= [`The GPU device was lost (${info.reason || 'unknown'}): ${info.message}`, { kind: 'device' }];
    return [info.reason, info.message].filter((s) => s && s !== 'unknown').join(': ') || 'no reason given';
  });
  device.addEventListener('uncapturederror', (event) => {
    failure ??= [`WebGPU error: ${event.error.message}`];
  });
  const { vendor, architecture, device: model, description } = device.adapterInfo;
  return {
    gpu: device,
    adapter: { vendor, architecture, device: model, description },
    traits: {
      maxBindingBytes: device.limits.maxStorageBufferBindingSize,
      f16: device.features.has('shader-f16'),
      subgroups: device.features.has('subgroups'),
      minSubgroup: device.features.has('subgroups') ? (device.adapterInfo.subgroupMinSize ?? 0) : 0,
      maxWorkgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
      maxInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
      software: device.adapterInfo.isFallbackAdapter,
    },
    check() {
      if (failure) throw new HeddleError(...failure);
    },
    lost: (patience = 300) =>
      Promise.race([lost, new Promise<undefined>((resolve) => setTimeout(resolve, patience, undefined))]),
    destroy() {
      closing = true;
      device.destroy();
    },
  };
}

/** `vendor architecture description`, on one line. */
export const adapterName = (a: AdapterInfo): string =>
  [a.vendor, a.architecture, a.description || a.device].filter((s) => s !== '').join(' ') || 'unnamed adapter';

// A GPU whose adapters have another shape: other features, limits and adapter info, less memory, a watchdog.

import { requestedLimits } from '../../src/engine/gpu/device.ts';
import { neededLimits } from '../../src/session/session-device.ts';
import type { AdapterShape } from './adapter-shapes.mjs';
import { simulate } from './simulated-device.ts';

/** Names of the fields of an adapter's info. */
const infoNames = [
  ...(['vendor', 'architecture', 'device', 'description', 'isFallbackAdapter'] as const),
  ...(['subgroupMinSize', 'subgroupMaxSize'] as const),
];

const defaultLimits: Readonly<Record<string, number>> = neededLimits;

/** Wraps `gpu` so that its adapters and devices have a shape. */
export function shapedGpu(gpu: GPU, shape: AdapterShape): GPU {
  return {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      return adapter && shaped(adapter, shape);
    },
  } as GPU;
}

function shaped(adapter: GPUAdapter, shape: AdapterShape): GPUAdapter {
  const known = Object.fromEntries(infoNames.map((name) => [name, adapter.info?.[name]]));
  const info = shape.noInfo ? undefined : { ...known, ...shape.info };
  const features = new Set([...adapter.features].filter((name) => !shape.without?.includes(name)));
  const open = adapter.requestDevice.bind(adapter);
  const shown: Record<string, unknown> = {
    info,
    features,
    async requestDevice(descriptor: GPUDeviceDescriptor = {}) {
      const missing = [...(descriptor.requiredFeatures ?? [])].filter((name) => !features.has(name));
      if (missing.length > 0) throw new TypeError(`the adapter has no ${missing}`);
      const device = await open(descriptor);
      const adapterInfo = shape.noDeviceInfo ? undefined : info;
      Object.defineProperty(device, 'adapterInfo', { value: adapterInfo, configurable: true });
      simulate(device, shape);
      return device;
    },
  };
  if (shape.limits !== undefined && shape.limits !== 'all') {
    const own = shape.limits === 'default' ? {} : shape.limits;
    shown.limits = Object.fromEntries(
      Object.entries(limitsOf(adapter)).map(([name, value]) => [
        name,
        Math.min(value, own[name] ?? defaultLimits[name] ?? value),
      ]),
    );
  }
  for (const [name, value] of Object.entries(shown))
    Object.defineProperty(adapter, name, { value, configurable: true });
  return adapter;
}

/** All limits of an adapter. */
function limitsOf({ limits }: GPUAdapter): Record<string, number> {
  const values: Record<string, number> = {};
  for (const name in limits) values[name] = limits[name as keyof GPUSupportedLimits] as number;
  return values;
}

/** The limits that heddle requests, with the values of the adapter. */
export const allLimits = ({ limits }: GPUAdapter): Record<string, number> =>
  Object.fromEntries(requestedLimits.map((name) => [name, limits[name]]));

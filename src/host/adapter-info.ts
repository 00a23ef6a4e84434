// Description of a WebGPU adapter as plain JSON, for `heddle info` and for reports.
import { HeddleError } from '../core/errors.ts';
import { hostOf } from '../core/host-name.ts';
import { msg } from '../core/message.ts';

/** Name, features and limits of a WebGPU adapter. */
export interface AdapterDescription {
  /** `Dawn`, `Chrome`, `Firefox`, `Deno` or `Safari`. */
  host: string;
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Whether it computes on the CPU (lavapipe, SwiftShader). */
  software: boolean;
  /** Smallest and largest subgroup size; null if the adapter does not report them. */
  subgroups: { min: number; max: number } | null;
  /** Sorted by name. */
  features: string[];
  /** All limits by their WebGPU names. */
  limits: Record<string, number>;
}

/**
 * Describes the high-performance adapter of `gpu`, the one that jobs use. Throws a HeddleError if there is
 * none.
 */
export async function describeAdapter(gpu: GPU | undefined): Promise<AdapterDescription> {
  const host = hostOf().name;
  const adapter = await probeAdapter(host, gpu);
  if (!adapter) throw new HeddleError(msg`no WebGPU adapter in ${host}`, { kind: 'unsupported' });
  return adapter;
}

/**
 * Describes the high-performance adapter of `gpu` (default: that of the page), or returns undefined if there
 * is none. Puppeteer also runs the source of this function in a page, so it must not refer to anything
 * outside itself.
 */
export async function probeAdapter(
  host: string,
  gpu: GPU | undefined = globalThis.navigator?.gpu,
): Promise<AdapterDescription | undefined> {
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return undefined;
  const info: Partial<GPUAdapterInfo> | undefined = adapter.info; // browsers may leave it out, or fields of it
  const {
    vendor = '',
    architecture = '',
    device = '',
    description = '',
    isFallbackAdapter = false,
    subgroupMinSize: min,
    subgroupMaxSize: max,
  } = info ?? {};
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number') limits[name] = value;
  }
  const isNamed = [vendor, architecture, device, description].some((text) => text !== '');
  const browser = /Firefox\/[\d.]+/.exec(globalThis.navigator?.userAgent ?? '')?.[0].replace('/', ' ') ?? '';
  return {
    host,
    vendor,
    architecture,
    device,
    description: isNamed ? description : browser,
    software: isFallbackAdapter || architecture === 'swiftshader',
    subgroups: min && max ? { min, max } : null,
    features: [...adapter.features].sort(),
    limits,
  };
}

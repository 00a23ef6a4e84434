// What a host's WebGPU adapter is, as plain data that can leave a page: for `heddle info` and for reports.
import { HeddleError } from '../core/errors.ts';

/** An adapter in words and numbers. */
export interface AdapterDescription {
  /** `Dawn` or `Chrome`. */
  host: string;
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Whether it computes on the CPU. */
  software: boolean;
  /** Smallest and largest subgroup; null where it does not say. */
  subgroups: { min: number; max: number } | null;
  /** Sorted by name. */
  features: string[];
  /** Every limit by its WebGPU name. */
  limits: Record<string, number>;
}

/** Describes the adapter that jobs get of `gpu`: the fastest, where there are several. Throws a HeddleError where there is none. */
export async function describeAdapter(gpu: GPU | undefined, host: string): Promise<AdapterDescription> {
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new HeddleError(`no WebGPU adapter in ${host}`);
  const { vendor, architecture, device, description, subgroupMinSize: min, subgroupMaxSize: max } = adapter.info;
  const software = adapter.info.isFallbackAdapter;
  const subgroups = min && max ? { min, max } : null;
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number') limits[name] = value;
  }
  const features = [...adapter.features].sort();
  return { host, vendor, architecture, device, description, software, subgroups, features, limits };
}

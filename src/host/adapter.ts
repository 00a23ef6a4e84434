// What a host's WebGPU adapter is, as plain data that can leave a page: for `heddle info` and for reports.
import { HeddleError } from '../errors.ts';

/** An adapter in words and numbers. */
export interface AdapterDescription {
  /** `Dawn` or `Chrome`. */
  host: string;
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Sorted by name. */
  features: string[];
  /** Every limit by its WebGPU name. */
  limits: Record<string, number>;
}

/** Describes the adapter that `gpu` gives by default. Throws a HeddleError where there is none. */
export async function describeAdapter(gpu: GPU | undefined, host: string): Promise<AdapterDescription> {
  const adapter = await gpu?.requestAdapter();
  if (!adapter) throw new HeddleError(`no WebGPU adapter in ${host}`);
  const { vendor, architecture, device, description } = adapter.info;
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[name];
    if (typeof value === 'number') limits[name] = value;
  }
  return { host, vendor, architecture, device, description, features: [...adapter.features].sort(), limits };
}

// The host of WebGPU that runs this code: its name and version, read from the user agent; and the name of its adapter.

/** Hosts of WebGPU. Chrome means any Chromium browser; Dawn is the package `webgpu` in Node. */
export type GpuHost = 'Dawn' | 'Chrome' | 'Firefox' | 'Safari' | 'Deno';

/** A host with its version, `''` if it is unknown. */
export interface HostVersion {
  readonly name: GpuHost;
  readonly version: string;
}

/**
 * Returns the host of a user agent (default: that of this page, worker or runtime). Any other user agent is Dawn: Node has
 * none, or names itself.
 */
export function hostOf(agent: string = globalThis.navigator?.userAgent ?? ''): HostVersion {
  const version = (pattern: RegExp) => pattern.exec(agent)?.[1];
  const named = (name: GpuHost, text: string | undefined) => text !== undefined && { name, version: text };
  return (
    named('Deno', version(/^Deno\/([\d.]+)/)) ||
    named('Firefox', version(/Firefox\/([\d.]+)/)) ||
    named('Chrome', version(/Chrome\/([\d.]+)/)) ||
    named('Safari', version(/Version\/([\d.]+).*Safari\//)) || { name: 'Dawn', version: '' }
  );
}

/** Names of a GPU adapter, from GPUAdapterInfo. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

/**
 * Formats an adapter as `vendor architecture description`.
 *
 * @example
 * console.log(adapterName(device.adapter));
 */
export const adapterName = (a: AdapterInfo): string =>
  [a.vendor, a.architecture, a.description || a.device].filter((s) => s !== '').join(' ') || 'unnamed adapter';

// The host of WebGPU that runs this code: its name and version, read from the user agent; and the name of its
// adapter.

/** Hosts of WebGPU. Chrome means any Chromium browser; Dawn is the package `webgpu` in Node. */
export type GpuHost = 'Dawn' | 'Chrome' | 'Firefox' | 'Safari' | 'Deno';

/** Pattern of the version of each host in its user agent. */
const versions: readonly (readonly [GpuHost, RegExp])[] = [
  ['Deno', /^Deno\/([\d.]+)/],
  ['Firefox', /Firefox\/([\d.]+)/],
  ['Chrome', /Chrome\/([\d.]+)/],
  ['Safari', /Version\/([\d.]+).*Safari\//],
];

/**
 * Returns the host of a user agent (default: that of this page, worker or runtime), and its version, `''` if
 * it is unknown. Any other user agent is Dawn: Node has none, or names itself.
 */
export function hostOf(agent = globalThis.navigator?.userAgent ?? ''): { name: GpuHost; version: string } {
  for (const [name, pattern] of versions) {
    const version = pattern.exec(agent)?.[1];
    if (version !== undefined) return { name, version };
  }
  return { name: 'Dawn', version: '' };
}

/** Names of a GPU adapter, from GPUAdapterInfo. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

/** Formats an adapter, whose names may be missing, as `vendor architecture description`. */
export function adapterName(adapter: AdapterInfo): string {
  const { vendor, architecture, description, device } = adapter;
  return [vendor, architecture, description || device].filter((s) => s).join(' ') || 'unnamed adapter';
}

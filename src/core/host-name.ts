// Which WebGPU runs this code: the host's name and version, from the user agent.

/** Hosts of WebGPU. Chrome stands for all Chromium browsers; Dawn is the package `webgpu` in Node. */
export type GpuHost = 'Dawn' | 'Chrome' | 'Firefox' | 'Safari' | 'Deno';

/** A host with its version, `''` if it is unknown. */
export interface HostVersion {
  readonly name: GpuHost;
  readonly version: string;
}

/**
 * The host that a user agent names (default: that of this page, worker or runtime). Node names none or itself, and is
 * Dawn.
 */
export function hostOf(agent: string = globalThis.navigator?.userAgent ?? ''): HostVersion {
  const version = (pattern: RegExp) => pattern.exec(agent)?.[1];
  const found = (name: GpuHost, text: string | undefined) => text !== undefined && { name, version: text };
  return (
    found('Deno', version(/^Deno\/([\d.]+)/)) ||
    found('Firefox', version(/Firefox\/([\d.]+)/)) ||
    found('Chrome', version(/Chrome\/([\d.]+)/)) ||
    found('Safari', version(/Version\/([\d.]+).*Safari\//)) || { name: 'Dawn', version: '' }
  );
}

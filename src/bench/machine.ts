// Description of the machine of a measurement: adapter, browser and its flags. A page cannot read the flags
// of its browser, but some have visible effects.

import { type AdapterDescription, describeAdapter } from '../host/adapter-info.ts';

/** The machine; plain JSON. */
export interface Machine {
  readonly adapter: AdapterDescription;
  /** User agent, or Node with its version. */
  readonly agent: string;
  /** Brands and versions that Chromium reports; empty in other browsers. */
  readonly browser: readonly string[];
  readonly platform: string;
  /** Number of logical CPU cores; 0 if it is unknown. */
  /** Number of logical CPU cores; 0 if it is unknown. */
  readonly threads: number;
  /** Whether the page is cross-origin isolated, which makes its clock more precise. */
  readonly isolated: boolean;
  /** Resolution of the clock in milliseconds. */
  readonly clockGrain: number;
  /** Flags with visible effects. */
  readonly flags: readonly string[];
}

/** The part of navigator.userAgentData that is used; only Chromium has it. */
interface UserAgentData {
  readonly platform: string;
  getHighEntropyValues(hints: string[]): Promise<{
    fullVersionList?: { brand: string; version: string }[];
    platformVersion?: string;
    architecture?: string;
  }>;
}

/**
 * Describes the machine behind `gpu`, in a page, a worker or Node. Throws a HeddleError if there is no
 * adapter.
 */
export async function describeMachine(gpu: GPU | undefined): Promise<Machine> {
  const adapter = await describeAdapter(gpu);
  const scope = globalThis as {
    navigator?: Navigator & { userAgentData?: UserAgentData };
    process?: { version?: string; platform?: string };
    crossOriginIsolated?: boolean;
  };
  const { navigator, process } = scope;
  const inNode = process?.version !== undefined;
  const details = await navigator?.userAgentData?.getHighEntropyValues([
    'fullVersionList',
    'platformVersion',
    'architecture',
  ]);
  // The list contains a fake brand on purpose (GREASE).
  const brands = (details?.fullVersionList ?? []).filter(({ brand }) => !/not.*brand/i.test(brand));
  const platform = [navigator?.userAgentData?.platform, details?.platformVersion, details?.architecture];
  return {
    adapter,
    agent: inNode ? `Node.js ${process.version}` : (navigator?.userAgent ?? ''),
    browser: brands.map(({ brand, version }) => `${brand} ${version}`),
    platform: (inNode ? process.platform : platform.filter(Boolean).join(' ')) ?? '',
    threads: navigator?.hardwareConcurrency ?? 0,
    isolated: scope.crossOriginIsolated === true,
    clockGrain: clockGrain(),
    flags: visibleFlags(adapter),
  };
}

/** The smallest step of the clock in up to 100,000 readings. */
function clockGrain(): number {
  let grain = Number.POSITIVE_INFINITY;
  let last = performance.now();
  for (let i = 0, seen = 0; i < 100_000 && seen < 20; i++) {
    const now = performance.now();
    if (now > last) {
      grain = Math.min(grain, now - last);
      seen++;
    }
    last = now;
  }
  return Number(grain.toPrecision(3));
}

function visibleFlags({ features, architecture, software }: AdapterDescription): string[] {
  const flags: string[] = [];
  if (features.some((name) => name.startsWith('chromium-experimental-'))) flags.push('enable-unsafe-webgpu');
  if (architecture === 'swiftshader' && software) flags.push('use-webgpu-adapter=swiftshader');
  return flags;
}

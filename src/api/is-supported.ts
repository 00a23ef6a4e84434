// Whether heddle can compute on the GPU here, and if not, what is missing and what a user can do.

import { messageOf } from '../core/errors.ts';
import { formatLimit } from '../core/format-numbers.ts';
import { currentHost, type Host } from '../session/host.ts';
import { neededLimits } from '../session/session-device.ts';

/** What is missing: WebGPU itself, an adapter, a secure context (https or localhost), or a limit of the adapter. */
export type MissingPart = 'webgpu' | 'secure-context' | 'adapter' | 'limits';

/** The answer of `isSupported`. */
export interface Support {
  /** Whether `train` and `loadModel` can compute on the GPU. */
  readonly supported: boolean;
  /** Why not, each with what a user can do; empty if it is supported. */
  readonly reasons: readonly string[];
  /** What is missing, for code. */
  readonly missing: readonly MissingPart[];
  /** Whether the adapter is software: small models run faster in WebAssembly. */
  readonly isSoftware: boolean;
}

/**
 * Whether this page, Node or Deno has the WebGPU that heddle needs, without opening a device. Never throws. Without
 * WebGPU `{ device: 'wasm' }` still runs models.
 *
 * @example
 * const { supported, reasons } = await isSupported();
 * if (!supported) console.log(reasons.join('\n'));
 */
export async function isSupported(): Promise<Support> {
  const host = currentHost();
  const no = (missing: MissingPart, reason: string): Support => ({
    supported: false,
    reasons: [reason],
    missing: [missing],
    isSoftware: false,
  });
  let gpu: GPU | undefined;
  try {
    gpu = await host.gpu();
  } catch (error) {
    return no('webgpu', messageOf(error));
  }
  if (!gpu) {
    const isInsecure = (globalThis as { readonly isSecureContext?: boolean }).isSecureContext === false;
    if (isInsecure)
      return no('secure-context', 'Pages have WebGPU only on https or localhost; open this page there.');
    return no('webgpu', withoutWebGpu(host));
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter)
    return no(
      'adapter',
      'WebGPU found no GPU adapter. Turn on hardware acceleration in the settings of the browser, or install the ' +
        'driver of the GPU; chrome://gpu or about:support shows why it is off.',
    );
  const limits = adapter.limits as unknown as Readonly<Record<string, number>>;
  const low = Object.entries(neededLimits).filter(([name, needed]) => (limits[name] ?? 0) < needed);
  const reasons = low.map(
    ([name, needed]) =>
      `${name} of the GPU adapter is ${formatLimit(name, limits[name] ?? 0)}, ${formatLimit(name, needed)} is ` +
      'required; use another adapter.',
  );
  const isSupportedAdapter = low.length === 0;
  return {
    supported: isSupportedAdapter,
    reasons,
    missing: isSupportedAdapter ? [] : ['limits'],
    isSoftware: adapter.info?.isFallbackAdapter === true,
  };
}

/** What to do in a host without WebGPU. */
const withoutWebGpu = ({ name }: Host): string =>
  name === 'Deno'
    ? 'This Deno has no WebGPU; use a current Deno.'
    : 'This browser has no WebGPU. Use a current Chrome, Edge, Firefox or Safari; chrome://gpu or about:support ' +
      'shows why it is off.';

// WebGPU in Node: Dawn (npm `webgpu`) as a GPU object like a browser's navigator.gpu. What it is not: a device, an adapter
// choice or a kernel; those live in src/gpu and know nothing of the host.
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { HeddleError } from '../core/errors.ts';

/** How Dawn is started. */
export interface DawnOptions {
  /** Timestamp queries in full nanoseconds. Dawn, like browsers, otherwise rounds them to about 0.1 ms. */
  exactTimestamps?: boolean;
  /** Poll for the GPU without a pause: lowest latency, but a whole CPU core while anything is awaited. */
  spin?: boolean;
  /** Further flags for Dawn, as `backend=vulkan`, `adapter=NAME`, `enable-dawn-features=a,b`. */
  flags?: string[];
}

/**
 * The GPUs that were started, by flags. They are kept for good: Dawn's binding crashes when a GPU object is collected while a
 * device of it is still in use. Keeping one does not keep Node from exiting.
 */
const started = new Map<string, GPU>();

/**
 * Dawn's GPU for Node, checked to have an adapter, with the constants (GPUBufferUsage, ...) put on globalThis where absent. The
 * same options give the same GPU. Needs no clean-up: Node exits once nothing of the GPU is awaited.
 * Throws a HeddleError that says what to install if Dawn has no build for this platform or finds no driver.
 */
export async function dawnGpu(options: DawnOptions = {}): Promise<GPU> {
  const { create, globals } = await importDawn();
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }
  const flags = [...(options.flags ?? [])];
  if (options.exactTimestamps) flags.push('disable-dawn-features=timestamp_quantization');
  if (!options.spin) pacePolling();
  const key = flags.join(' ');
  const gpu = started.get(key) ?? (await start(create, flags));
  started.set(key, gpu);
  return gpu;
}

async function start(create: (flags: string[]) => GPU, flags: string[]): Promise<GPU> {
  if (namesNoDriver()) throw new HeddleError(noAdapterMessage());
  let gpu: GPU;
  let adapter: GPUAdapter | null;
  try {
    gpu = create(flags);
    adapter = await gpu.requestAdapter();
  } catch (error) {
    throw new HeddleError(`Dawn did not start: ${(error as Error).message.trim()}`, { cause: error });
  }
  if (!adapter) throw new HeddleError(noAdapterMessage());
  return gpu;
}

/** Whether the environment names Vulkan drivers that are not there. The loader would look for no others, and complain at length. */
function namesNoDriver(): boolean {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  return process.platform === 'linux' && !!named && !named.split(delimiter).some((path) => path && existsSync(path));
}

/** What to tell someone whose machine has no adapter for Dawn. */
function noAdapterMessage(): string {
  const driver = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const found = driver ? `with VK_DRIVER_FILES=${driver}` : 'without a working Vulkan driver';
  const remedy =
    process.platform === 'linux'
      ? "install the GPU's Vulkan driver, or a software one (Debian, Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1)"
      : "install the GPU vendor's driver";
  return `no WebGPU adapter: Dawn found none ${found}; ${remedy}, or use Chrome instead (--host chrome)`;
}

async function importDawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    const platform = `${process.platform}-${process.arch}`;
    throw new HeddleError(
      `no WebGPU in Node: the package "webgpu" does not load on ${platform} (${(error as Error).message.split('\n')[0]}); ` +
        'run "npm ci", or use Chrome instead (--host chrome)',
      { cause: error },
    );
  }
}

const FREE_POLLING_MS = 0.3;
const PAUSE_MS = 1;
const NEW_WAIT_MS = 5;
const paced = Symbol.for('heddle.pacedPolling');

/**
 * Slows down Dawn's polling. While a promise of the GPU is pending, Dawn's binding asks for its state on every turn of the event
 * loop, through the global setImmediate: a whole core, and where the "GPU" is a software adapter, one taken from its own
 * threads. Dawn offers no switch, so setImmediate is wrapped. Only Dawn's own callbacks are touched: a wait polls freely for
 * 0.3 ms, then once a millisecond. Everyone else's go straight to the original, and the wrapper looks like it (promisify
 * included). Done once a process; a second call does nothing.
 */
function pacePolling(): void {
  const original = globalThis.setImmediate as typeof setImmediate & { [paced]?: true };
  if (original[paced]) return;
  let waitStart = 0;
  let lastPoll = 0;
  const wrapper = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (!isDawnPoll(callback, args)) return original(callback, ...args);
    const now = performance.now();
    if (now - lastPoll > NEW_WAIT_MS) waitStart = now;
    lastPoll = now;
    return now - waitStart < FREE_POLLING_MS ? original(callback) : setTimeout(callback, PAUSE_MS);
  };
  Object.defineProperties(wrapper, { ...Object.getOwnPropertyDescriptors(original), [paced]: { value: true } });
  globalThis.setImmediate = wrapper as typeof setImmediate;
}

/** Whether a callback is one made by a native addon: no name, no parameters, and unlike JavaScript's own natives a prototype. */
function isDawnPoll(callback: unknown, args: unknown[]): boolean {
  return (
    typeof callback === 'function' &&
    args.length === 0 &&
    callback.name === '' &&
    callback.length === 0 &&
    Object.hasOwn(callback, 'prototype') &&
    Function.prototype.toString.call(callback).includes('[native code]')
  );
}

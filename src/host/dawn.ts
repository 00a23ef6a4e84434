// WebGPU in Node through Dawn (npm package `webgpu`): a GPU object like navigator.gpu in a browser.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter } from 'node:path';
import { HeddleError, messageOf } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { msg } from '../core/message.ts';
import { optionalPackage, optionalPackages } from './optional-package.ts';

/** Options of `dawnGpu`. */
export interface DawnOptions {
  /**
   * Whether timestamps have nanosecond resolution. By default Dawn rounds them to about 0.1 ms, as browsers
   * do.
   */
  exactTimestamps?: boolean;
  /**
   * Whether to poll the GPU without pauses: lowest latency, but it uses a CPU core while a GPU promise is
   * pending.
   */
  spin?: boolean;
  /** Adapter: its index in `dawnAdapters`, or a part of its name, ignoring case. [the first] */
  adapter?: string;
  /** More flags for Dawn, for example `backend=vulkan`, `enable-dawn-features=a,b`. */
  flags?: string[];
}

/** What helps without Dawn. */
const otherHost = 'use another host instead (chrome, firefox or deno)';

const optionNames = ['exactTimestamps', 'spin', 'adapter', 'flags'] satisfies (keyof DawnOptions)[];

/**
 * GPU objects by flags. They are never released: Dawn's binding crashes if a GPU object is garbage-collected
 * while a device of it is in use. They do not keep Node from exiting.
 */
const started = new Map<string, GPU>();

/**
 * Returns Dawn's GPU object; the same one for the same options. Its `requestAdapter` finds an adapter. Also
 * defines the constants of WebGPU (GPUBufferUsage, ...) on globalThis. It needs no clean-up. Throws a
 * HeddleError that says what to install if there is no package `webgpu`, or if Dawn does not support this
 * platform or finds no driver. If no adapter has the name or index in the options, the error lists the
 * adapters.
 *
 * @example
 * const device = await openDevice(await dawnGpu());
 */
export async function dawnGpu(options: DawnOptions = {}): Promise<GPU> {
  checkNames({ area: 'dawnGpu' }, optionNames, Object.keys(options));
  const { create, globals } = await loadDawn();
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }
  const flags = withExperiments(options.flags ?? []);
  if (options.adapter !== undefined)
    flags.push(`adapter=${adapterNamed(options.adapter, await dawnAdapters())}`);
  if (options.exactTimestamps) flags.push('disable-dawn-features=timestamp_quantization');
  if (!options.spin) pacePolling();
  const key = flags.join(' ');
  const gpu = started.get(key) ?? (await start(create, flags));
  started.set(key, gpu);
  return gpu;
}

const enable = 'enable-dawn-features=';

/**
 * Features of Dawn that are off by default: subgroup matrices, and f16 on GPUs of NVIDIA, which Dawn hides since some
 * conformance tests of f16 fail there; kernels are checked on the device before they are timed.
 */
const experiments = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];

/** Flags that enable the experiments on adapters. Devices have only requested features. */
function withExperiments(flags: readonly string[]): string[] {
  const enabled = flags.filter((flag) => flag.startsWith(enable)).map((flag) => flag.slice(enable.length));
  return [
    `${enable}${[...experiments, ...enabled].join()}`,
    ...flags.filter((flag) => !flag.startsWith(enable)),
  ];
}

const loadDawn = () => optionalPackage('webgpu', optionalPackages.webgpu, otherHost);

/** Version of the installed package `webgpu`; `''` if there is none. */
export function dawnVersion(): string {
  try {
    return (createRequire(import.meta.url)('webgpu/package.json') as { version: string }).version;
  } catch {
    return '';
  }
}

/** A name that no adapter has: Dawn's error for it lists all of them. */
const unknownAdapter = 'adapter=\u0001';

/**
 * Names of the machine's adapters, the one that is used by default first. Throws a HeddleError as `dawnGpu`
 * if there is none.
 *
 * @example
 * for (const [index, name] of (await dawnAdapters()).entries()) console.log(index, name);
 */
export async function dawnAdapters(): Promise<string[]> {
  const { create } = await loadDawn();
  if (namesNoDriver()) throw noAdapter();
  const gpu = started.get(unknownAdapter) ?? create([unknownAdapter]);
  started.set(unknownAdapter, gpu);
  const text = await gpu.requestAdapter({ powerPreference: 'high-performance' }).then(() => '', messageOf);
  const names = Array.from(text.matchAll(/^ \* backend: '.*?', name: '(.*)'$/gm), ([, name = '']) => name);
  if (names.length === 0)
    throw text
      ? new HeddleError(msg`Dawn did not start: ${text.trim()}`, { kind: 'unsupported' })
      : noAdapter();
  return names;
}

/**
 * The full name of an adapter from its index or a part of its name. Throws a HeddleError that lists the
 * adapters if there is none, or if Dawn would select another: it takes the first adapter whose name contains
 * the given one.
 */
export function adapterNamed(wanted: string, names: readonly string[]): string {
  const lower = (text: string) => text.toLowerCase();
  const exact = names.findIndex((name) => lower(name) === lower(wanted));
  const part = names.findIndex((name) => wanted !== '' && lower(name).includes(lower(wanted)));
  // A longer number, such as 4090, is a part of a name.
  const index = /^\d{1,2}$/.test(wanted) ? Number(wanted) : exact >= 0 ? exact : part;
  const name = names[index];
  const list = names.map((one, i) => `${i}: ${one}`).join('; ');
  const lora = /[\\/]/.test(wanted) ? '; a LoRA adapter has its own option (lora)' : '';
  if (name === undefined)
    throw new HeddleError(msg`there is no "${wanted}"; the adapters are ${list}${lora}`, {
      area: 'adapter',
      kind: 'not-found',
    });
  const first = names.findIndex((one) => one.includes(name));
  if (first !== index)
    throw new HeddleError(
      msg`Dawn chooses by name and would take ${first} instead of ${index}; hide ${first} (VK_DRIVER_FILES); the adapters are ${list}`,
      { area: 'adapter', kind: 'unsupported' },
    );
  return name;
}

async function start(create: (flags: string[]) => GPU, flags: string[]): Promise<GPU> {
  if (namesNoDriver()) throw noAdapter();
  try {
    const gpu = create(flags);
    if (await gpu.requestAdapter()) return gpu;
  } catch (error) {
    throw new HeddleError(msg`Dawn did not start: ${(error as Error).message.trim()}`, {
      kind: 'unsupported',
      cause: error,
    });
  }
  throw noAdapter();
}

/**
 * Whether the environment (VK_DRIVER_FILES) names only Vulkan drivers that do not exist. The loader then
 * searches no others and prints many errors.
 */
function namesNoDriver(): boolean {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  return (
    process.platform === 'linux' &&
    !!named &&
    !named.split(delimiter).some((path) => path && existsSync(path))
  );
}

/** The error for a machine without an adapter. */
function noAdapter(): HeddleError {
  const driver = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const driverText = driver ? `with VK_DRIVER_FILES=${driver}` : 'without a working Vulkan driver';
  const remedy =
    process.platform === 'linux'
      ? "install the GPU's Vulkan driver, or a software one (Debian, Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1)"
      : "install the GPU vendor's driver";
  return new HeddleError(msg`no WebGPU adapter: Dawn found none ${driverText}; ${remedy}, or ${otherHost}`, {
    kind: 'unsupported',
  });
}

const FREE_POLLING_MS = 0.3;
const PAUSE_MS = 1;
const NEW_WAIT_MS = 5;
const paced = Symbol.for('heddle.pacedPolling');

/**
 * Limits Dawn's polling. While a GPU promise is pending, Dawn's binding polls in every turn of the event loop
 * through the global setImmediate. That uses a whole core, which a software adapter needs. Dawn has no option
 * against it, so this wraps setImmediate: Dawn's callbacks run immediately for the first 0.3 ms of a wait,
 * then once per millisecond. Other callbacks do not change. A second call does nothing.
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
  Object.defineProperties(wrapper, {
    ...Object.getOwnPropertyDescriptors(original),
    [paced]: { value: true },
  });
  globalThis.setImmediate = wrapper as typeof setImmediate;
}

/**
 * Whether a native addon made this callback: it has no name, no parameters and, unlike built-in functions, a
 * prototype.
 */
const isDawnPoll = (callback: unknown, args: unknown[]): boolean =>
  typeof callback === 'function' &&
  args.length === 0 &&
  callback.name === '' &&
  callback.length === 0 &&
  Object.hasOwn(callback, 'prototype') &&
  Function.prototype.toString.call(callback).includes('[native code]');

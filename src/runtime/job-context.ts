// Context of a job, created from the services of a host: Node or a page.

import { HeddleError, messageOf } from '../core/errors.ts';
import type { GpuHost } from '../core/host-name.ts';
import { adapterName } from '../core/host-name.ts';
import { type Engine, type GpuEngineOptions, gpuEngine } from '../engine/engine.ts';
import type { Files } from '../files/files.ts';
import type { TuneKernelsOptions } from '../gpu/auto-tuning.ts';
import { type Device, openDevice } from '../gpu/device.ts';
import type { Graph } from '../graph/graph.ts';
import type { KernelChoices } from '../plan/kernel-choices.ts';
import type { JobContext, JobEvent } from './job.ts';
import type { KernelStore } from './kernel-store.ts';

/** Services of a host for a job. */
export interface HostServices {
  readonly host: GpuHost | 'cpu';
  /** Version of the host; the speed of kernels may depend on it. */
  readonly version?: string;
  readonly files: Files;
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
  /** See `JobContext.input`. */
  readonly input?: JobContext['input'];
  readonly textThreads?: JobContext['textThreads'];
  /** Opens WebGPU; called at most once, and never for `cpu`. */
  readonly openGpu: () => Promise<GPU | undefined>;
  /** Opens the device instead of the context, for example a shared one; `destroy` releases it. */
  readonly openDevice?: () => Promise<Device>;
  /** A device to use. If it is lost, it is not replaced. */
  readonly device?: Device | Promise<Device>;
  /** Store of kernel choices. Without it kernels are not timed and the default variants are used. */
  readonly kernelStore?: KernelStore;
  /** Maximum bytes of a plan. */
  readonly memoryLimit?: number;
  /** Bytes of the machine's memory: the limit for a software adapter. */
  readonly machineMemory?: number;
}

/** Guaranteed limits of WebGPU. Kernels do not exceed them; an adapter below one of them is an error. */
export const neededLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxBufferSize: 256 * 2 ** 20,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** Creates a context; `close` frees its device. */
export function createContext(s: HostServices): { context: JobContext; close(): Promise<void> } {
  let gpu: Promise<GPU> | undefined;
  let device: Promise<Device> | undefined;
  let backend: string = s.host === 'cpu' ? 'cpu' : s.host.toLowerCase();

  const openGpu = async (): Promise<GPU> => {
    if (s.host === 'cpu') throw new HeddleError('The cpu backend has no GPU; use --host dawn.');
    const opened = await s.openGpu();
    if (!opened) throw new HeddleError(`There is no WebGPU in this ${s.host}.`);
    return opened;
  };
  const openOwn = async (): Promise<Device> =>
    s.device ?? s.openDevice?.() ?? openDevice(await context.gpu(), { require: neededLimits });
  let warned = false;
  const droppedKernels = new Map<string, string>();
  /** Returns kernel choices for graphs: stored ones, and the others by timing now. */
  const choose: GpuEngineOptions['chooseKernels'] = async (graphs, device, settled) => {
    const { choices, failure } = await measureAndKeep(s, device, graphs, droppedKernels, { settled });
    if (failure !== undefined && !warned)
      s.emit({
        type: 'message',
        text: `the tuned kernels could not be stored, so only this run uses them: ${failure}`,
      });
    warned ||= failure !== undefined;
    return choices;
  };
  const context: JobContext = {
    files: s.files,
    emit: s.emit,
    signal: s.signal,
    ...(s.input && { input: s.input }),
    ...(s.textThreads && { textThreads: s.textThreads }),
    get backend() {
      return backend;
    },
    droppedKernels,
    gpu() {
      gpu ??= openGpu();
      return gpu;
    },
    device() {
      device ??= openOwn().then((opened) => {
        const name = adapterName(opened.adapter);
        backend = name.startsWith(s.host) ? name : `${s.host.toLowerCase()} ${name}`;
        return opened;
      });
      return device;
    },
    ...(s.host !== 'cpu' && {
      async lost() {
        const opened = await device?.catch(() => undefined);
        return opened?.lost();
      },
    }),
    ...(s.host !== 'cpu' &&
      !s.device && {
        async reopen() {
          const old = device;
          device = undefined;
          (await old?.catch(() => undefined))?.destroy();
          await withRetries(
            () => context.device(),
            () => {
              device = undefined;
            },
            s.signal,
          );
        },
      }),
    async peakGflops() {
      if (s.host === 'cpu' || !s.kernelStore) return undefined;
      const opened = await context.device();
      const adapter = adapterKey(s, opened);
      const stored = (await s.kernelStore.load(adapter)).peakGflops;
      if (stored) return stored;
      s.emit({ type: 'progress', task: 'tune', done: 0, total: 1, text: 'measuring the peak rate of multiply-adds' });
      const { measurePeakGflops } = await import('../gpu/roofs.ts');
      const peakGflops = await measurePeakGflops(opened);
      await s.kernelStore.save(adapter, { measured: {}, guessed: {}, dropped: {}, peakGflops }).catch(() => {});
      return peakGflops;
    },
    async tune(graphs, options) {
      const { failure } = await measureAndKeep(s, await context.device(), graphs, droppedKernels, options);
      return { place: s.kernelStore?.place, failure };
    },
    async engine(options: GpuEngineOptions = {}): Promise<Engine> {
      if (s.host === 'cpu') return (await import('../engine/cpu-engine.ts')).cpuEngine();
      const opened = await context.device();
      const memoryLimit = s.memoryLimit ?? (opened.traits.software ? s.machineMemory : undefined);
      return gpuEngine(opened, {
        ...(s.kernelStore && { chooseKernels: choose }),
        ...(memoryLimit !== undefined && { memoryLimit }),
        ...options,
      });
    },
  };
  return {
    context,
    async close() {
      const opened = await device?.catch(() => undefined);
      opened?.destroy();
    },
  };
}

/** Delay before each attempt to open a device, in milliseconds: half a minute in total. */
const waits = [0, 250, 500, 1000, 2000, 4000, 8000, 16000];

/** Opens a device; retries if there is none or it is lost at once. Throws the last error. */
async function withRetries(open: () => Promise<Device>, forget: () => void, signal: AbortSignal): Promise<void> {
  let failure: unknown;
  for (const wait of waits) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    signal.throwIfAborted();
    try {
      const device = await open();
      await device.gpu.queue.onSubmittedWorkDone();
      const lost = await device.lost();
      if (lost === undefined) return;
      throw new HeddleError(`The new GPU device was lost at once (${lost}).`, { kind: 'device' });
    } catch (error) {
      failure = error;
      forget();
    }
  }
  throw failure;
}

/** Key of the kernel choices of an adapter. */
const adapterKey = ({ host, version = '' }: HostServices, device: Device): string =>
  `${host}${version && ` ${version}`} ${adapterName(device.adapter)}`;

/**
 * Checks and times kernels, and stores the results, even if it is interrupted. Emits progress, and a warning for each
 * kernel that fails its check and is added to `dropped`. `failure`: why the results could not be stored.
 */
async function measureAndKeep(
  s: HostServices,
  device: Device,
  graphs: readonly Graph[],
  dropped: Map<string, string>,
  options: TuneKernelsOptions,
): Promise<{ choices: KernelChoices; failure: string | undefined }> {
  const adapter = adapterKey(s, device);
  const stored = await s.kernelStore?.load(adapter);
  const measured: Record<string, string> = {};
  const guessed: Record<string, string> = {};
  const drop = (kernel: string, reason: string) => {
    if (!dropped.has(kernel))
      s.emit({ type: 'warning', text: `kernel not used on this adapter: ${kernel}: ${reason}` });
    dropped.set(kernel, reason);
  };
  for (const [kernel, reason] of Object.entries(stored?.dropped ?? {})) drop(kernel, reason);
  const keep = async (): Promise<string | undefined> => {
    if (Object.keys({ ...measured, ...guessed }).length === 0) return;
    try {
      await s.kernelStore?.save(adapter, { measured, guessed, dropped: Object.fromEntries(dropped) });
    } catch (error) {
      return messageOf(error);
    }
  };
  try {
    const { tuneKernels } = await import('../gpu/auto-tuning.ts');
    const choices = await tuneKernels(device, graphs, {
      known: stored?.measured ?? {},
      guessed: stored?.guessed ?? {},
      ...options,
      onMeasured(list) {
        const [best] = list;
        if (best) measured[best.key] = best.variant;
        options.onMeasured?.(list);
      },
      onGuessed(key, variant) {
        guessed[key] = variant;
      },
      onDropped({ kernel, reason }) {
        drop(kernel, reason);
      },
      onProgress(done, total, what) {
        s.emit({ type: 'progress', task: 'tune', done, total, text: `measuring kernels: ${what}` });
        s.signal.throwIfAborted();
        options.onProgress?.(done, total, what);
      },
    });
    return { choices, failure: await keep() };
  } catch (error) {
    const failure = await keep();
    if (Object.keys(measured).length > 0 && s.kernelStore && failure === undefined)
      s.emit({ type: 'message', text: `the kernels measured so far are stored in ${s.kernelStore.place}` });
    throw error;
  }
}

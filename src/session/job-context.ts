// Context of a job, created from the services of a host: Node, Deno or a page.

import { HeddleError, messageOf } from '../core/errors.ts';
import type { GpuHost } from '../core/host-name.ts';
import { adapterName } from '../core/host-name.ts';
import { type Engine, type GpuEngineOptions, gpuEngine } from '../engine/engine.ts';
import type { TuneKernelsOptions } from '../engine/gpu/auto-tuning.ts';
import { type Device, openDevice } from '../engine/gpu/device.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { JobContext } from './job.ts';
import { createKernelStore } from './kernel-store.ts';

/** Services of a host for a job. */
export interface HostServices
  extends Pick<JobContext, 'files' | 'emit' | 'signal' | 'input' | 'textThreads'> {
  readonly host: GpuHost | 'cpu';
  /** Version of the host; the speed of kernels may depend on it. */
  readonly version?: string;
  /** Opens WebGPU; called at most once, and never for `cpu`. */
  readonly openGpu: () => Promise<GPU | undefined>;
  /** Opens the device instead of the context, for example a shared one; `destroy` releases it. */
  readonly openDevice?: () => Promise<Device>;
  /** A device to use. If it is lost, it is not replaced. */
  readonly device?: Device | Promise<Device>;
  /** File of kernel choices. Without it kernels are not timed and the default variants are used. */
  readonly kernelFile?: string;
  /** Maximum bytes of a plan. */
  readonly memoryLimit?: number;
  /** Bytes of the machine's memory: the limit for a software adapter. */
  readonly machineMemory?: number;
}

/** WebGPU's default limits. Kernels need no more; an adapter with less is an error. */
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
  const { files, emit, signal, input, textThreads } = s;
  let gpu: Promise<GPU> | undefined;
  let device: Promise<Device> | undefined;
  let backend: string = s.host === 'cpu' ? 'cpu' : s.host.toLowerCase();
  const opened = () => device?.catch(() => undefined);

  const openGpu = async (): Promise<GPU> => {
    if (s.host === 'cpu') throw new HeddleError('The cpu backend has no GPU; use --host dawn.');
    const found = await s.openGpu();
    if (!found) throw new HeddleError(`There is no WebGPU in this ${s.host}.`);
    return found;
  };
  const openOwn = async (): Promise<Device> =>
    s.device ?? s.openDevice?.() ?? openDevice(await context.gpu(), { require: neededLimits });

  /** Replaces the device; retries if there is none or it is lost at once. Throws the last error. */
  const reopen = async (): Promise<void> => {
    const old = opened();
    device = undefined; // calls from now on open a new device
    (await old)?.destroy();
    let failure: unknown;
    for (const delay of retryDelays) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      signal.throwIfAborted();
      try {
        const next = await context.device();
        await next.gpu.queue.onSubmittedWorkDone();
        const lost = await next.lost();
        if (lost === undefined) return;
        throw new HeddleError(`The new GPU device was lost at once (${lost}).`, { kind: 'device' });
      } catch (error) {
        failure = error;
        device = undefined;
      }
    }
    throw failure;
  };

  const kernels = kernelTuning(s);
  const context: JobContext = {
    ...{ files, emit, signal, input, textThreads },
    get backend() {
      return backend;
    },
    droppedKernels: kernels.dropped,
    gpu() {
      gpu ??= openGpu();
      return gpu;
    },
    device() {
      device ??= openOwn().then((own) => {
        const name = adapterName(own.adapter);
        backend = name.startsWith(s.host) ? name : `${s.host.toLowerCase()} ${name}`;
        return own;
      });
      return device;
    },
    lost: s.host === 'cpu' ? undefined : async () => (await opened())?.lost(),
    reopen: s.host === 'cpu' || s.device ? undefined : reopen,
    peakGflops: () => kernels.peakGflops(context.device),
    async tune(graphs, options) {
      const { failure } = await kernels.measure(await context.device(), graphs, options);
      return { place: s.kernelFile, failure };
    },
    async engine(options: GpuEngineOptions = {}): Promise<Engine> {
      if (s.host === 'cpu') return (await import('../engine/cpu-engine.ts')).cpuEngine();
      const own = await context.device();
      const memoryLimit = s.memoryLimit ?? (own.traits.software ? s.machineMemory : undefined);
      return gpuEngine(own, { chooseKernels: kernels.choose, memoryLimit, ...options });
    },
  };
  return { context, close: async () => (await opened())?.destroy() };
}

/** Delay before each attempt to open a device, in milliseconds: half a minute in total. */
const retryDelays = [0, 250, 500, 1000, 2000, 4000, 8000, 16000];

/** Auto-tuning of a context: the kernel choices of its adapter, and what is measured once per adapter. */
function kernelTuning(s: HostServices) {
  const store = s.kernelFile === undefined ? undefined : createKernelStore(s.files, s.kernelFile);
  const adapterKey = ({ adapter }: Device): string =>
    `${s.host}${s.version ? ` ${s.version}` : ''} ${adapterName(adapter)}`;
  const dropped = new Map<string, string>();
  const drop = (kernel: string, reason: string) => {
    if (!dropped.has(kernel))
      s.emit({ type: 'warning', text: `kernel not used on this adapter: ${kernel}: ${reason}` });
    dropped.set(kernel, reason);
  };
  /**
   * Checks and times kernels, and stores the results, even if it is interrupted. Emits progress, and a
   * warning for each kernel that fails its check. `failure`: why the results could not be stored.
   */
  const measure = async (device: Device, graphs: readonly Graph[], options: TuneKernelsOptions) => {
    const adapter = adapterKey(device);
    const stored = await store?.load(adapter);
    const measured: Record<string, string> = {};
    const guessed: Record<string, string> = {};
    for (const [kernel, reason] of Object.entries(stored?.dropped ?? {})) drop(kernel, reason);
    const keep = async (): Promise<string | undefined> => {
      if (Object.keys({ ...measured, ...guessed }).length === 0) return;
      try {
        await store?.save(adapter, { measured, guessed, dropped: Object.fromEntries(dropped) });
      } catch (error) {
        return messageOf(error);
      }
    };
    try {
      const { tuneKernels } = await import('../engine/gpu/auto-tuning.ts');
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
        onDropped: ({ kernel, reason }) => drop(kernel, reason),
        onProgress(done, total, what) {
          s.emit({ type: 'progress', task: 'tune', done, total, text: `measuring kernels: ${what}` });
          s.signal.throwIfAborted();
          options.onProgress?.(done, total, what);
        },
      });
      return { choices, failure: await keep() };
    } catch (error) {
      const failure = await keep();
      if (Object.keys(measured).length > 0 && store && failure === undefined)
        s.emit({ type: 'message', text: `the kernels measured so far are stored in ${s.kernelFile}` });
      throw error;
    }
  };
  let warned = false;
  /** Returns kernel choices for graphs: stored ones, and the others by timing now. */
  const choose: GpuEngineOptions['chooseKernels'] = async (graphs, device, settled) => {
    const { choices, failure } = await measure(device, graphs, { settled });
    if (failure !== undefined && !warned)
      s.emit({
        type: 'message',
        text: `the tuned kernels could not be stored, so only this run uses them: ${failure}`,
      });
    warned ||= failure !== undefined;
    return choices;
  };

  const peakGflops = async (open: () => Promise<Device>): Promise<number | undefined> => {
    if (s.host === 'cpu' || !store) return undefined;
    const device = await open();
    const adapter = adapterKey(device);
    const stored = (await store.load(adapter)).peakGflops;
    if (stored) return stored;
    s.emit({
      type: 'progress',
      task: 'tune',
      done: 0,
      total: 1,
      text: 'measuring the peak rate of multiply-adds',
    });
    const { measurePeakGflops } = await import('../engine/gpu/roofs.ts');
    const peakGflops = await measurePeakGflops(device);
    await store.save(adapter, { measured: {}, guessed: {}, dropped: {}, peakGflops }).catch(() => {});
    return peakGflops;
  };
  return { dropped, measure, choose: store && choose, peakGflops };
}

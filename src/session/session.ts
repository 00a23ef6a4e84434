// A session: what a job, a training or a model runs on. It has the files of its host, a device, the tuned kernels
// of its adapter, and a receiver of events.

import { CallbackWatch } from '../core/callbacks.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { type Engine, gpuEngine } from '../engine/engine.ts';
import type { GpuEngineOptions } from '../engine/gpu/gpu-engine.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { Files } from '../files/files.ts';
import type { TextThreads } from '../text/text-pool.ts';
import { type Features, noFeatures } from './feature-table.ts';
import type { Host } from './host.ts';
import { KernelTuner } from './kernel-tuner.ts';
import { mainEngines } from './named-engines.ts';
import { type GivenDevice, SessionDevice } from './session-device.ts';
import { emitTo, type Reported, type SessionEvent } from './session-event.ts';

/** The device of a model, and the receiver of events. */
export interface SessionOptions<Extra = never> {
  /**
   * A device of heddle or WebGPU, which stays open; a GPU, on which a device is opened; or a name: `'gpu'`, the
   * default, is a device that all models share. `'wasm'` runs models without a GPU through the package
   * onnxruntime-web; training needs a GPU. `'auto'` is `'wasm'` if there is no GPU or only a software adapter. `'cpu'`
   * runs the float64 references of the ops: exact but slow.
   */
  readonly device?: GivenDevice;
  /**
   * Whether to auto-tune: time kernel variants at their first use, for a few seconds, and cache the fastest.
   * Default: true.
   */
  readonly tune?: boolean;
  /**
   * Maximum milliseconds of a GPU submission: a longer run is cut into several, with the same results. 0: no
   * limit. [100 on phones and tablets, whose drivers reset the GPU after long submissions, else no limit]
   */
  readonly maxSubmissionMs?: number;
  /**
   * Maximum bytes of GPU and JavaScript memory together. A model or training that needs more is an error of kind
   * `memory` before anything is downloaded or allocated; it names settings that fit. [1 GiB on iPhones and iPads, a
   * quarter of the memory on Android, else no limit]
   */
  readonly memoryBudget?: number;
  /** Receives messages and progress: kernel tuning, downloads, evaluation. */
  readonly onEvent?: (event: SessionEvent | Extra) => void;
}

/** Options of a session for a job. */
export interface JobSessionOptions<Extra = never> extends SessionOptions<Extra> {
  /** Aborted by Ctrl-C or a stop button. */
  readonly signal?: AbortSignal;
  /** Files of the session. [those of the host, with archives as folders] */
  readonly files?: Files;
  /** What guests bring. [nothing: text in, text out] */
  readonly features?: Features;
  /** See `Session.input`. */
  readonly input?: Session['input'];
  /** Maximum bytes of a plan. [the memory of the host for a software adapter, else no limit] */
  readonly memoryLimit?: number;
}

/** Options of an engine. */
export interface EngineOptions extends GpuEngineOptions {
  /** Whether a training runs on it, which needs a GPU. [false] */
  readonly trains?: boolean;
}

/** What a job, a training or a model runs on. `Extra`: what it reports besides the events of any job. */
export class Session<Extra = never> {
  readonly host: Host;
  readonly files: Files;
  /** What guests bring. */
  readonly features: Features;
  /** Reports an event, whose text may be a message with holes. */
  readonly emit: (event: Reported<SessionEvent | Extra>) => void;
  /** Watches the promises that the receiver of events and other callbacks return; each call ends with its `during`. */
  readonly callbacks: CallbackWatch;
  /** Stops the work at its next step; it keeps its results. */
  readonly signal: AbortSignal;
  /**
   * The next texts that a user types or a pipe delivers; undefined at the end. Absent if there is no such
   * input.
   */
  readonly input?: () => Promise<readonly string[] | undefined>;
  /** The device: opened at first use, replaced if it is lost. */
  readonly device: SessionDevice;
  /** The kernel choices of the adapter. */
  readonly kernels: KernelTuner;
  /** Maximum bytes of GPU and JavaScript memory together; undefined: no limit. */
  readonly memoryBudget: number | undefined;
  readonly #options: JobSessionOptions<Extra>;
  /** Work that continues in the background after an abort. */
  #background: Promise<unknown> = Promise.resolve();

  /** `from`: the session whose device and kernels this one shares. */
  constructor(host: Host, options: JobSessionOptions<Extra> = {}, from?: Session) {
    const { files = archiveFiles(host.files), signal = new AbortController().signal, tune = true } = options;
    const { device, maxSubmissionMs: maxMs } = options;
    this.host = host;
    this.files = files;
    this.features = options.features ?? noFeatures;
    this.callbacks = from?.callbacks ?? new CallbackWatch();
    this.emit = emitTo(options.onEvent && this.callbacks.of(options.onEvent));
    this.signal = signal;
    this.input = options.input;
    this.memoryBudget = options.memoryBudget;
    this.#options = options;
    this.device = from?.device ?? new SessionDevice(host, device, maxMs === undefined ? maxMs : { maxMs });
    this.kernels =
      from?.kernels.for(this) ?? new KernelTuner(this, tune ? host.cachePath('kernels.json') : undefined);
  }

  /** A session on the same device and kernels with another signal, receiver of events or files. */
  with(changes: Pick<JobSessionOptions<Extra>, 'signal' | 'onEvent' | 'files'>): Session<Extra> {
    const { files, signal } = this;
    return new Session(this.host, { ...this.#options, files, signal, ...changes }, this);
  }

  /** Name of the backend: `cpu`, or the host and, once the device is open, its adapter. */
  get backend(): string {
    return this.device.backend;
  }

  /** Threads for work on large corpora. Absent if the host has none: the thread of the session does it. */
  get threads(): TextThreads | undefined {
    return this.host.threads;
  }

  /** Creates an engine: without a GPU, or on the device with tuned kernels. */
  async engine(options: EngineOptions = {}): Promise<Engine> {
    const { trains = false, ...own } = options;
    const { name } = this.device;
    const open = name && (this.features.engines[name] ?? mainEngines[name]);
    const engine = await open?.(this, trains);
    if (engine) return engine;
    const device = await this.device.open();
    const { kernels } = this;
    const memoryLimit =
      this.#options.memoryLimit ??
      this.memoryBudget ??
      (device.traits.software ? this.host.memory : undefined);
    return gpuEngine(device, { kernels: kernels.isOn ? kernels : undefined, memoryLimit, ...own });
  }

  /** `untilAborted` with the signal of the session; `close` waits for work that ends in the background. */
  untilAborted<T>(work: () => Promise<T>, drop?: (late: T) => unknown): Promise<T> {
    return untilAborted(
      this.signal,
      () => {
        const running = work();
        this.#background = Promise.allSettled([this.#background, running]);
        return running;
      },
      drop,
    );
  }

  /** Gives the device back. */
  async close(): Promise<void> {
    await this.#background;
    await this.device.release();
  }
}

// A job is the work of a command, independent of the host: the same function runs in Node (on Dawn or the
// CPU), in Deno and in a page. Arguments and result are plain JSON; the context has everything else.

import type { Engine, GpuEngineOptions } from '../engine/engine.ts';
import type { TuneKernelsOptions } from '../engine/gpu/auto-tuning.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { Files } from '../files/files.ts';
import type { TextThreads } from '../text/text-pool.ts';

/** Services for a job. `Event`: what the job reports. */
export interface JobContext<Event = SessionEvent> {
  readonly files: Files;
  /** Name of the backend: `cpu`, or the host and, once the device is open, its adapter. */
  readonly backend: string;
  /** Reports an event while the job runs. */
  emit(event: Event): void;
  /** Aborted by Ctrl-C or a stop button: the job stops at the next step and keeps its results. */
  readonly signal: AbortSignal;
  /**
   * The next texts that a user types or a pipe delivers; undefined at the end. Absent if there is no such
   * input.
   */
  input?(): Promise<readonly string[] | undefined>;
  /** Threads for work on large corpora. Absent if the host has none: the job's own thread does it. */
  readonly textThreads?: TextThreads;
  /** The WebGPU of the host; opened at first use. Rejects on the CPU backend, and without an adapter. */
  gpu(): Promise<GPU>;
  /** The device; opened at first use. Rejects on the CPU backend. */
  device(): Promise<Device>;
  /**
   * Returns why the device was lost, if it was; waits a moment for the reason. Absent if the backend has no
   * device.
   */
  lost?(): Promise<string | undefined>;
  /**
   * Replaces the device, with retries for half a minute: a crashed driver or browser process needs time to
   * restart.
   */
  reopen?(): Promise<void>;
  /**
   * Kernels that are not used because they failed their check on this adapter, and what is wrong with each.
   */
  readonly droppedKernels: ReadonlyMap<string, string>;
  /**
   * Returns the peak rate of the adapter's multiply-adds in GFLOP/s, measured once per adapter (about a
   * second) and kept in the store; undefined on the CPU and without a store.
   */
  peakGflops(): Promise<number | undefined>;
  /** Creates an engine on the backend; on a GPU with tuned kernels. */
  engine(options?: GpuEngineOptions): Promise<Engine>;
  /**
   * Times kernels for graphs now and stores the fastest. Resolves to the place of the store, if there is one,
   * and why it could not be written, if it failed. Rejects on the CPU backend.
   */
  tune(
    graphs: readonly Graph[],
    options: TuneKernelsOptions,
  ): Promise<{ readonly place: string | undefined; readonly failure: string | undefined }>;
}

/** Event of any job. */
export type SessionEvent =
  | { readonly type: 'message'; readonly text: string }
  /** Something failed, and the job continues. `unsaved`: it is a checkpoint that was not saved. */
  | { readonly type: 'warning'; readonly text: string; readonly unsaved?: boolean }
  /** The next piece of a streamed result. */
  | { readonly type: 'piece'; readonly text: string }
  /** The next part of a result that comes in parts; plain JSON. */
  | { readonly type: 'result'; readonly value: unknown }
  | {
      readonly type: 'progress';
      readonly task: string;
      readonly done: number;
      readonly total: number;
      readonly text: string;
    };

/** A job: arguments and result are plain JSON. */
export type Job<Arguments, Result, Event = SessionEvent> = (
  args: Arguments,
  context: JobContext<Event>,
) => Promise<Result>;

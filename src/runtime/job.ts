// A job is what a command does, free of where it runs: the same function is called in Node on Dawn or the CPU, and inside a page in
// Chrome. What it needs of the outside comes through its context; arguments and result are plain JSON.

import type { Engine, GpuEngineOptions } from '../engine/engine.ts';
import type { Files } from '../files/files.ts';
import type { TuneKernelsOptions } from '../gpu/auto-tuning.ts';
import type { Device } from '../gpu/device.ts';
import type { Graph } from '../graph/graph.ts';
import type { TrainingObserver } from './training-observer.ts';

/** What a job has of the outside. */
export interface JobContext {
  readonly files: Files;
  /** For people: `cpu`, or the host and, once the device is open, its adapter. */
  readonly backend: string;
  /** Tells the outside something while the job runs: a progress line, a table, a sample. */
  emit(event: JobEvent): void;
  /** Aborted by Ctrl-C or a stop button: the job ends at the next step and keeps what it has. */
  readonly signal: AbortSignal;
  /** The host's WebGPU; opened at first use. Rejects on the CPU backend, and where there is no adapter. */
  gpu(): Promise<GPU>;
  /** The device; opened at first use. Rejects on the CPU backend. */
  device(): Promise<Device>;
  /** Why the device was lost, if it was; waits a moment for that to be known. Absent where a device cannot be lost. */
  lost?(): Promise<string | undefined>;
  /** Gives up the device and opens another; tries for a while, since a crashed driver or browser process needs time to come back. */
  reopen?(): Promise<void>;
  /** An engine on the backend that was asked for, with tuned kernels where it is a GPU. */
  engine(options?: GpuEngineOptions): Promise<Engine>;
  /**
   * Measures kernels for graphs now, and keeps which won beyond the job. Resolves to where that is, absent where the host keeps nothing,
   * and why it could not be written, if so. Rejects on the CPU backend.
   */
  tune(
    graphs: readonly Graph[],
    options: TuneKernelsOptions,
  ): Promise<{ readonly place: string | undefined; readonly failure: string | undefined }>;
  /** A host that shows a training while it runs. */
  readonly live?: TrainingObserver;
  /** Where a training keeps snapshots in memory, if the host wants to see them. */
  readonly memory?: Files;
}

/** Something a job says while it runs. */
export type JobEvent =
  | { readonly type: 'log'; readonly text: string }
  /** A part of the result as it comes, to be put behind the parts before it. */
  | { readonly type: 'piece'; readonly text: string }
  | {
      readonly type: 'progress';
      readonly task: string;
      readonly done: number;
      readonly of: number;
      readonly text: string;
    };

/** A job: arguments and result are plain JSON. */
export type Job<Arguments, Result> = (args: Arguments, context: JobContext) => Promise<Result>;

// A job is what a command does, free of where it runs: the same function is called in Node on Dawn or the CPU, and inside a page in
// Chrome. What it needs of the outside comes through its context; arguments and result are plain JSON.

import type { Engine, GpuEngineOptions } from '../engine/engine.ts';
import type { Files } from '../files/files.ts';
import type { TuneKernelsOptions } from '../gpu/auto-tuning.ts';
import type { Device } from '../gpu/device.ts';
import type { Graph } from '../graph/graph.ts';
import type { LogRecord, Sample } from '../report/training-log.ts';

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
}

/** Event of a training run; plain JSON except that numbers may be NaN. The records of the log are events too: start, step, eval, samples, end. */
export type TrainingEvent =
  | LogRecord
  /** Dev sentences as the model translates them after `step` updates. */
  | { readonly type: 'devSamples'; readonly step: number; readonly samples: readonly Sample[] }
  /** A checkpoint is complete in the model folder. */
  | { readonly type: 'checkpoint'; readonly step: number }
  /** The device was lost, or a new one is open and training continues from `step`. */
  | {
      readonly type: 'recovery';
      readonly state: 'lost' | 'recovered';
      readonly step: number;
      readonly text: string;
    };

/** Event of a running job. */
export type JobEvent =
  | TrainingEvent
  | { readonly type: 'message'; readonly text: string }
  /** Something failed, and the job continues. */
  | { readonly type: 'warning'; readonly text: string }
  /** The next piece of a streamed result. */
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

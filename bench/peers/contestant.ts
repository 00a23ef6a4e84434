// What a library must offer to be timed, and what is handed to it. Each contestant has a file of its own: heddle.ts, tfjs.mjs,
// jax.mjs, ort.mjs.

import type { GoldenCase } from '../../src/formats/golden-case.ts';

import type { KernelChoices } from '../../src/plan/kernel-choices.ts';
import type { KernelArrays, KernelKind } from './peer-kernels.ts';

/** Options of all contestants, by name: those of the peers are listed in peer-options.ts. */
export interface ContestantOptions {
  readonly heddle: {
    readonly choices?: KernelChoices | undefined;
    readonly noFuse?: readonly string[] | undefined;
    /** Choose kernels in the first step, as on an adapter that nothing is known of, within the default time. */
    readonly firstUse?: boolean | undefined;
  };
  readonly tfjs: Readonly<Record<string, string | number>>;
  readonly jax: Readonly<Record<string, string | number>>;
}

/** A library on its device. */
export interface Contestant {
  readonly name: string;
  readonly device: GPUDevice;
  /** Bytes of GPU memory by the library's own account; null where it keeps none. */
  memory(): number | null;
  /** The encoder-decoder of a golden case. Absent where the library cannot train. */
  model?(golden: GoldenCase): TrainedModel;
  /** Single kernels by kind, each in one or several forms; a form that does not fit the arrays gives undefined. */
  readonly kernels: Partial<Record<KernelKind, Readonly<Record<string, KernelMaker>>>>;
}

/** One model with the weights of its case. Everything that must be compiled is compiled in the first call that needs it. */
export interface TrainedModel {
  /** The loss of the batch without an update. */
  loss(): Promise<number>;
  /** The global norm of the gradients before clipping. */
  gradNorm(): Promise<number>;
  /**
   * One step: batch uploaded, forward, backward, clipping, AdamW. Resolves to the loss before the update, once the update has run.
   * All the work of the CPU is done when the promise is returned, from the second step on.
   */
  step(): Promise<number>;
  dispose(): void;
  /** What only the library itself can tell. */
  readonly facts?: StepFacts | undefined;
}

/** Facts about a step that heddle knows. */
export interface StepFacts {
  readonly plannedBytes: number;
  /** What no assignment of results to memory could go below. */
  readonly lowerBoundBytes: number;
  readonly gflop: number;
  /** Median milliseconds of JavaScript in recording and submitting, of the last steps in a row; filling the inputs is not in it. */
  readonly recordMs: number;
}

/** Makes a kernel ready on its inputs, or says by undefined that this form is not for them. */
export type KernelMaker = (arrays: KernelArrays) => KernelRun | undefined | Promise<KernelRun | undefined>;

/** A kernel with its inputs on the GPU. */
export interface KernelRun {
  /** Runs it `times` times; resolves when the last has ended. */
  run(times: number): Promise<void>;
  /** Runs it once and reads its result (the first of several). */
  read(): Promise<Float32Array>;
  dispose(): void;
}

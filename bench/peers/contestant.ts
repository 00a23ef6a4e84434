// Interface of a contestant: a library that the benchmark measures. Implementations: heddle-contestant.ts,
// tfjs.mjs, jax.mjs, ort.mjs.

import type { GoldenCase } from '../../src/commands/jobs/verify/golden-case.ts';

import type { KernelChoices } from '../../src/engine/plan/kernel-choices.ts';
import type { KernelArrays, KernelKind } from './peer-kernels.ts';

/** Options of all contestants, by name; peer-options.ts lists the options of the peers. */
export interface ContestantOptions {
  readonly heddle: {
    readonly choices?: KernelChoices | undefined;
    readonly noFuse?: readonly string[] | undefined;
    /**
     * Auto-tune kernels in the first step with the default time budget, as on an adapter without stored
     * kernel choices.
     */
    readonly firstUse?: boolean | undefined;
  };
  readonly tfjs: Readonly<Record<string, string | number>>;
  readonly jax: Readonly<Record<string, string | number>>;
}

/** A library on its device. */
export interface Contestant {
  readonly name: string;
  readonly device: GPUDevice;
  /** Bytes of GPU memory that the library reports; null if it reports none. */
  memory(): number | null;
  /** Creates the encoder-decoder of a golden case. Absent if the library cannot train. */
  model?(golden: GoldenCase): TrainedModel;
  /** Single kernels by kind, each in one or several forms. */
  readonly kernels: Partial<Record<KernelKind, Readonly<Record<string, KernelMaker>>>>;
}

/**
 * One model with the weights of its case. Kernels are compiled in the first call that needs them.
 */
export interface TrainedModel {
  /** The loss of the batch without an update. */
  loss(): Promise<number>;
  /** The global norm of the gradients before clipping. */
  gradNorm(): Promise<number>;
  /**
   * One step: batch uploaded, forward, backward, clipping, AdamW. Resolves to the loss before the update,
   * once the update has run. From the second step on, all CPU work is done when the promise is returned.
   */
  step(): Promise<number>;
  dispose(): void;
  /** Facts that only the library itself can report. */
  readonly facts?: StepFacts | undefined;
}

/** Facts that heddle reports about a step. */
export interface StepFacts {
  readonly plannedBytes: number;
  /** Lower bound of the bytes of any memory plan. */
  readonly lowerBoundBytes: number;
  readonly gflop: number;
  /**
   * Median milliseconds of JavaScript to record and submit, over the last consecutive steps, without filling
   * the inputs.
   */
  readonly recordMs: number;
}

/** Prepares a kernel on its inputs; returns undefined if this form does not support them. */
export type KernelMaker = (arrays: KernelArrays) => KernelRun | undefined | Promise<KernelRun | undefined>;

/** A kernel with its inputs on the GPU. */
export interface KernelRun {
  /** Runs it `times` times; resolves when the last has ended. */
  run(times: number): Promise<void>;
  /** Runs it once and reads its result (the first of several). */
  read(): Promise<Float32Array>;
  dispose(): void;
}

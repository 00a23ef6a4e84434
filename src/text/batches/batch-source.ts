// The batches of a training: a source of batches, and the steps that take one source and return another. The main
// house has the plain source, buckets of shuffled rows; guests bring steps (mixtures, augmentation, masks, ...).

import { type BatchArrays, type Batches, createBatches, fillBatch } from './batches.ts';
import type { BatchShape } from './buckets.ts';
import { type EncodedCorpus, targetLength } from './encoded-corpus.ts';

/** A batch: its shape, the number of its target tokens, and a function that writes its arrays. */
export interface Batch {
  /** Index in the shapes of the training. */
  readonly shape: number;
  /** Number of target tokens, without padding. */
  readonly tokens: number;
  fill(arrays: BatchArrays): unknown;
}

/** The batches of a training in order. */
export interface BatchSource {
  readonly corpus: EncodedCorpus;
  readonly shapes: readonly BatchShape[];
  /** The rows of each batch. */
  readonly order: Batches;
  /** Batch `index`, from 0; a promise if threads make it. */
  at(index: number): Batch | Promise<Batch>;
  /** The stages of the data. [one, as long as the run] */
  readonly stages?: BatchStages;
  /** Stops the threads that make batches. */
  close(): Promise<void>;
}

/** A stage of a corpus of several files: their weights, and when the stage ends. */
export interface Stage {
  /** Weight of each file; 0: not in this stage. Their sum is 1. */
  readonly weights: readonly number[];
  /** Number of updates of the stage; without it and `stalls` the stage lasts to the end of the run. */
  readonly steps?: number;
  /** The stage ends after this number of consecutive evaluations on the dev pairs without improvement. */
  readonly stalls?: number;
}

/** The start of a stage. */
export interface StageStart {
  /** Number of updates before the stage. */
  readonly step: number;
  /** Number of the stage, from 1, and of all stages. */
  readonly stage: number;
  readonly stages: number;
  /** The data of the stage in words. */
  readonly data: string;
}

/** The stages that have started; stored in state.json. */
export interface StageState {
  /** Number of updates before each stage. */
  readonly starts: readonly number[];
  /** Evaluations of the current stage: their number, the best value, and how many followed it. */
  readonly evaluations: number;
  readonly best?: number;
  readonly since: number;
  /** Step of the last evaluation. */
  readonly until?: number;
}

/** What stages need of a run. */
export interface StageOptions {
  readonly patience: number;
  readonly gradientAccumulationSteps: number;
  /** Stages in the checkpoint of a resumed run. */
  readonly before: StageState | undefined;
  /** Whether a value of the metric of evaluations is better than another. */
  isBetter(value: number, than: number): boolean;
  /** Number of updates done. */
  step(): number;
  /** Updates between evaluations; 0: none. */
  evalSteps(): number;
  /** Receives the start of a stage, and whether an earlier session has reported it. */
  onStart(stage: StageStart, isKnown: boolean): void;
}

/** The stages of a running training: work between two updates, after the evaluation. */
export interface RunningStages {
  /** The state for state.json. */
  readonly state: StageState;
  /** Whether early stopping may end the run. */
  readonly mayStop: boolean;
  /** Counts an evaluation: its step, and the value of the metric of the run. */
  consider(step: number, value: number): void;
  due(): boolean;
  pause(): Promise<void>;
}

/** The stages of a source of batches. */
export interface BatchStages {
  /** Starts the next stage at a batch. */
  start(index: number): void;
  /**
   * Opens the stages of a run, which call `start` for each further stage. Throws a HeddleError if a stage waits for
   * evaluations that the run does not have.
   */
  open(options: StageOptions, start?: (index: number) => void): RunningStages;
}

/** Batch `index` of a corpus, from 0, with the rows of an order. */
export const batchOf = (order: Batches, corpus: EncodedCorpus, index: number): Batch => ({
  shape: order.shapeAt(index),
  tokens: order.rowsAt(index).reduce((n, row) => n + targetLength(corpus, row), 0),
  fill: (arrays) => order.fill(index, arrays),
});

/** A batch of all rows of a small corpus, such as rows that a step has made for one batch. */
export function wholeBatch(rows: EncodedCorpus, shapes: readonly BatchShape[], shape: number): Batch {
  const all = Uint32Array.from({ length: rows.count }, (_, row) => row);
  return {
    shape,
    tokens: all.reduce((n, row) => n + targetLength(rows, row), 0),
    fill: (arrays) => fillBatch(arrays, shapes[shape] as BatchShape, rows, all),
  };
}

/** The plain source: batches of a corpus in an order of rows. */
export const batchesInOrder = (
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  order: Batches,
): BatchSource => ({
  corpus,
  shapes,
  order,
  at: (index) => batchOf(order, corpus, index),
  close: async () => undefined,
});

/** The plain source of a training: every epoch has every row once, shuffled. Throws as `createBatches`. */
export const shuffledBatches = (
  corpus: EncodedCorpus,
  shapes: readonly BatchShape[],
  seed: number,
): BatchSource => batchesInOrder(corpus, shapes, createBatches(corpus, shapes, { seed }));

// Faults at one operation on files, in each way that an operation can fail.

import type { TrainOptions } from '../../src/entries/train-with-features.ts';
import type { Files } from '../../src/files/files.ts';

/**
 * Ways of a fault: the process dies before the operation, so that nothing is done any more; the operation fails, and
 * later ones work; the operation is done, but reports an error.
 */
export const faultWays = ['crash', 'error', 'error after it was done'] as const;

/** Counts operations, and makes one of them fail. */
export class Faults {
  /** Operations so far. */
  count = 0;
  /** Whether the fault has happened. */
  happened = false;
  readonly #way: (typeof faultWays)[number];
  readonly #at: number;
  readonly #error: () => Error;

  /** `at`: the number of the operation that fails, from 0. `error`: what it throws. */
  constructor(way: (typeof faultWays)[number], at: number, error: () => Error = () => new Error('a fault')) {
    this.#way = way;
    this.#at = at;
    this.#error = error;
  }

  /** Does an operation, unless it is the one that fails. `drop` receives the result that the caller does not get. */
  async run<T>(operation: () => Promise<T>, drop?: (result: T) => unknown): Promise<T> {
    const number = this.count++;
    const fails = this.#way === 'crash' ? number >= this.#at : number === this.#at;
    if (!fails) return operation();
    this.happened = true;
    if (this.#way !== 'error after it was done') throw this.#error();
    await drop?.(await operation());
    throw this.#error();
  }
}

/** Files whose operations may fail, those that read too. */
export const faultyFiles = (files: Files, faults: Faults): Files =>
  Object.fromEntries(
    Object.entries(files).map(([name, operation]: [string, (...given: unknown[]) => Promise<unknown>]) => [
      name,
      (...given: unknown[]) => faults.run(() => operation(...given)),
    ]),
  ) as unknown as Files;

/** Options of a training whose every step saves a checkpoint to `run`, and its weights to a folder of the step. */
export const savingOptions: TrainOptions = {
  device: 'cpu',
  tune: false,
  checkpoint: 'run',
  tokenizer: 'char',
  batchSize: 4,
  heldOut: 0,
  saveSteps: 1,
  keepLast: 2,
  model: { dModel: 4, heads: 1, encoderLayers: 1, decoderLayers: 1, feedForward: 4, maxLength: 8 },
};

/** The pairs of that training. */
export const savingPairs = ['ab', 'ba', 'cab', 'bac'].map((source) => ({
  source,
  target: [...source].reverse().join(''),
}));

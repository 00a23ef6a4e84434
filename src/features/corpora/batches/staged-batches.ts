// Batches of a training in stages: each stage has batches of its own from its first update on.

import type { BatchArrays, Batches } from '../../../text/batches/batches.ts';

/** The batches of all stages by index from 0. Stages start in order, the first at 0. */
export class StagedBatches<Part extends Batches = Batches> implements Batches {
  /** The batches of each stage. */
  readonly stages: readonly Part[];
  /** Index of the first batch of each stage that has started. */
  readonly #starts: number[] = [0];

  constructor(stages: readonly Part[]) {
    this.stages = stages;
  }

  /** Number of batches per epoch of the first stage. */
  get perEpoch(): number {
    return this.stages[0]?.perEpoch ?? 0;
  }

  /** Starts the next stage at a batch. */
  start(index: number): void {
    this.#starts.push(index);
  }

  shapeAt(index: number): number {
    const { batches, from } = this.#stageOf(index);
    return batches.shapeAt(index - from);
  }

  rowsAt(index: number): Uint32Array {
    const { batches, from } = this.#stageOf(index);
    return batches.rowsAt(index - from);
  }

  /** Each batch of each stage draws its own pieces. */
  drawAt(index: number): number {
    return index;
  }

  fill(index: number, arrays: BatchArrays): number {
    const { batches, from } = this.#stageOf(index);
    return batches.fill(index - from, arrays);
  }

  #stageOf(index: number): { readonly batches: Batches; readonly from: number } {
    const at = this.#starts.findLastIndex((start) => start <= index);
    return { batches: this.stages[at] as Batches, from: this.#starts[at] as number };
  }
}

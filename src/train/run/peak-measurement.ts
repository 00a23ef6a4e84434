// The peak rate of the adapter, measured during a run for the utilization in its log (MFU).

import type { TrainingSession } from '../report/training-events.ts';
import type { Pause } from './loop.ts';

/** Measures the peak rate of the adapter, after the first update so that it does not delay it. */
export class PeakMeasurement implements Pause {
  /** GFLOP/s; undefined until it is measured, and if it is unknown. */
  gflops: number | undefined;
  readonly #session: TrainingSession;
  #isDone = false;

  constructor(session: TrainingSession) {
    this.#session = session;
  }

  due(): boolean {
    return !this.#isDone;
  }

  /** Measures the peak. An abort does not wait for it: on a software adapter it takes seconds. */
  async pause(): Promise<void> {
    const { kernels, signal } = this.#session;
    if (!this.#isDone)
      this.gflops = await this.#session
        .untilAborted(() => kernels.peakGflops())
        .catch((error: unknown) => {
          if (!signal.aborted) throw error;
          return undefined;
        });
    this.#isDone = true;
  }
}

// The pace of a run: whether its updates have become much slower, as they do on a device that is hot, saves power or
// has other work. Batches differ in size, so that times are compared per floating-point operation.

import { fixed, type Message, msg, option } from '../../core/message.ts';

/** Updates before the first times that count: they compile kernels, and the device speeds up. */
const warmup = 4;

/** Number of updates whose median is compared. */
const window = 16;

/** A run is slow if the median has doubled, and not slow again below `recovered`. */
const slow = 2;
const recovered = 1.5;

/** Seconds for which it is slow before it says so: other programs may work for a moment. */
const patience = 10;

/** How much slower the updates are than the first ones. */
export interface Slowdown {
  /** Median of the last updates over that of the first ones. */
  readonly times: number;
  /** Milliseconds of an update of the same size, then and now. */
  readonly firstMs: number;
  readonly nowMs: number;
}

/** Compares the times of updates with the first stable ones. */
export class StepPace {
  #updates = 0;
  /** The first stable times, and the last ones, in seconds per unit of work. */
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  /** Seconds of the updates since the run is slow. */
  #slowSeconds = 0;
  #isSaid = false;

  /**
   * Counts an update of `seconds` and `work` (floating-point operations, or tokens). Returns the slowdown when the
   * updates have become slow, once until they are faster again.
   */
  add(seconds: number, work: number): Slowdown | undefined {
    if (!(work > 0) || ++this.#updates <= warmup) return undefined;
    const time = seconds / work;
    if (this.#first.length < window) {
      this.#first.push(time);
      return undefined;
    }
    this.#last.push(time);
    if (this.#last.length > window) this.#last.shift();
    if (this.#last.length < window) return undefined;
    const [first, last] = [median(this.#first), median(this.#last)];
    const times = last / first;
    this.#slowSeconds = times < slow ? 0 : this.#slowSeconds + seconds;
    if (times < recovered) this.#isSaid = false;
    if (this.#slowSeconds < patience || this.#isSaid) return undefined;
    this.#isSaid = true;
    return { times, firstMs: 1000 * first * work, nowMs: 1000 * last * work };
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
};

/** What a run says about a slowdown. */
export const slowdownText = ({ times, firstMs, nowMs }: Slowdown): Message =>
  msg`A step takes ${fixed(times, 1)} times as long as at the start (${Math.round(nowMs)} ms, ${Math.round(firstMs)} ms then): the device is hot, saves power, or has other work. Stop and resume when it has cooled, resume with a smaller ${option('batchSize')} or a larger ${option('evalSteps')}, or go on.`;

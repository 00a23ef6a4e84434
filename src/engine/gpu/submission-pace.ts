// The pace of a device: how much work one submission may have. Drivers of phones reset the GPU if a submission
// runs too long (a watchdog), so a run is then cut into several submissions at pass boundaries, sized by the
// measured time. The passes and their order do not change, so neither do the bits of a result.

import type { Pass, Plan } from '../plan/plan.ts';
import { whenDone } from './readback.ts';

/** Limits of submissions. Without any, a run is one submission. */
export interface SubmissionLimits {
  /** Maximum duration of a submission in milliseconds, as measured on the device. */
  readonly maxMs?: number;
  /** Maximum cost of a submission (see `passCost`), an eighth of the largest one that a lost device could have cut. */
  readonly maxCost?: number;
}

/** What the device has of submissions; shared by all wrappers of the device. */
export interface Submissions {
  /** Sizes submissions; absent if each run is one. */
  pace?: SubmissionPace;
  /** The plan with the most FLOPs of those that ran as one submission. */
  largest?: Plan;
}

/** Maximum duration of a submission on devices with a watchdog, in milliseconds. */
export const watchdogMs = 100;

/**
 * Cost per millisecond that the first submissions assume, before any time is known: 10 MFLOP/s, so that a pass
 * of some size is a submission of its own. It doubles at most with each measured submission, like the slow start
 * of TCP.
 */
const initialRate = 1e4;

/** A submission is planned for this share of the maximum duration, since passes differ in speed. */
const plannedShare = 0.5;

/** Weight of earlier submissions in the measured rate, per submission. */
const memory = 0.75;

/** A submission costs at most this share of the largest one of the device that was lost. */
const shareAfterLoss = 1 / 8;

/**
 * Cost of a pass in units of a FLOP. A byte that is read or written counts as four, as it takes that long on
 * phones, where memory limits most kernels.
 */
export const passCost = ({ flops, bind }: Pass): number =>
  1 + flops + 4 * Object.values(bind).reduce((bytes, range) => bytes + range.bytes, 0);

/** Costs of the passes of plans, in the order of the passes. */
const costs = new WeakMap<Plan, Float64Array>();

function costsOf(plan: Plan): Float64Array {
  const known = costs.get(plan) ?? Float64Array.from(plan.passes, passCost);
  costs.set(plan, known);
  return known;
}

/** Sizes the submissions of one device. */
export class SubmissionPace {
  /** Present limits. */
  readonly limits: SubmissionLimits;
  /** Measured cost per millisecond. */
  #rate = initialRate;
  /** Sums of the measured submissions, each weighted by `memory` for each later one. */
  #measuredCost = 0;
  #measuredMs = 0;
  /** When the last measured submission was done. */
  #lastDone = 0;
  /** Cost and number of the last passes of `take`. */
  #next = 0;
  #passes = 0;
  /** Cost of the largest submission so far of several passes: one of a single pass cannot be smaller. */
  #largest = 0;

  constructor(limits: SubmissionLimits = {}) {
    this.limits = limits;
  }

  /** Maximum cost of the next submission. */
  get budget(): number {
    const { maxMs = watchdogMs, maxCost = Number.POSITIVE_INFINITY } = this.limits;
    return Math.min(maxCost, this.#rate * maxMs * plannedShare);
  }

  /**
   * Takes the passes of the next submission from a sequence of `count` passes that repeats a plan; `from` is
   * the first one. Returns the index behind the last one. A pass that exceeds the budget is a submission of
   * its own.
   */
  take(plan: Plan, from: number, count: number): number {
    const { budget } = this;
    const each = costsOf(plan);
    let to = from;
    this.#next = 0;
    for (; to < count; to++) {
      const cost = each[to % each.length] as number;
      if (to > from && this.#next + cost > budget) break;
      this.#next += cost;
    }
    this.#passes = to - from;
    return to;
  }

  /** Measures the passes of `take`, which were submitted. */
  submitted(queue: GPUQueue): void {
    const cost = this.#next;
    if (this.#passes > 1) this.#largest = Math.max(this.#largest, cost);
    const start = performance.now();
    whenDone(queue, queue.onSubmittedWorkDone()).then(
      () => {
        const now = performance.now();
        this.#measured(cost, now - Math.max(start, this.#lastDone));
        this.#lastDone = now;
      },
      () => undefined, // the device was lost, which others report
    );
  }

  /** Limits for the device that replaces this one after its loss; undefined if they cannot be lower. */
  get afterLoss(): SubmissionLimits | undefined {
    if (this.#largest === 0) return undefined;
    return { maxMs: this.limits.maxMs, maxCost: this.#largest * shareAfterLoss };
  }

  /** A measured submission. The rate falls at once if it took too long, and otherwise follows the mean. */
  #measured(cost: number, ms: number): void {
    const { maxMs = watchdogMs } = this.limits;
    this.#measuredCost = memory * this.#measuredCost + cost;
    this.#measuredMs = memory * this.#measuredMs + Math.max(ms, 0.01);
    const mean = this.#measuredCost / this.#measuredMs;
    this.#rate = ms > maxMs ? Math.min(this.#rate, cost / ms) : Math.min(2 * this.#rate, mean);
  }
}

/**
 * Limits for the device that replaces a lost one; undefined if nothing was submitted, or if each submission
 * had a single pass, so that they cannot be smaller.
 */
export function limitsAfterLoss({ pace, largest }: Submissions): SubmissionLimits | undefined {
  if (pace) return pace.afterLoss;
  if (!largest || largest.passes.length < 2) return undefined;
  return { maxCost: costsOf(largest).reduce((sum, cost) => sum + cost, 0) * shareAfterLoss };
}

/** How submissions are limited, for messages. */
export const describeLimits = ({ maxMs = watchdogMs }: SubmissionLimits): string =>
  `in submissions of at most ${maxMs} ms`;

// The best model of a run: it gets the weights of the best evaluation on the dev pairs, or the last weights if
// there is no evaluation.

import { type Message, msg } from '../../core/message.ts';
import { isBetter, type Metric, metricValue } from '../../text/metrics/metric.ts';
import type { LogEval } from '../report/training-log.ts';

/** The best evaluation so far; stored in state.json. */
export interface BestState {
  /** Name of the metric. */
  readonly metric: string;
  /** Its value. */
  readonly value: number;
  /** Number of updates done. */
  readonly step: number;
  /** Number of evaluations without improvement since then. */
  readonly since: number;
  /** Number of updates before the last of these evaluations. */
  readonly until?: number;
}

/** Settings of the selection. */
export interface BestOptions {
  readonly metric: Metric;
  /** Early stopping: number of consecutive evaluations without improvement; 0: never. */
  readonly patience: number;
  /** Updates between evaluations. */
  readonly evalSteps: number;
}

/** An evaluation and its weights. */
export interface Candidate {
  readonly state: BestState;
  readonly weights: Float32Array;
}

/**
 * Selects the best weights. An evaluation at the end of a session, between multiples of `evalSteps`, selects
 * only the model of that session. It does not count for the rest of the run, so that a resumed run ends with
 * the same bits as an uninterrupted one.
 */
export class BestModel {
  readonly #metric: Metric;
  readonly #patience: number;
  readonly #live: Pick<BestOptions, 'evalSteps'>;
  /** The best evaluation at a multiple of `evalSteps`. */
  #kept: Candidate | undefined;
  /** The evaluation at the end of the session, if it is better. */
  #last: Candidate | undefined;

  /** `live`: settings that may change during the run. `before`: the best evaluation in a checkpoint. */
  constructor(
    { metric, patience }: Pick<BestOptions, 'metric' | 'patience'>,
    live: Pick<BestOptions, 'evalSteps'>,
    before?: Candidate,
  ) {
    this.#metric = metric;
    this.#patience = patience;
    this.#live = live;
    this.#kept = before?.state.metric === metric.name ? before : undefined;
  }

  /** The best evaluation, or the one at the end of the session if it is better. */
  get state(): BestState | undefined {
    return (this.#last ?? this.#kept)?.state;
  }

  /** The state for state.json. */
  get kept(): BestState | undefined {
    return this.#kept?.state;
  }

  /** Weights of the best evaluation; undefined if there was none. */
  get weights(): Float32Array | undefined {
    return (this.#last ?? this.#kept)?.weights;
  }

  /** Weights of the best evaluation at a multiple of `evalSteps`, if `weights` has others. */
  get earlier(): Float32Array | undefined {
    return this.#last ? this.#kept?.weights : undefined;
  }

  get outOfPatience(): boolean {
    return this.#patience > 0 && (this.#kept?.state.since ?? 0) >= this.#patience;
  }

  /** Compares an evaluation with the best one; reads its `weights` if it is better. */
  async consider(found: LogEval, weights: () => Promise<Float32Array>): Promise<void> {
    const { step } = found;
    const metric = this.#metric;
    const value = metricValue(found, metric) ?? Number.NaN;
    const kept = this.#kept;
    const improves = Number.isFinite(value) && (!kept || isBetter(metric, value, kept.state.value));
    const candidate = improves
      ? { state: { metric: metric.name, value, step, since: 0, until: step }, weights: await weights() }
      : undefined;
    this.#last = undefined;
    if (step % this.#live.evalSteps !== 0) this.#last = candidate;
    else if (candidate) this.#kept = candidate;
    else if (kept && step > (kept.state.until ?? kept.state.step))
      this.#kept = { ...kept, state: { ...kept.state, since: kept.state.since + 1, until: step } };
  }
}

/** Returns a message: `the model has the weights of step 300, the best by chrf: 61.20`. */
export const describeBest = ({ metric, value, step }: BestState): Message =>
  msg`the model has the weights of step ${step}, the best by ${metric}: ${value.toPrecision(4)}`;

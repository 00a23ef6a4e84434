// Which weights become the model: those of the best evaluation on the dev set so far, or the last ones where there is none.

import { check } from '../core/errors.ts';
import type { LogEval } from '../report/training-log.ts';

/** Metrics of the dev set by which the best weights are known. */
export const bestMetrics = ['loss', 'perplexity', 'tokenAccuracy', 'bleu', 'chrf', 'exactMatch'] as const;
/** One of them by name. */
export type BestMetric = (typeof bestMetrics)[number];

const fromTranslations: readonly BestMetric[] = ['bleu', 'chrf', 'exactMatch'];
const lessIsBetter: readonly BestMetric[] = ['loss', 'perplexity'];

/** The best evaluation so far; kept in state.json. */
export interface BestState {
  readonly metric: BestMetric;
  readonly value: number;
  /** Updates that had been done. */
  readonly step: number;
  /** Evaluations since, none of them better, and how many updates had been done at the last of them. */
  readonly since: number;
  readonly until?: number;
}

/** How the best weights are chosen. */
export interface BestOptions {
  readonly bestMetric: BestMetric;
  /** Evaluations in a row without a better one after which training ends; 0: never. */
  readonly patience: number;
  /** Updates from one evaluation to the next. */
  readonly evalSteps: number;
  /** Sentences that are translated at each. */
  readonly devSentences: number;
}

/** Refuses a choice that no evaluation could make; throws a HeddleError that names the options. */
export function checkBest({ bestMetric: metric, patience, evalSteps, devSentences }: BestOptions): void {
  check(bestMetrics.includes(metric), `train: best by ${metric}, which is not one of ${bestMetrics.join(', ')}`);
  check(patience === 0 || evalSteps > 0, `train: a patience of ${patience} needs evaluations; give --eval-every`);
  check(metric === 'loss' || evalSteps > 0, `train: the best by ${metric} needs evaluations; give --eval-every`);
  check(
    evalSteps === 0 || devSentences > 0 || !fromTranslations.includes(metric),
    `train: ${metric} is of translations; give --dev-sentences, or choose the best by loss`,
  );
}

/** Weights of an evaluation. */
export interface Candidate {
  readonly state: BestState;
  readonly weights: Float32Array;
}

/**
 * Keeps the best weights. Only evaluations on a multiple of `evalSteps` go on into later parts of a training: one at the end of a
 * part chooses that part's model and no more, so that a training in parts and one in one go end in the same bits.
 */
export interface BestModel {
  /** The best evaluation, that of the end too. */
  readonly state: BestState | undefined;
  /** What state.json keeps. */
  readonly kept: BestState | undefined;
  readonly outOfPatience: boolean;
  /** Takes an evaluation; `weights` are read where it is better. */
  consider(found: LogEval, weights: () => Promise<Float32Array>): Promise<void>;
  /** Weights of the best evaluation; undefined where there was none. */
  weights(): Float32Array | undefined;
  /** The kept weights, where those of the end are better still. */
  outdone(): Float32Array | undefined;
}

/** Starts, or goes on from what a checkpoint kept. */
export function createBestModel(
  { bestMetric: metric, patience, evalSteps }: BestOptions,
  before?: Candidate,
): BestModel {
  const sign = lessIsBetter.includes(metric) ? -1 : 1;
  const better = (value: number, than?: BestState) =>
    Number.isFinite(value) && (than === undefined || sign * value > sign * than.value);
  let kept = before?.state.metric === metric ? before : undefined;
  let last: Candidate | undefined;
  return {
    get state() {
      return (last ?? kept)?.state;
    },
    get kept() {
      return kept?.state;
    },
    get outOfPatience() {
      return patience > 0 && (kept?.state.since ?? 0) >= patience;
    },
    async consider(found, weights) {
      const { step } = found;
      const value = found[metric] ?? Number.NaN;
      const isBetter = better(value, kept?.state);
      const candidate = isBetter
        ? { state: { metric, value, step, since: 0, until: step }, weights: await weights() }
        : undefined;
      last = undefined;
      if (step % evalSteps !== 0) last = candidate;
      else if (candidate) kept = candidate;
      else if (kept && step > (kept.state.until ?? kept.state.step))
        kept = { ...kept, state: { ...kept.state, since: kept.state.since + 1, until: step } };
    },
    weights: () => (last ?? kept)?.weights,
    outdone: () => (last ? kept?.weights : undefined),
  };
}

/** The choice as a line: `the model has the weights of step 300, the best by chrf: 61.20`. */
export const describeBest = ({ metric, value, step }: BestState): string =>
  `the model has the weights of step ${step}, the best by ${metric}: ${value.toPrecision(4)}`;

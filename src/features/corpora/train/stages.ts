// The stages of a run: each has its own proportions of the corpora, and ends after a number of updates, or when
// evaluations on the dev pairs stop improving. Checkpoints have what a resumed run needs.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import type { CorpusArguments } from '../../../train/data/load-corpus.ts';
import type { LogEval, LogStage } from '../../../train/report/training-log.ts';
import { isBetter } from '../../../train/run/best-model.ts';
import type { Pause } from '../../../train/run/loop.ts';
import type { CompleteArguments } from '../../../train/settings/train-arguments.ts';
import type { Stage } from '../batches/mixed-batches.ts';
import { describeStage } from '../corpus-stages.ts';

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

type StagedCorpus = Extract<CorpusArguments, { readonly kind: 'files' }>;

/** What the stages need of a run. */
export interface StageOptions {
  readonly args: Pick<
    CompleteArguments,
    'corpus' | 'bestMetric' | 'patience' | 'evalSteps' | 'gradientAccumulationSteps'
  >;
  /** Starts the next stage at a batch. */
  readonly startStage: (batch: number) => void;
  /** Stages in the checkpoint of a resumed run. */
  readonly before: StageState | undefined;
  /** Number of updates done. */
  readonly step: () => number;
  /** Updates between evaluations. */
  readonly evalSteps: () => number;
  /** Receives the start of a stage, and whether an earlier session has reported it. */
  readonly onStart: (stage: LogStage, isKnown: boolean) => void;
}

/** Starts the stages of a run, as a pause after the evaluation. */
export class StageRun implements Pause {
  readonly #options: StageOptions;
  readonly #corpus: StagedCorpus;
  readonly #stages: readonly Stage[];
  #state: StageState;

  /** Throws a HeddleError if a stage waits for evaluations that the settings do not have. */
  constructor(options: StageOptions) {
    const { args, startStage, before, onStart } = options;
    this.#options = options;
    this.#corpus = args.corpus as StagedCorpus;
    this.#stages = this.#corpus.stages ?? [];
    check(
      this.#stages.every(({ stalls }) => stalls === undefined) || args.evalSteps > 0,
      msg`a stage with stalls needs dev pairs and evaluations (${option('evalSteps')})`,
      { area: 'train' },
    );
    this.#state = before ?? { starts: [0], evaluations: 0, since: 0 };
    for (const start of this.#state.starts.slice(1)) startStage(this.#batchOf(start));
    onStart(this.#record(this.#state.starts.at(-1) as number), before !== undefined);
    this.#advance();
  }

  /** The state for state.json. */
  get state(): StageState {
    return this.#state;
  }

  /** Whether early stopping with this patience may end the run: the last stage has had enough evaluations. */
  get mayStop(): boolean {
    return this.#isLast && this.#state.evaluations >= this.#options.args.patience;
  }

  /** Counts an evaluation. One between multiples of `evalSteps`, at the end of a session, does not count. */
  consider(found: LogEval): void {
    const { args, evalSteps } = this.#options;
    const { step } = found;
    const every = evalSteps();
    if (every === 0 || step % every !== 0 || step <= (this.#state.until ?? 0)) return;
    const value = found[args.bestMetric] ?? Number.NaN;
    const { best, since, evaluations } = this.#state;
    const improves = Number.isFinite(value) && (best === undefined || isBetter(args.bestMetric, value, best));
    this.#state = {
      ...this.#state,
      evaluations: evaluations + 1,
      best: improves ? value : best,
      since: improves ? 0 : since + 1,
      until: step,
    };
  }

  due(): boolean {
    const every = this.#options.evalSteps();
    // Whether the stage ends may be decided by the evaluation after this step.
    const mayStall = this.#current.stalls !== undefined && every > 0 && this.#options.step() % every === 0;
    return this.#isOver || mayStall;
  }

  async pause(): Promise<void> {
    this.#advance();
  }

  get #current(): Stage {
    return this.#stages[this.#state.starts.length - 1] as Stage;
  }

  get #isLast(): boolean {
    return this.#state.starts.length === this.#stages.length;
  }

  get #isOver(): boolean {
    const { steps, stalls } = this.#current;
    if (this.#isLast) return false;
    const begin = this.#state.starts.at(-1) as number;
    if (steps !== undefined) return this.#options.step() >= begin + steps;
    return stalls !== undefined && this.#state.since >= stalls;
  }

  /** Starts the next stage if the current one is over. */
  #advance(): void {
    if (!this.#isOver) return;
    const { startStage, step, onStart } = this.#options;
    const start = step();
    const { starts, until } = this.#state;
    this.#state = { starts: [...starts, start], evaluations: 0, since: 0, until };
    startStage(this.#batchOf(start));
    onStart(this.#record(start), false);
  }

  #batchOf(step: number): number {
    return step * this.#options.args.gradientAccumulationSteps;
  }

  #record(step: number): LogStage {
    const data = describeStage(this.#current, this.#corpus.train);
    const stage = this.#state.starts.length;
    return { type: 'stage', step, stage, stages: this.#stages.length, data };
  }
}

/** A stage in words: `stage 1 of 2: 80 % clean.tsv, 20 % bt.tsv, after 0 steps`. */
export const describeStart = ({ step, stage, stages, data }: LogStage): string =>
  stages === 1 ? `training data: ${data}` : `stage ${stage} of ${stages} after ${step} steps: ${data}`;

// The stages of a run: each has its own proportions of the corpora, and ends after a number of updates, or when
// evaluations on the dev pairs stop improving. Checkpoints have what a resumed run needs.

import { check } from '../../../core/errors.ts';
import { msg, option } from '../../../core/message.ts';
import type {
  RunningStages,
  Stage,
  StageOptions,
  StageStart,
  StageState,
} from '../../../text/batches/batch-source.ts';
import type { PairFiles } from '../../../text/corpus/pair-files.ts';
import { describeStage } from '../corpus-stages.ts';

/** Starts the stages of a run, as work after the evaluation. */
export class StageRun implements RunningStages {
  readonly #options: StageOptions;
  readonly #train: PairFiles;
  readonly #stages: readonly Stage[];
  readonly #start: (batch: number) => void;
  #state: StageState;

  /**
   * `train`: the files whose weights the stages have; `start` starts the next stage at a batch. Throws a HeddleError if
   * a stage waits for evaluations that the run does not have.
   */
  constructor(
    train: PairFiles,
    stages: readonly Stage[],
    start: (batch: number) => void,
    options: StageOptions,
  ) {
    const { before, onStart, evalSteps } = options;
    this.#options = options;
    this.#train = train;
    this.#stages = stages;
    this.#start = start;
    check(
      stages.every(({ stalls }) => stalls === undefined) || evalSteps() > 0,
      msg`a stage with stalls needs dev pairs and evaluations (${option('evalSteps')})`,
      { area: 'train' },
    );
    this.#state = before ?? { starts: [0], evaluations: 0, since: 0 };
    for (const step of this.#state.starts.slice(1)) start(this.#batchOf(step));
    onStart(this.#record(this.#state.starts.at(-1) as number), before !== undefined);
    this.#advance();
  }

  /** The state for state.json. */
  get state(): StageState {
    return this.#state;
  }

  /** Whether early stopping with this patience may end the run: the last stage has had enough evaluations. */
  get mayStop(): boolean {
    return this.#isLast && this.#state.evaluations >= this.#options.patience;
  }

  /** Counts an evaluation. One between multiples of `evalSteps`, at the end of a session, does not count. */
  consider(step: number, value: number): void {
    const { evalSteps, isBetter } = this.#options;
    const every = evalSteps();
    if (every === 0 || step % every !== 0 || step <= (this.#state.until ?? 0)) return;
    const { best, since, evaluations } = this.#state;
    const improves = Number.isFinite(value) && (best === undefined || isBetter(value, best));
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
    const { step, onStart } = this.#options;
    const start = step();
    const { starts, until } = this.#state;
    this.#state = { starts: [...starts, start], evaluations: 0, since: 0, until };
    this.#start(this.#batchOf(start));
    onStart(this.#record(start), false);
  }

  #batchOf(step: number): number {
    return step * this.#options.gradientAccumulationSteps;
  }

  #record(step: number): StageStart {
    const data = describeStage(this.#current, this.#train);
    return { step, stage: this.#state.starts.length, stages: this.#stages.length, data };
  }
}

// The training loop: passes batches in order to the trainer, reports each step, and pauses for evaluations and
// checkpoints. Between two updates, the training gate lets a host, such as the training page, pause the run and
// use its model.

import { HeddleError } from '../../core/errors.ts';
import { fixed, msg, option, percentage } from '../../core/message.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import { lossScales } from '../../engine/ops/optimizer/clip.ts';
import type { Plan } from '../../engine/plan/plan.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { Batch } from '../../text/batches/batch-source.ts';
import type { LiveSettings } from '../report/run-changes.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { StepReport, Trainer } from '../update/trainer.ts';
import { StepPace, slowdownText } from './step-pace.ts';

/** Callbacks of a training run; the run waits for them. `Model`: what the host gets to use the model. */
export interface TrainingGate<Model = ModelOnEngine> {
  /** Called before the first update, and again after a lost device. */
  ready(running: RunningTraining<Model>): void;
  /**
   * Called before each update. If it returns work, the run awaits pending updates, then does the work with
   * its clock stopped, until the work or the run is ended.
   */
  between(): (() => Promise<void>) | undefined | Promise<(() => Promise<void>) | undefined>;
  /** Called after each update: whether to save a checkpoint now. */
  wantsCheckpoint(): boolean;
}

/** A run between two updates. `model` has the current weights. */
export interface RunningTraining<Model = ModelOnEngine> {
  readonly model: Model;
  readonly plans: readonly Plan[];
  /** Returns the number of updates done. */
  readonly step: () => number;
  /** Does work while the engine has the weights of the model: the moving average (EMA) if there is one. */
  onModel<T>(work: () => Promise<T>): Promise<T>;
  /** Returns the settings of the next update that may change. `dropout` is the largest rate. */
  readonly live: () => Required<LiveSettings>;
  /**
   * Changes settings from the next update on, and records that in the log and the checkpoints. Call it while
   * the run waits in `between`. Throws a HeddleError that names the setting.
   */
  change(settings: LiveSettings): Promise<void>;
}

/** The model of a run on its engine. */
export interface ModelOnEngine {
  readonly engine: Engine;
  readonly model: TextModel;
  /** The weights on the engine, with their storage and the LoRA adapter if one is trained. */
  readonly parameters: ParameterList;
}

/**
 * Work between steps, such as an evaluation or a checkpoint, while no update is pending. Also done after the
 * last step.
 */
export interface Pause {
  /** Whether to pause after this step. `trained`: seconds in training so far, without pauses. */
  due(trained: number): boolean;
  /** `skipped`: number of skipped updates so far. `final`: whether the run ends here. */
  pause(skipped: number, final: boolean, trained: number): Promise<void>;
}

/** Options of the loop. */
export interface LoopOptions {
  /** Returns the batch of an index, from 0. */
  readonly batchAt: (index: number) => Batch | Promise<Batch>;
  /** Number of updates after which the run ends. */
  readonly steps: number;
  /** Number of updates that were skipped before a resume. */
  readonly skipped: number;
  /** Called for each update, with the seconds in training so far, without pauses. */
  readonly onStep: (report: StepReport, seconds: number) => void;
  /** Pauses, in order. */
  readonly pauses: readonly Pause[];
  /** Early stopping: whether to stop after this step. */
  readonly stopEarly?: () => boolean;
  readonly gate?: Pick<TrainingGate, 'between'>;
}

/** Maximum number of consecutive skipped updates at the minimum loss scale, or without one. */
const maxStuck = 50;

/** Runs the updates of a session. Apart from `skipped`, it counts only those of this session. */
export class TrainingLoop {
  /** Number of finished updates, including those before a resume. */
  done: number;
  /** Number of skipped updates, including those before a resume. */
  skipped: number;
  /** Time in training in seconds, without pauses; known when the loop ends. */
  seconds = 0;
  /** Number of target tokens of all updates. */
  tokens = 0;
  /** Floating-point operations of all matrix products. */
  modelFlops = 0;
  readonly #trainer: Trainer;
  readonly #session: Pick<TrainingSession, 'emit' | 'signal'>;
  readonly #options: LoopOptions;
  readonly #first: number;
  readonly #clock: TrainingClock;
  readonly #pace = new StepPace();
  /** Updates whose losses have not come back. */
  readonly #pending: Promise<StepReport>[] = [];
  /** Number of consecutive skipped updates at the minimum loss scale, or without one. */
  #stuck = 0;
  /** Time of the last progress event, in milliseconds. */
  #shown = 0;

  constructor(trainer: Trainer, session: Pick<TrainingSession, 'emit' | 'signal'>, options: LoopOptions) {
    this.#trainer = trainer;
    this.#session = session;
    this.#options = options;
    this.#first = trainer.step;
    this.done = trainer.step;
    this.skipped = options.skipped;
    this.#clock = new TrainingClock((seconds) =>
      session.emit({
        type: 'warning',
        text: msg`${Math.round(seconds)} s without an update are not counted: the machine slept, or the tab was frozen`,
      }),
    );
  }

  /**
   * Trains until the last step, early stopping or an abort. Losses come back one step late, so that the GPU
   * never waits. Throws a HeddleError if training diverges: the loss is not finite, or gradients stay not
   * finite at the minimum loss scale.
   */
  async run(): Promise<void> {
    const trainer = this.#trainer;
    const { batchAt, steps, pauses, stopEarly = () => false } = this.#options;
    const { gradientAccumulationSteps } = trainer.recipe;
    while (trainer.step < steps && !this.#session.signal.aborted && !stopEarly()) {
      const firstBatch = trainer.step * gradientAccumulationSteps;
      const batches: Batch[] = [];
      for (let k = 0; k < gradientAccumulationSteps; k++) {
        const batch = batchAt(firstBatch + k);
        batches.push(batch instanceof Promise ? await batch : batch);
      }
      const update = trainer.update(batches);
      update.catch(() => undefined); // if an earlier one fails, nothing awaits this one
      this.#pending.push(update);
      if (this.#pending.length > 1) await this.#take();
      if (trainer.step < steps) await this.#pause(pauses.filter((pause) => pause.due(this.#clock.seconds())));
      await this.#passGate();
    }
    await this.#takeAll();
    await this.#pause(pauses, true);
    this.seconds = this.#clock.seconds();
  }

  /** Awaits the oldest pending update and reports it. */
  async #take(): Promise<void> {
    const report = await (this.#pending[0] as Promise<StepReport>);
    this.#pending.shift();
    this.done = report.step + 1;
    this.tokens += report.tokens;
    this.modelFlops += report.modelFlops;
    if (report.skipped) this.skipped++;
    this.#stuck = report.skipped && report.lossScale <= lossScales.min ? this.#stuck + 1 : 0;
    const before = this.#clock.last;
    const seconds = this.#clock.step();
    this.#options.onStep(report, seconds);
    const slower = this.#pace.add(seconds - before, report.modelFlops || report.tokens);
    if (slower) this.#session.emit({ type: 'warning', text: slowdownText(slower), slower });
    checkProgress(report, this.#skippedHere, this.#stuck);
    this.#showProgress(report, seconds);
  }

  async #takeAll(): Promise<void> {
    while (this.#pending.length > 0) await this.#take();
  }

  /** Number of skipped updates of this session. */
  get #skippedHere(): number {
    return this.skipped - this.#options.skipped;
  }

  /** Emits progress, at most five times a second. */
  #showProgress({ loss, accuracy, learningRate }: StepReport, seconds: number): void {
    const { done } = this;
    const { steps } = this.#options;
    const now = performance.now();
    if (now - this.#shown < 200 && done < steps) return;
    this.#shown = now;
    const left = (seconds / (done - this.#first)) * (steps - done);
    const skipped = this.#skippedHere;
    this.#session.emit({
      type: 'progress',
      task: 'train',
      done,
      total: steps,
      text: msg`loss ${fixed(loss, 4)}  accuracy ${percentage(accuracy)}  lr ${learningRate.toExponential(2)}  ${Math.round(this.tokens / seconds)} tokens/s  ${Math.ceil(left)} s left${skipped ? msg`  ${skipped} skipped` : ''}`,
    });
  }

  /** Awaits pending updates, then runs pauses with the clock stopped. */
  async #pause(due: readonly Pause[], final = false): Promise<void> {
    if (due.length === 0) return;
    await this.#takeAll();
    const trained = this.#clock.seconds();
    await this.#clock.paused(async () => {
      for (const work of due) await work.pause(this.skipped, final, trained);
    });
  }

  /** Lets the host use the engine. */
  async #passGate(): Promise<void> {
    const given = this.#options.gate?.between();
    const work = given instanceof Promise ? await given : given;
    if (!work) return;
    await this.#takeAll();
    const { signal } = this.#session;
    await this.#clock.paused(async () => {
      if (!signal.aborted)
        await untilAborted(signal, work).catch((error) => {
          if (!signal.aborted) throw error;
        });
    });
  }
}

/**
 * Throws a HeddleError if training makes no progress. `skipped`: number of skipped updates; `stuck`: number
 * of them in a row at the minimum loss scale.
 */
function checkProgress({ step, loss, lossScale }: StepReport, skipped: number, stuck: number): void {
  if (!Number.isFinite(loss) && skipped > 20)
    throw new HeddleError(
      msg`Training diverged: the loss of step ${step + 1} is ${loss} and ${skipped} updates were skipped; lower the learning rate.`,
    );
  if (stuck >= maxStuck)
    throw new HeddleError(
      msg`Training is stuck at step ${step + 1}: the loss is ${loss}, but the gradients of the last ${stuck} updates were not finite${lossScale > 0 ? ', at the minimum loss scale' : ''}, so all of them were skipped; resume from an earlier checkpoint with a lower learning rate, or find the cause with ${option('checkFinite')}.`,
    );
}

/**
 * A gap is a wait of at least `minGap` seconds and `timesLongest` times the longest wait of the last updates.
 */
const minGap = 20;
const timesLongest = 20;
/** Number of waits that are compared, and the minimum: the first update may compile kernels. */
const maxWaits = 16;
const minWaits = 4;

/**
 * The clock of a run: the time of its updates, without pauses and without sleep of the machine. On some
 * systems `performance.now()` counts sleep, so a gap is recognized by its length.
 */
export class TrainingClock {
  readonly #onSleep: (seconds: number) => void;
  readonly #now: () => number;
  #begin: number;
  #last: number;
  /** The waits for the last updates, in seconds. */
  readonly #waits: number[] = [];

  /** `onSleep` receives a gap in seconds; `now` returns milliseconds. */
  constructor(onSleep: (seconds: number) => void, now: () => number = () => performance.now()) {
    this.#onSleep = onSleep;
    this.#now = now;
    this.#begin = now();
    this.#last = this.#begin;
  }

  /** Seconds so far. */
  seconds(): number {
    return (this.#now() - this.#begin) / 1000;
  }

  /** Seconds at the end of the last update. */
  get last(): number {
    return (this.#last - this.#begin) / 1000;
  }

  /** Counts a finished update; returns the seconds so far. */
  step(): number {
    const wait = (this.#now() - this.#last) / 1000;
    const longest = Math.max(...this.#waits);
    if (this.#waits.length >= minWaits && wait > Math.max(minGap, timesLongest * longest)) {
      this.#begin += (wait - longest) * 1000;
      this.#onSleep(wait);
    } else {
      this.#waits.push(wait);
      if (this.#waits.length > maxWaits) this.#waits.shift();
    }
    this.#last = this.#now();
    return this.seconds();
  }

  /** Runs work while the clock is stopped. */
  async paused(work: () => Promise<void>): Promise<void> {
    const from = this.#now();
    await work();
    const took = this.#now() - from;
    this.#begin += took;
    this.#last += took;
  }
}

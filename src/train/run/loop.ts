// The training loop: passes batches in order to the trainer, reports each step, and pauses for evaluations
// and checkpoints.

import { HeddleError } from '../../core/errors.ts';
import { formatPercent } from '../../core/format-numbers.ts';
import { lossScales } from '../../engine/ops/optimizer/clip.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { Batch, StepReport, Trainer } from '../update/trainer.ts';
import type { TrainingGate } from './training-gate.ts';

/**
 * Work between steps, such as an evaluation or a checkpoint, while no update is pending. Also done after the
 * last step.
 */
export interface Pause {
  /** Whether to pause after this step. `trained`: seconds in training so far, without pauses. */
  readonly due: (trained: number) => boolean;
  /** `skipped`: number of skipped updates so far. `final`: whether the run ends here. */
  readonly pause: (skipped: number, final: boolean, trained: number) => Promise<void>;
}

/** Options of the loop. */
export interface LoopOptions {
  /** Number of updates that were skipped before a resume. */
  readonly skipped: number;
  /** Called for each update, with the seconds in training so far, without pauses. */
  readonly onStep: (report: StepReport, seconds: number) => void;
  /** Pauses, in order. */
  readonly pauses: readonly Pause[];
  /** Early stopping: whether to stop after this step. */
  readonly stopEarly?: () => boolean;
  readonly gate?: TrainingGate | undefined;
}

/** Result of the loop. Apart from `skipped`, it counts only this session. */
export interface LoopResult {
  /** Number of skipped updates, including those before a resume. */
  readonly skipped: number;
  /** Time in training in seconds, without pauses. */
  readonly seconds: number;
  /** Number of target tokens of all updates. */
  /** Number of target tokens of all updates. */
  readonly tokens: number;
  /** Floating-point operations of all matrix products. */
  readonly modelFlops: number;
}

/** Maximum number of consecutive skipped updates at the minimum loss scale, or without one. */
const maxStuck = 50;

/**
 * Trains until the last step, early stopping or an abort. Losses come back one step late, so that the GPU
 * never waits. Throws a HeddleError if training diverges: the loss is not finite, or gradients stay not
 * finite at the minimum loss scale.
 */
export async function trainingLoop(
  trainer: Trainer,
  batchAt: (index: number) => Batch,
  steps: number,
  { emit, signal }: Pick<TrainingSession, 'emit' | 'signal'>,
  { skipped: skippedBefore, onStep, pauses, stopEarly = () => false, gate }: LoopOptions,
): Promise<LoopResult> {
  const { gradientAccumulationSteps } = trainer.recipe;
  const first = trainer.step;
  const pending: Promise<StepReport>[] = [];
  const clock = createTrainingClock((seconds) =>
    emit({
      type: 'warning',
      text: `${Math.round(seconds)} s without an update are not counted: the machine slept, or the tab was frozen`,
    }),
  );
  let tokens = 0;
  let modelFlops = 0;
  let skipped = 0;
  let stuck = 0;
  let shown = 0;
  const take = async () => {
    const report = await (pending[0] as Promise<StepReport>);
    pending.shift();
    tokens += report.tokens;
    modelFlops += report.modelFlops;
    if (report.skipped) skipped++;
    stuck = report.skipped && report.lossScale <= lossScales.min ? stuck + 1 : 0;
    const seconds = clock.step();
    onStep(report, seconds);
    checkProgress(report, skipped, stuck);
    const now = performance.now();
    const done = report.step + 1;
    if (now - shown < 200 && done < steps) return;
    shown = now;
    const left = (seconds / (done - first)) * (steps - done);
    emit({
      type: 'progress',
      task: 'train',
      done,
      total: steps,
      text:
        `loss ${report.loss.toFixed(4)}  accuracy ${formatPercent(report.accuracy)}  lr ${report.learningRate.toExponential(2)}  ` +
        `${Math.round(tokens / seconds)} tokens/s  ${Math.ceil(left)} s left${skipped ? `  ${skipped} skipped` : ''}`,
    });
  };
  /** Awaits pending updates, then runs pauses with the clock stopped. */
  const pause = async (due: readonly Pause[], final = false) => {
    if (due.length === 0) return;
    while (pending.length) await take();
    const trained = clock.seconds();
    await clock.paused(async () => {
      for (const { pause: work } of due) await work(skippedBefore + skipped, final, trained);
    });
  };
  /** Lets the host use the engine. */
  const passGate = async () => {
    const work = gate?.between();
    if (!work) return;
    while (pending.length) await take();
    await clock.paused(work);
  };
  while (trainer.step < steps && !signal.aborted && !stopEarly()) {
    const firstBatch = trainer.step * gradientAccumulationSteps;
    const update = trainer.update(
      Array.from({ length: gradientAccumulationSteps }, (_, k) => batchAt(firstBatch + k)),
    );
    update.catch(() => undefined); // if an earlier one fails, nothing awaits this one
    pending.push(update);
    if (pending.length > 1) await take();
    if (trainer.step < steps) await pause(pauses.filter(({ due }) => due(clock.seconds())));
    await passGate();
  }
  while (pending.length) await take();
  await pause(pauses, true);
  return { skipped: skippedBefore + skipped, seconds: clock.seconds(), tokens, modelFlops };
}

/**
 * Throws a HeddleError if training makes no progress. `skipped`: number of skipped updates; `stuck`: number
 * of them in a row at the minimum loss scale.
 */
function checkProgress({ step, loss, lossScale }: StepReport, skipped: number, stuck: number): void {
  if (!Number.isFinite(loss) && skipped > 20)
    throw new HeddleError(
      `Training diverged: the loss of step ${step + 1} is ${loss} and ${skipped} updates were skipped; lower the learning rate.`,
    );
  if (stuck >= maxStuck)
    throw new HeddleError(
      `Training is stuck at step ${step + 1}: the loss is ${loss}, but the gradients of the last ${stuck} updates were not ` +
        `finite${lossScale > 0 ? ', at the minimum loss scale' : ''}, so all of them were skipped; ` +
        'resume from an earlier checkpoint with a lower learning rate, or find the cause with checkFinite (--check-finite).',
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
 * Creates the clock of a run: the time of its updates, without pauses and without sleep of the machine. On
 * some systems `performance.now()` counts sleep, so a gap is recognized by its length; `onSleep` receives it
 * in seconds. `now` returns milliseconds.
 */
export function createTrainingClock(
  onSleep: (seconds: number) => void,
  now: () => number = () => performance.now(),
) {
  let begin = now();
  let last = begin;
  const waits: number[] = [];
  const seconds = () => (now() - begin) / 1000;
  return {
    /** Seconds so far. */
    seconds,
    /** Counts a finished update; returns the seconds so far. */
    step(): number {
      const wait = (now() - last) / 1000;
      const longest = Math.max(...waits);
      if (waits.length >= minWaits && wait > Math.max(minGap, timesLongest * longest)) {
        begin += (wait - longest) * 1000;
        onSleep(wait);
      } else {
        waits.push(wait);
        if (waits.length > maxWaits) waits.shift();
      }
      last = now();
      return seconds();
    },
    /** Runs work while the clock is stopped. */
    async paused(work: () => Promise<void>): Promise<void> {
      const from = now();
      await work();
      const took = now() - from;
      begin += took;
      last += took;
    },
  };
}

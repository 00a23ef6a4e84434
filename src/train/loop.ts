// The loop of a training: batches in their order through the trainer, what is told of each step, and pauses for what needs the
// weights as they are.

import { HeddleError } from '../core/errors.ts';
import { lossScales } from '../ops/optimizer/clip.ts';
import type { JobContext } from '../runtime/job.ts';
import type { Batch, StepReport, Trainer } from '../trainer/trainer.ts';
import { createClock } from './training-clock.ts';

/** Something between steps, for which no update may be pending. */
export interface Pause {
  /** After each so many steps; 0: at the end alone. */
  readonly every: number;
  /** Also where this says so after a step. */
  readonly due?: () => boolean;
  /** `skipped`: updates left out so far. `final`: no update comes after it. */
  readonly pause: (skipped: number, final: boolean) => Promise<void>;
}

/** What happens beside the steps. */
export interface LoopOptions {
  /** Updates that were skipped before. */
  readonly skipped: number;
  /** Hears of each update, and of the time in training so far, in seconds and without pauses. */
  readonly onStep: (report: StepReport, seconds: number) => void;
  /** In their order, after the last step too, and where training was ended early. */
  readonly pauses: readonly Pause[];
  /** Whether training shall end before its last step; asked after each step. */
  readonly ended?: () => boolean;
}

/** How a loop went. */
export interface LoopResult {
  readonly losses: number[];
  /** Of all updates, those before too. */
  readonly skipped: number;
  /** Time in training, without pauses. */
  readonly seconds: number;
  readonly tokens: number;
}

/** Updates in a row that may be skipped where no smaller loss scale is left to try. */
const mostStuck = 50;

/**
 * Steps until the last one or an abort; losses come back one step late, and the GPU never waits. Throws a HeddleError where the loss
 * is not finite and many updates were skipped, and where updates are skipped again and again though no smaller loss scale is left to help.
 */
export async function trainingLoop(
  trainer: Trainer,
  batchAt: (turn: number) => Batch,
  steps: number,
  { emit, signal, live }: Pick<JobContext, 'emit' | 'signal' | 'live'>,
  { skipped: skippedBefore, onStep, pauses, ended = () => false }: LoopOptions,
): Promise<LoopResult> {
  const { gradientAccumulationSteps } = trainer.recipe;
  const first = trainer.step;
  const losses: number[] = [];
  const pending: Promise<StepReport>[] = [];
  const clock = createClock((seconds) => {
    const text = `${Math.round(seconds)} s in which nothing came are not counted: the machine slept, or the tab was frozen`;
    emit({ type: 'log', text });
    live?.warning(text);
  });
  let tokens = 0;
  let skipped = 0;
  let stuck = 0;
  let told = 0;
  const take = async () => {
    const report = await (pending[0] as Promise<StepReport>);
    pending.shift();
    losses.push(report.loss);
    tokens += report.tokens;
    if (report.skipped) skipped++;
    stuck = report.skipped && report.lossScale <= lossScales.min ? stuck + 1 : 0;
    const seconds = clock.step();
    onStep(report, seconds);
    checkCourse(report, skipped, stuck);
    const now = performance.now();
    if (now - told < 200 && first + losses.length < steps) return;
    told = now;
    const left = (seconds / losses.length) * (steps - first - losses.length);
    emit({
      type: 'progress',
      task: 'train',
      done: first + losses.length,
      of: steps,
      text:
        `loss ${report.loss.toFixed(4)}  accuracy ${(100 * report.accuracy).toFixed(1)} %  lr ${report.learningRate.toExponential(2)}  ` +
        `${Math.round(tokens / seconds)} tokens/s  ${Math.ceil(left)} s left${skipped ? `  ${skipped} skipped` : ''}`,
    });
  };
  /** Waits for what is pending, then does what is due while the clock stands still. */
  const rest = async (due: readonly Pause[], final = false) => {
    if (due.length === 0) return;
    while (pending.length) await take();
    await clock.still(async () => {
      for (const { pause } of due) await pause(skippedBefore + skipped, final);
    });
  };
  /** Lets a host have the engine, as long as it wants. */
  const between = async () => {
    const wanted = live?.between();
    if (!wanted) return;
    while (pending.length) await take();
    await clock.still(() => wanted);
  };
  while (trainer.step < steps && !signal.aborted && !ended()) {
    const turn = trainer.step * gradientAccumulationSteps;
    const update = trainer.update(Array.from({ length: gradientAccumulationSteps }, (_, k) => batchAt(turn + k)));
    update.catch(() => undefined); // where one before it fails, nobody waits for this one
    pending.push(update);
    if (pending.length > 1) await take();
    const isDue = ({ every, due }: Pause) => (every > 0 && trainer.step % every === 0) || due?.();
    if (trainer.step < steps) await rest(pauses.filter(isDue));
    await between();
  }
  while (pending.length) await take();
  await rest(pauses, true);
  return { losses, skipped: skippedBefore + skipped, seconds: clock.seconds(), tokens };
}

/** Throws a HeddleError where a training does not go anywhere after so many skipped updates, `stuck` of them in a row without help. */
function checkCourse({ step, loss, lossScale }: StepReport, skipped: number, stuck: number): void {
  if (!Number.isFinite(loss) && skipped > 20)
    throw new HeddleError(
      `Training diverged: the loss of step ${step + 1} is ${loss} and ${skipped} updates were skipped; lower the learning rate.`,
    );
  if (stuck >= mostStuck)
    throw new HeddleError(
      `Training is stuck at step ${step + 1}: the loss is ${loss}, but the gradients of the last ${stuck} updates were not ` +
        `finite${lossScale > 0 ? ', the loss scale at its least' : ''}, so all of them were skipped; ` +
        'go on from an earlier checkpoint with a lower learning rate, and see with --check-finite where it begins.',
    );
}

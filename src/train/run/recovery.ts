// A training run with recovery: if the GPU device is lost, the run continues on a new device from the last
// checkpoint, with the same kernels and therefore the same bits, in smaller submissions. It fails if the device
// is lost three times within a minute; losses before the first update of a run do not count if submissions can
// become smaller.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { limitsAfterLoss } from '../../engine/gpu/submission-pace.ts';
import type { KernelChoices } from '../../engine/plan/kernel-choices.ts';
import { copyFolder } from '../../files/owned-folder.ts';
import { formatChanges } from '../report/run-changes.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { LogEval, LogRecord, LogStep } from '../report/training-log.ts';
import type { TrainArguments } from '../settings/train-arguments.ts';
import { ChangeList } from './live-run.ts';
import type { CheckpointFolder, FinishedTraining, TrainInputs, TrainResult } from './train-result.ts';
import { TrainingRun } from './training-run.ts';

/** Maximum number of lost devices within `lossWindow` milliseconds. */
const maxLosses = 3;
const lossWindow = 60_000;

/**
 * Trains a model: for `heddle train`, for `train` of the library and for the training page. Continues after a
 * lost device. Throws a HeddleError for an invalid option or file, if another process writes the output
 * folder, if training diverges, and if devices are lost too often; the reason of the signal if it is aborted
 * before the first step.
 */
export async function runTraining(
  given: TrainArguments,
  session: TrainingSession,
  inputs: TrainInputs = {},
): Promise<FinishedTraining> {
  const unlock = given.out ? await session.files.lock?.(given.out) : undefined;
  try {
    return await withRecovery(given, session, inputs);
  } finally {
    await unlock?.();
  }
}

/** Opens a run; if its device is lost, opens another one from its last checkpoint. */
async function withRecovery(
  given: TrainArguments,
  session: TrainingSession,
  inputs: TrainInputs,
): Promise<FinishedTraining> {
  const { signal, device } = session;
  const history = new RunHistory(session);
  const changes = new ChangeList();
  const lostAt: number[] = [];
  let saved: SavedRun = { step: -1 };
  for (;;) {
    let run: TrainingRun | undefined;
    let failure: unknown;
    const { updates } = history;
    try {
      const onRecord = (record: LogRecord) => history.add(record);
      const options = { inputs, changes, onRecord, from: saved.from, kernelChoices: saved.kernelChoices };
      run = await session.untilAborted(
        () => TrainingRun.open(given, session, options),
        (late) => late.close(),
      );
      const { result, ...finished } = await run.run();
      return { ...finished, result: { ...result, ...history.totals } };
    } catch (error) {
      failure = error;
    } finally {
      await run?.close();
    }
    if (signal.aborted) throw failure;
    const reason = await device.lost();
    if (reason === undefined || !device.isReplaceable) throw failure;
    if (run) saved = savedBy(run, saved);
    // A watchdog may reset the device again until submissions are small enough.
    const canShrink = limitsAfterLoss(await device.submissions()) !== undefined;
    if (history.updates > updates || !canShrink) lostAt.push(performance.now());
    if (recentLosses(lostAt) >= maxLosses) throw await lossError(given.out, session, saved, reason);
    await reopen(session, saved, reason);
  }
}

/** What the next run continues from after a lost device. */
interface SavedRun {
  readonly from?: CheckpointFolder;
  /** Number of updates of that checkpoint; -1 if there is none. */
  readonly step: number;
  readonly kernelChoices?: KernelChoices;
}

/** The last checkpoint and the kernels of a run; without a checkpoint, that of the run before. */
function savedBy({ checkpointer, engine }: TrainingRun, before: SavedRun): SavedRun {
  const { kernelChoices } = engine;
  if (!checkpointer.last) return { ...before, kernelChoices };
  return { from: checkpointer.last, step: checkpointer.step, kernelChoices };
}

/** Number of lost devices within `lossWindow` before the last one, that one included. */
const recentLosses = (lostAt: readonly number[]): number =>
  lostAt.filter((time) => (lostAt.at(-1) ?? 0) - time < lossWindow).length;

/** The error of a run whose devices are lost too often. Copies a checkpoint in memory to the model folder. */
async function lossError(
  out: string,
  { files }: TrainingSession,
  { from, step }: SavedRun,
  reason: string,
): Promise<HeddleError> {
  if (from && from.files !== files && out) await copyFolder(from.files, from.folder, files, out);
  const saved =
    out && step >= 0 ? msg` The checkpoint of step ${step} is in ${out}; resume the run to continue.` : '';
  return new HeddleError(
    msg`The GPU device was lost ${maxLosses} times within a minute, so training has stopped.${saved} Try a smaller model or batch, or another driver. The last reason: ${reason}`,
    { kind: 'device' },
  );
}

/** Opens a new device, and reports it. */
async function reopen(
  { emit, device, signal }: TrainingSession,
  { step: savedStep }: SavedRun,
  reason: string,
): Promise<void> {
  const text = msg`The GPU device was lost (${reason}).`;
  const step = Math.max(0, savedStep);
  emit({ type: 'recovery', state: 'lost', step, text });
  const limits = await device.reopen(signal);
  const where = savedStep >= 0 ? msg`step ${savedStep}` : 'the start';
  emit({
    type: 'recovery',
    state: 'recovered',
    step,
    text: limits
      ? msg`The GPU device was lost (${reason}). There is a new device; training continues from ${where}, in smaller submissions.`
      : msg`The GPU device was lost (${reason}). There is a new device; training continues from ${where}.`,
  });
}

/** The records of all runs of a training, each update and evaluation once; passes them on as events. */
class RunHistory {
  readonly #emit: TrainingSession['emit'];
  readonly #losses: number[] = [];
  readonly #evals: LogEval[] = [];
  /** Number of the first update. */
  #first = 0;
  #lastEvalStep = 0;
  #updates = 0;
  readonly #changes = new Set<string>();

  constructor({ emit }: Pick<TrainingSession, 'emit'>) {
    this.#emit = emit;
  }

  /** Number of updates of all runs, repeated ones included. */
  get updates(): number {
    return this.#updates;
  }

  /** The updates and evaluations, as in the result of a training. */
  get totals(): Pick<TrainResult, 'steps' | 'losses' | 'dev'> {
    return { steps: this.#losses.length, losses: this.#losses, dev: this.#evals };
  }

  add(record: LogRecord): void {
    if (record.type === 'step') this.#updates++;
    if (this.#isNew(record)) this.#emit(record);
  }

  /** Whether no run before had this record. */
  #isNew(record: LogRecord): boolean {
    if (record.type === 'step') return this.#isNewStep(record);
    if (record.type === 'eval' && record.part === 'dev') {
      if (record.step <= this.#lastEvalStep) return false;
      this.#lastEvalStep = record.step;
      this.#evals.push(record);
    } else if (record.type === 'change') {
      const text = formatChanges([record]);
      if (this.#changes.has(text)) return false;
      this.#changes.add(text);
    }
    return true;
  }

  /** Also warns if a repeated update has another loss. */
  #isNewStep({ step, loss }: LogStep): boolean {
    if (this.#losses.length === 0) this.#first = step;
    const at = step - this.#first;
    if (at >= this.#losses.length) {
      this.#losses.push(loss);
      return true;
    }
    const before = this.#losses[at];
    if (!Object.is(before, loss))
      this.#emit({
        type: 'warning',
        text: msg`step ${step}: the loss is ${loss} after the device was lost, it was ${before} before`,
      });
    return false;
  }
}

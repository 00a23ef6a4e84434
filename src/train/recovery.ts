// A training that outlives its device: where the GPU is lost it goes on, on a new device, from the last checkpoint, with the same
// kernels and so in the same bits. Losing it three times in a minute ends the training.

import { HeddleError } from '../core/errors.ts';
import { copyFolder } from '../files/files.ts';
import type { KernelChoices } from '../plan/kernel-choices.ts';
import type { LogEval, LogRecord } from '../report/training-log.ts';
import type { JobContext } from '../runtime/job.ts';
import { attemptTraining } from './attempt.ts';
import type { Checkpointer, CheckpointFolder } from './checkpointer.ts';
import type { TrainArguments, TrainInputs, TrainResult } from './train-arguments.ts';

/** What an attempt at a training has from those before it, and leaves for the next. */
export interface Attempt {
  /** The checkpoint to go on from, if not that in the model's folder. */
  readonly from?: CheckpointFolder;
  readonly inputs?: TrainInputs;
  /** The kernels to take. */
  readonly known?: KernelChoices;
  /** Hears of what the next attempt needs, as soon as it is known. */
  begun?(keeper: Checkpointer, choices: KernelChoices): void;
  /** Hears of the records of the log, instead of the host. */
  record?(record: LogRecord): void;
}

/** So many losses within so many milliseconds are too many. */
const mostLosses = 3;
const lossWindow = 60_000;

/** Trains, as `train`, and goes on where the device is lost. Throws a HeddleError where that happens too often. */
export async function runTraining(
  given: TrainArguments,
  context: JobContext,
  inputs: TrainInputs = {},
): Promise<TrainResult> {
  const { emit, signal, files } = context;
  const history = createHistory(context);
  const lostAt: number[] = [];
  let keeper: Checkpointer | undefined;
  let reached = -1;
  let attempt: Attempt = {
    inputs,
    record: history.record,
    begun(kept, choices) {
      keeper = kept;
      attempt = { ...attempt, known: choices };
    },
  };
  for (;;) {
    try {
      return history.joined(await attemptTraining(given, context, attempt));
    } catch (error) {
      const reason = await context.lost?.();
      if (reason === undefined || signal.aborted || !context.reopen) throw error;
      const now = performance.now();
      lostAt.push(now);
      const recent = lostAt.filter((time) => now - time < lossWindow).length;
      if (keeper?.last) {
        attempt = { ...attempt, from: keeper.last };
        reached = keeper.step;
      }
      keeper = undefined;
      if (recent >= mostLosses) {
        const { from } = attempt;
        if (from && from.files !== files && given.out) await copyFolder(from.files, from.folder, files, given.out);
        throw new HeddleError(
          `The GPU device was lost ${recent} times within a minute, so training has ended${kept(given.out ?? '', reached)}. ` +
            `Try a smaller model or batch, or another driver. The last time: ${reason}`,
          { kind: 'device' },
        );
      }
      const text = `The GPU device was lost (${reason}).`;
      emit({ type: 'log', text });
      context.live?.lost(text);
      await context.reopen();
      const where = reached >= 0 ? `step ${reached}` : 'where it began';
      const goesOn = `There is a new device; training goes on from ${where}.`;
      emit({ type: 'log', text: goesOn });
      context.live?.back(Math.max(0, reached), `${text} ${goesOn}`);
    }
  }
}

const kept = (out: string, step: number): string =>
  out && step >= 0 ? `; the checkpoint of step ${step} is in ${out}, --resume goes on with it` : '';

/** What all attempts did, each update and evaluation once. */
function createHistory(context: JobContext) {
  const losses: number[] = [];
  const evals: LogEval[] = [];
  let first = 0;
  let seen = 0;
  const record = (r: LogRecord): void => {
    if (r.type === 'step') {
      if (losses.length === 0) first = r.step;
      const at = r.step - first;
      if (at < losses.length) {
        if (!Object.is(losses[at], r.loss))
          warn(context, `step ${r.step}: the loss is ${r.loss} after the device was lost, it was ${losses[at]} before`);
        return;
      }
      losses.push(r.loss);
    } else if (r.type === 'eval' && r.part === 'dev') {
      if (r.step <= seen) return;
      seen = r.step;
      evals.push(r);
    }
    context.live?.record(r);
  };
  const joined = (result: TrainResult): TrainResult => ({
    ...result,
    steps: losses.length,
    losses,
    dev: evals,
  });
  return { record, joined };
}

function warn({ emit, live }: JobContext, text: string): void {
  emit({ type: 'log', text });
  live?.warning(text);
}

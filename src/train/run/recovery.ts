// A training run with recovery: if the GPU device is lost, the run continues on a new device from the last
// checkpoint, with the same kernels and therefore the same bits. It fails if the device is lost three times
// within a minute.

import { HeddleError } from '../../core/errors.ts';
import { copyFolder } from '../../files/files.ts';
import { formatChanges } from '../report/run-changes.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { LogEval, LogRecord } from '../report/training-log.ts';
import type { TrainArguments } from '../settings/train-arguments.ts';
import { type Attempt, attemptTraining } from './attempt.ts';
import type { Checkpointer } from './checkpoints.ts';
import type { AttemptResult } from './finish.ts';
import { createChangeList } from './live-run.ts';
import type { TrainInputs, TrainResult } from './train-result.ts';

/** Maximum number of lost devices within `lossWindow` milliseconds. */
const maxLosses = 3;
const lossWindow = 60_000;

/**
 * Trains a model: for `heddle train`, for `train` of the library and for the training page. Continues after a
 * lost device. Throws a HeddleError for an invalid option or file, if another process writes the output
 * folder, if training diverges, and if devices are lost too often.
 */
export async function runTraining(
  given: TrainArguments,
  session: TrainingSession,
  inputs: TrainInputs = {},
): Promise<TrainResult> {
  const unlock = given.out ? await session.files.lock?.(given.out) : undefined;
  try {
    return await withRecovery(given, session, inputs);
  } finally {
    await unlock?.();
  }
}

async function withRecovery(
  given: TrainArguments,
  session: TrainingSession,
  inputs: TrainInputs,
): Promise<TrainResult> {
  const { emit, signal, files } = session;
  const { out } = given;
  const history = createHistory(session);
  const lostAt: number[] = [];
  let checkpointer: Checkpointer | undefined;
  let savedStep = -1;
  let attempt: Attempt = {
    inputs,
    changes: createChangeList(),
    onRecord: history.record,
    onStart(started, kernelChoices) {
      checkpointer = started;
      attempt = { ...attempt, kernelChoices };
    },
  };
  for (;;) {
    try {
      return history.joined(await attemptTraining(given, session, attempt));
    } catch (error) {
      const reason = await session.device.lost();
      if (reason === undefined || signal.aborted || !session.device.isReplaceable) throw error;
      const now = performance.now();
      lostAt.push(now);
      const recent = lostAt.filter((time) => now - time < lossWindow).length;
      if (checkpointer?.last) {
        attempt = { ...attempt, from: checkpointer.last };
        savedStep = checkpointer.step;
      }
      checkpointer = undefined;
      if (recent >= maxLosses) {
        const { from } = attempt;
        if (from && from.files !== files && out) await copyFolder(from.files, from.folder, files, out);
        const saved =
          out && savedStep >= 0
            ? ` The checkpoint of step ${savedStep} is in ${out}; --resume continues it.`
            : '';
        throw new HeddleError(
          `The GPU device was lost ${recent} times within a minute, so training has stopped.${saved} ` +
            `Try a smaller model or batch, or another driver. The last reason: ${reason}`,
          { kind: 'device' },
        );
      }
      const text = `The GPU device was lost (${reason}).`;
      const step = Math.max(0, savedStep);
      emit({ type: 'recovery', state: 'lost', step, text });
      await session.device.reopen(signal);
      const where = savedStep >= 0 ? `step ${savedStep}` : 'the start';
      emit({
        type: 'recovery',
        state: 'recovered',
        step,
        text: `${text} There is a new device; training continues from ${where}.`,
      });
    }
  }
}

/** The records of all attempts, each update and evaluation once. */
function createHistory({ emit }: TrainingSession) {
  const losses: number[] = [];
  const evals: LogEval[] = [];
  let first = 0;
  let lastEvalStep = 0;
  const changes = new Set<string>();
  const record = (r: LogRecord): void => {
    if (r.type === 'step') {
      if (losses.length === 0) first = r.step;
      const at = r.step - first;
      if (at < losses.length) {
        if (!Object.is(losses[at], r.loss)) {
          const text = `step ${r.step}: the loss is ${r.loss} after the device was lost, it was ${losses[at]} before`;
          emit({ type: 'warning', text });
        }
        return;
      }
      losses.push(r.loss);
    } else if (r.type === 'eval' && r.part === 'dev') {
      if (r.step <= lastEvalStep) return;
      lastEvalStep = r.step;
      evals.push(r);
    } else if (r.type === 'change') {
      const text = formatChanges([r]);
      if (changes.has(text)) return;
      changes.add(text);
    }
    emit(r);
  };
  const joined = (result: AttemptResult): TrainResult => ({
    ...result,
    steps: losses.length,
    losses,
    dev: evals,
  });
  return { record, joined };
}

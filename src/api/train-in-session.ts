// A training in a session: the one way of `train` of the library, of `heddle train` and of the pages.

import { check } from '../core/errors.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { Session } from '../session/session.ts';
import type { TrainingEvent } from '../train/report/training-events.ts';
import type { TrainingGate } from '../train/run/loop.ts';
import { runTraining } from '../train/run/recovery.ts';
import { openBase } from '../train/run/start-model.ts';
import type { FinishedTraining, TrainResult } from '../train/run/train-result.ts';
import { argumentsIn, readTrainingState } from '../train/run/training-state.ts';
import type { CompleteArguments, TrainArguments } from '../train/settings/train-arguments.ts';
import { SettingTable, type TrainSettings } from '../train/settings/train-settings.ts';
import { modelWarnings } from './export-check.ts';
import type { KnownInputs } from './given-inputs.ts';
import { checkForecast } from './memory-needs.ts';
import { planTraining } from './plan-training.ts';
import { runInputs } from './run-inputs.ts';
import type { TrainOptions } from './train-options.ts';

/** What a training in a session gets, beside its pairs. */
export interface SessionTraining
  extends Pick<KnownInputs, 'dev' | 'test'>,
    Pick<TrainOptions, 'from' | 'snapshots' | 'maxLogSteps'> {
  /** Receives the model without its weights before the device is opened; throws if the caller cannot use it. */
  readonly checkModel?: (model: SavedModel) => void;
  /** Gate between two steps. */
  readonly gate?: TrainingGate;
  readonly settings: TrainSettings;
  /** Model folder to write; none if empty. */
  readonly out: string;
  /** Arguments of the checkpoint in `out` to resume. [a new run] */
  readonly resumed?: CompleteArguments;
}

/** A training that has ended, with the model that it fine-tuned. */
export interface EndedTraining extends FinishedTraining {
  readonly base: { readonly saved: SavedModel; readonly name: string } | undefined;
}

/**
 * Trains a model. A new training that needs more than the memory budget of the session is an error before it starts,
 * which names settings that fit. Throws a HeddleError for an invalid pair, setting or file; see `runTraining`.
 */
export async function trainInSession(
  pairs: KnownInputs['pairs'],
  { dev, test, from, settings, out, resumed, gate, snapshots, maxLogSteps, checkModel }: SessionTraining,
  session: Session<TrainingEvent>,
): Promise<EndedTraining> {
  const { features, files, memoryBudget, signal } = session;
  check(!Array.isArray(pairs) || pairs.length > 0, 'there are no pairs', { area: 'train' });
  const data = { ...settings, dev, test, from };
  const resume = resumed !== undefined;
  const { args, split, sourceData, base } = await untilAborted(signal, () =>
    runInputs(pairs, data, features, { out, resume, heldOut: resumed?.heldOut }),
  );
  if (memoryBudget !== undefined && !resume && !session.device.isCpu) {
    const device = await session.device.open();
    checkForecast(await planTraining(pairs, { ...data, files, device, memoryBudget, signal }, features));
  }
  const model = base?.saved ?? (await untilAborted(signal, () => openBase(args, session, resumed)));
  const trained = await runTraining(args, session, {
    split,
    sourceData,
    gate,
    snapshots,
    maxLogSteps,
    checkModel(started, run) {
      checkModel?.(started);
      return modelWarnings(started, run);
    },
    model,
  });
  return { ...trained, base };
}

/** The same with the arguments of a checkpoint, which are plain JSON, and its result: the job of `heddle train`. */
export async function trainRun(
  { corpus, out, resume, ...settings }: TrainArguments,
  session: Session<TrainingEvent>,
): Promise<TrainResult> {
  const { files, features } = session;
  const table = new SettingTable(features.settings);
  const resumed = resume ? argumentsIn(await readTrainingState(files, out), out, table) : undefined;
  return (await trainInSession(corpus, { settings, out, resumed }, session)).result;
}

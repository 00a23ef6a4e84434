// The function `train` of the library.

import { CallbackWatch } from '../core/callbacks.ts';
import { check, checkSignal } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { msg } from '../core/message.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { TrainedLora } from '../formats/lora-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { loraConfig } from '../model/lora.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { Session } from '../session/session.ts';
import type { JobEvent, TrainingEvent } from '../train/report/training-events.ts';
import type { TrainingGate } from '../train/run/loop.ts';
import { argumentsIn, readTrainingState } from '../train/run/training-state.ts';
import type { CompleteArguments } from '../train/settings/train-arguments.ts';
import { SettingTable, type TrainSettings } from '../train/settings/train-settings.ts';
import { checkCheckpoint, checkRunPaths } from './checkpoint-folder.ts';
import { type GivenData, givenInputs } from './given-inputs.ts';
import { type BaseModel, type Model, type ModelMaker, textModel } from './model.ts';
import { type EndedTraining, trainInSession } from './train-in-session.ts';
import type { RunningModel, TrainGate, TrainOptions } from './train-options.ts';

/** `train` of the library, with the guests that the caller has. */
export const train = (
  given: GivenData,
  options: TrainOptions = {},
  features: Features = noFeatures,
): Promise<Model> => trainAs<Model>(textModel, given, options, features);

/** Trains a model of a class that a guest brings. */
export async function trainAs<M extends BaseModel>(
  make: ModelMaker<M>,
  given: GivenData,
  options: TrainOptions<M>,
  features: Features,
): Promise<M> {
  check(options && typeof options === 'object', 'the options must be an object', { area: 'train' });
  const callbacks = new CallbackWatch();
  return callbacks.during(() => trainWatched(make, given, options, features, callbacks));
}

async function trainWatched<M extends BaseModel>(
  make: ModelMaker<M>,
  given: GivenData,
  options: TrainOptions<M>,
  features: Features,
  callbacks: CallbackWatch,
): Promise<M> {
  const { from, checkpoint, resume = false, force = false, ...others } = options;
  const { onStep, onEvent, signal, gate, snapshots, maxLogSteps, ...rest } = others;
  const { device, tune, maxSubmissionMs, memoryBudget, ...inputs } = rest;
  checkSignal(signal);
  checkFunctions({ onStep, onEvent, gate });
  const table = new SettingTable(features.settings);
  const { pairs, dev, test, settings, files } = await givenInputs(given, inputs, table, {
    features,
    onEvent: onEvent && callbacks.of(onEvent),
    signal,
  });
  check(!resume || checkpoint, 'resume needs checkpoint, the folder of the checkpoint', { area: 'train' });
  check(checkpoint === undefined || checkpoint?.trim?.(), 'checkpoint must be a folder', { area: 'train' });
  const host = currentHost();
  const out = checkpoint === undefined ? '' : host.modelPath(checkpoint);
  let resumed: CompleteArguments | undefined;
  if (out) {
    const runFiles = archiveFiles(host.files);
    await checkCheckpoint(runFiles, out, { label: `train: checkpoint ${checkpoint}`, resume, force });
    if (resume) resumed = argumentsIn(await readTrainingState(runFiles, out), out, table);
    await checkRunPaths(files, out, { ...resumed, ...settings }, { resume, force });
  }
  const session = new Session<TrainingEvent>(host, {
    device,
    tune,
    maxSubmissionMs,
    memoryBudget,
    files,
    features,
    onEvent: eventListener({ onStep: onStep && callbacks.of(onStep), onEvent }),
  });
  const run = session.with({ signal }); // the model continues when the signal has ended the run
  const training = {
    dev,
    test,
    from,
    settings,
    out,
    resumed,
    gate: gate && modelGate(make, gate, run, callbacks),
    snapshots,
    maxLogSteps,
    // A model of another class is an error before its training.
    checkModel: (saved: SavedModel) => void make(saved, run),
  };
  try {
    const trained = await run.callbacks.during(() => trainInSession(pairs, training, run));
    return make(await trained.model(), session, {
      training: trained.result,
      lora: trainedLora(settings, trained),
      name: checkpoint,
      ownsSession: true,
    });
  } catch (error) {
    const closed = run.close();
    if (!signal?.aborted) await closed; // else work before the first step ends in the background
    throw error;
  }
}

/** Throws a HeddleError if a callback, or a method of the gate, is not a function. */
function checkFunctions({
  onStep,
  onEvent,
  gate,
}: Pick<TrainOptions<never>, 'onStep' | 'onEvent' | 'gate'>): void {
  for (const [name, call] of Object.entries({ onStep, onEvent }))
    check(!call || typeof call === 'function', msg`${name} must be a function`, { area: 'train' });
  for (const name of gate ? (['ready', 'wantsCheckpoint', 'between'] as const) : [])
    check(typeof gate?.[name] === 'function', msg`gate.${name} must be a function`, { area: 'train' });
}

/** The callback for the events of a run; undefined if nobody listens. */
const eventListener = ({
  onStep,
  onEvent,
}: Pick<TrainOptions, 'onStep' | 'onEvent'>): ((event: JobEvent) => unknown) | undefined =>
  (onStep || onEvent) &&
  ((event) => {
    if (event.type === 'step') onStep?.(event);
    return onEvent?.(event);
  });

/** The LoRA adapter of a trained model, of which the base model is the model that was fine-tuned. */
const trainedLora = (
  settings: TrainSettings,
  { lora, base }: Pick<EndedTraining, 'lora' | 'base'>,
): TrainedLora | undefined =>
  lora &&
  settings.lora && {
    lora: loraConfig(settings.lora),
    weights: lora,
    base: base?.name ?? '',
    baseFingerprint: base && fingerprintOf([base.saved.weights]),
  };

/** The gate of a run, which gives the caller's gate a `Model` on the engine of the run. */
const modelGate = <M extends BaseModel>(
  make: ModelMaker<M>,
  gate: TrainGate<M>,
  session: Session<TrainingEvent>,
  callbacks: CallbackWatch,
): TrainingGate => {
  const ready = callbacks.of((running: RunningModel<M>) => gate.ready(running));
  const wantsCheckpoint = callbacks.of(() => gate.wantsCheckpoint());
  return {
    ready({ model: { engine, model, parameters }, ...running }) {
      const saved = { ...model, weights: new Float32Array() };
      ready({ ...running, model: make(saved, session, { engine, parameters }) });
    },
    between: () => gate.between(),
    wantsCheckpoint: () => wantsCheckpoint() === true, // a promise is no answer
  };
};

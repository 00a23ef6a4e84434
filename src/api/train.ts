// The function `train` of the library.

import { check, checkSignal } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { Files } from '../files/files.ts';
import { isLoraFolder } from '../formats/lora-files.ts';
import { isModelFolder } from '../formats/model-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import { loraConfig } from '../model/lora.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { Session, type SessionOptions } from '../session/session.ts';
import { checkPairs, heldOutParts, type Pair, type Split, splitPairs } from '../text/corpus/pairs.ts';
import type { JobEvent, TrainingEvent } from '../train/report/training-events.ts';
import type { LogStep } from '../train/report/training-log.ts';
import type { RunningTraining, TrainingGate } from '../train/run/loop.ts';
import { runTraining } from '../train/run/recovery.ts';
import { argumentsIn, readTrainingState } from '../train/run/training-state.ts';
import type { TrainArguments } from '../train/settings/train-arguments.ts';
import { pairsOfCaller } from '../train/settings/train-arguments.ts';
import { SettingTable, type TrainSettings } from '../train/settings/train-settings.ts';
import { checkCheckpoint } from './checkpoint-folder.ts';
import {
  corpusOf,
  type GivenData,
  type GivenSettings,
  givenInputs,
  type KnownInputs,
  pairsIn,
} from './given-inputs.ts';
import { Model, originOf } from './model.ts';

/** The model of a running training: what only reads its weights. */
type ModelInTraining = Pick<
  Model,
  | 'config'
  | 'tokenizers'
  | 'read'
  | 'translate'
  | 'stream'
  | 'generate'
  | 'attention'
  | 'inspect'
  | 'languages'
>;

/** A training run between two steps. `model` has the current weights. */
export type RunningModel = RunningTraining<ModelInTraining>;

/** Gate between two steps of `train`, to pause the run and use its model. */
export type TrainGate = TrainingGate<ModelInTraining>;

/** Options of `train`: the settings in docs/settings.md, and the following. */
export interface TrainOptions extends GivenSettings, Omit<SessionOptions, 'onEvent'> {
  /** Pairs, or a file of pairs, for evaluations during the run. [the fraction `heldOut` of the pairs] */
  readonly dev?: GivenData;
  /**
   * Pairs, or a file of pairs, to translate at the end, for `Model.training.evaluation`. [another fraction
   * `heldOut`; with `dev`: none]
   */
  readonly test?: GivenData;
  /** The model to fine-tune (`--init DIR`; `init` in state.json); it does not change. */
  readonly from?: Model;
  /**
   * Folder, or name in the browser's storage, for checkpoints (`--out`). [only in memory, for recovery from a
   * lost device]
   */
  readonly checkpoint?: string;
  /**
   * Whether to resume from the checkpoint, with its settings; docs/settings.md lists which may change.
   * [false]
   */
  readonly resume?: boolean;
  /** Whether to replace a model that `checkpoint` already has, and steps of another run (`keepLast`). [false: an error] */
  readonly force?: boolean;
  /** Callback after each step, with its number (from 1) and loss. */
  readonly onStep?: (step: LogStep) => void;
  /** Callback for every event: steps, evaluations, checkpoints, messages. */
  readonly onEvent?: (event: JobEvent) => void;
  /**
   * Stops the run: before the first step of this call `train` rejects with the signal's reason, an AbortError,
   * and writes nothing. Later the run ends after the current step and resolves to the model so far, with
   * `training.stopped`.
   */
  readonly signal?: AbortSignal;
  /** Gate between two steps, to pause the run and use its model. */
  readonly gate?: TrainGate;
  /** Files for checkpoints in memory. [new ones] */
  readonly snapshots?: Files;
  /** Maximum number of steps in the log; above it older steps are thinned out. [no limit] */
  readonly maxLogSteps?: number;
}

/** `train` of the library, with the guests that the caller has. */
export async function train(
  given: GivenData,
  options: TrainOptions = {},
  features: Features = noFeatures,
): Promise<Model> {
  check(options && typeof options === 'object', 'train: the options must be an object');
  const { from, checkpoint, resume = false, force = false, ...others } = options;
  const { onStep, onEvent, signal, gate, snapshots, maxLogSteps, ...rest } = others;
  const { device, tune, maxSubmissionMs, memoryBudget, ...inputs } = rest;
  const listener =
    (onStep || onEvent) &&
    ((event: JobEvent): void => {
      if (event.type === 'step') onStep?.(event);
      onEvent?.(event);
    });
  checkSignal(signal);
  for (const [name, call] of Object.entries({ onStep, onEvent }))
    check(!call || typeof call === 'function', `train: ${name} must be a function`);
  const table = new SettingTable(features.settings);
  const { pairs, dev, test, settings, files } = await givenInputs(given, inputs, table, {
    features,
    onEvent,
    signal,
  });
  check(!Array.isArray(pairs) || pairs.length > 0, 'there are no pairs', { area: 'train' });
  check(!resume || checkpoint, 'train: resume needs checkpoint, the folder of the checkpoint');
  check(checkpoint === undefined || checkpoint?.trim?.(), 'train: checkpoint must be a folder');
  const host = currentHost();
  const out = checkpoint === undefined ? '' : host.modelPath(checkpoint);
  if (out) {
    const runFiles = archiveFiles(host.files);
    const saved = resume && argumentsIn(await readTrainingState(runFiles, out), out, table);
    const { keepLast } = { ...saved, ...settings };
    const isModel =
      (await isModelFolder(host.files, out, features.formats)) || (await isLoraFolder(host.files, out));
    await checkCheckpoint(runFiles, out, checkpoint, { isModel, resume, force, keepLast });
  }
  const data = { ...settings, dev, test, from };
  const { args, split, sourceData, base } = await untilAborted(signal, () =>
    runInputs(pairs, data, features, { out, resume }),
  );
  const session = new Session<TrainingEvent>(host, {
    device,
    tune,
    maxSubmissionMs,
    memoryBudget,
    files,
    features,
    onEvent: listener,
  });
  const run = session.with({ signal }); // the model continues when the signal has ended the run
  try {
    const trained = await runTraining(args, run, {
      split,
      sourceData,
      gate: gate && modelGate(gate, run),
      snapshots,
      maxLogSteps,
      model: base?.saved,
    });
    const lora =
      trained.lora && settings.lora
        ? {
            lora: loraConfig(settings.lora),
            weights: trained.lora,
            base: base?.name ?? '',
            baseFingerprint: base && fingerprintOf([base.saved.weights]),
          }
        : undefined;
    return new Model(await trained.model(), session, {
      training: trained.result,
      lora,
      name: checkpoint,
      ownsSession: true,
    });
  } catch (error) {
    const closed = run.close();
    if (!signal?.aborted) await closed; // else work before the first step ends in the background
    throw error;
  }
}

/** The gate of a run, which gives the caller's gate a `Model` on the engine of the run. */
const modelGate = (gate: TrainGate, session: Session<TrainingEvent>): TrainingGate => ({
  ready({ model: { engine, model, parameters }, ...running }) {
    const saved = { ...model, weights: new Float32Array() };
    gate.ready({ ...running, model: new Model(saved, session, { engine, parameters }) });
  },
  between: () => gate.between(),
  wantsCheckpoint: () => gate.wantsCheckpoint(),
});

/** The data and the initial model of `train` and `planTraining`. */
export type TrainData = GivenSettings & Pick<TrainOptions, 'dev' | 'test' | 'from'>;

/**
 * Arguments and inputs of a run. Pairs are split like those of a file in `heddle train`; a resumed run uses
 * the fraction of its checkpoint. Throws a HeddleError that names an invalid pair.
 */
export async function runInputs(
  given: KnownInputs['pairs'],
  {
    dev: givenDev,
    test: givenTest,
    from,
    ...settings
  }: TrainSettings & Pick<KnownInputs, 'dev' | 'test'> & Pick<TrainOptions, 'from'>,
  features: Features,
  { out, resume = false }: Pick<TrainArguments, 'out' | 'resume'> = { out: '' },
): Promise<{
  readonly args: TrainArguments;
  readonly split: Split | undefined;
  readonly sourceData: ReadonlyMap<string, Float32Array> | undefined;
  readonly base: { readonly saved: SavedModel; readonly name: string } | undefined;
}> {
  const corpus = await corpusOf(given, features);
  check(
    !corpus || !(givenDev ?? givenTest),
    'train: dev and test are options beside pairs; give the files of a corpus in its fields dev and test',
    'input',
  );
  const sourceData = new Map<string, Float32Array>();
  const read = async (list: object, name: string): Promise<readonly Pair[]> => {
    const pairs = await pairsIn(list, name, features, sourceData);
    checkPairs(pairs, name, { area: 'train' });
    return pairs;
  };
  const pairs = corpus ? [] : await read(given, 'pairs');
  const dev = givenDev && (await read(givenDev, 'dev'));
  const test = givenTest && (await read(givenTest, 'test'));
  const heldOut = await heldOutOf(settings, features, resume && !corpus ? out : undefined);
  const parts = corpus ? undefined : splitPairs(pairs, heldOutParts(heldOut, { dev, test }));
  const split = parts && {
    ...parts,
    dev: dev ? [...dev] : parts.dev,
    test: test ? [...test] : parts.test,
  };
  const origin = from && originOf(from);
  const base = origin && { saved: await origin.saved(), name: origin.name };
  const args = {
    ...settings,
    evalSteps: settings.evalSteps ?? (split?.dev.length === 0 ? 0 : undefined),
    testSentences: settings.testSentences ?? (split?.test.length === 0 ? 0 : undefined),
    init: base?.name ?? settings.init,
    corpus: corpus ?? pairsOfCaller,
    out,
    resume,
  } as const;
  return { args, split, sourceData: sourceData.size > 0 ? sourceData : undefined, base };
}

/** The fraction of the pairs to hold out; `resumed`: folder of the checkpoint whose fraction is used. */
async function heldOutOf(
  { heldOut }: TrainSettings,
  { settings }: Features,
  resumed: string | undefined,
): Promise<number> {
  const table = new SettingTable(settings);
  if (resumed === undefined) return heldOut ?? table.defaults.heldOut;
  const state = await readTrainingState(archiveFiles(currentHost().files), resumed);
  return argumentsIn(state, resumed, table).heldOut;
}

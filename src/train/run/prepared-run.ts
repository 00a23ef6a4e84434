// A training run before a device is opened: its recipe (from settings or a checkpoint), its data, and the model that it
// starts from.

import { checkRewriteNames } from '../../engine/graph/rewrites.ts';
import type { Files } from '../../files/files.ts';
import { randomDigits, readManifest } from '../../files/owned-folder.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { storedParameters } from '../../model/quantized-parameters.ts';
import { sourceKindOf } from '../../model/source-kind.ts';
import type { Features } from '../../session/feature-table.ts';
import { metricNamed } from '../../text/metrics/main-metrics.ts';
import type { CorpusSession } from '../data/corpus-arguments.ts';
import type { TrainingSession } from '../report/training-events.ts';
import {
  type CompleteArguments,
  completeArguments,
  type ResumedArguments,
  resumeArguments,
  type TrainArguments,
} from '../settings/train-arguments.ts';
import { SettingTable } from '../settings/train-settings.ts';
import { Recipe } from '../settings/training-recipe.ts';
import type { UpdateConfig } from '../update/trainer-graphs.ts';
import { checkBest } from './best-model.ts';
import { checkChanges } from './live-run.ts';
import { openData, type RunData } from './open-data.ts';
import { reportResumed, reportStart } from './start-messages.ts';
import { openStartModel } from './start-model.ts';
import type { CheckpointFolder, TrainInputs } from './train-result.ts';
import { argumentsIn, readTrainingState, type TrainingState } from './training-state.ts';

/** What preparing a run needs of a session. */
export type PreparingSession = CorpusSession & Pick<TrainingSession, 'features'>;

/** A training run before its first step. */
export interface PreparedRun extends RunData {
  readonly recipe: Recipe;
  /** The settings of the recipe. */
  readonly args: CompleteArguments;
  /** The checkpoint to resume, and the training state in it; undefined for a new run. */
  readonly from: CheckpointFolder | undefined;
  readonly before: TrainingState | undefined;
  /** The model that is fine-tuned or resumed. */
  readonly start: SavedModel | undefined;
  /** Its parameters, with the storage of its weights. */
  readonly parameters: ParameterList;
  readonly update: UpdateConfig;
  /** Number of updates, and of updates per epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  /** Id of the run, which its checkpoints share; and of the run in `out` that it replaces, if there is one. */
  readonly runId: string;
  readonly replacedRunId: string | undefined;
}

/** Prepares a new run or a resumed one. Throws a HeddleError that names the option or the file. */
export async function prepareRun(
  given: TrainArguments,
  session: PreparingSession,
  from: CheckpointFolder | undefined,
  inputs: TrainInputs = {},
): Promise<PreparedRun> {
  const before = from && (await readTrainingState(from.files, from.folder));
  const resumed = before && resumedArguments(before, given, session.features);
  if (resumed) reportResumed(resumed, session);
  const complete = resumed?.args ?? completeArguments(given, new SettingTable(session.features.settings));
  checkRewriteNames(complete.noFuse);
  checkBest({ ...complete, metric: metricNamed(complete.bestMetric, session.features.metrics) });
  const opened = await openStartModel(complete, session, from, inputs.model);
  const recipe = await Recipe.of(complete, opened, session.features, before ? undefined : given);
  const { args } = recipe;
  const start = opened && recipe.started(opened);
  const data = await openData(recipe, session, { ...inputs, from, before: before?.data, start });
  const { config, batches, source, target } = data.data;
  const kind = await sourceKindOf(config, session.features.sourceKinds);
  inputs.checkModel?.({ config, sourceKind: kind, source, target, weights: new Float32Array() });
  const { perEpoch } = batches.order;
  const steps = recipe.updates(perEpoch);
  const run = {
    ...data,
    recipe,
    args,
    from,
    before,
    start,
    parameters: storedParameters(config, recipe.storage, kind),
    update: recipe.update(steps, config.dModel),
    steps,
    perEpoch: recipe.updatesIn(1, perEpoch),
  };
  reportStart(run, given, session);
  checkChanges(run, (text) => session.emit({ type: 'message', text }));
  return { ...run, ...(await runIds(args.out, session.files, from)) };
}

/** The arguments of a checkpoint, with the new values of settings that may change. */
const resumedArguments = (
  before: TrainingState,
  given: TrainArguments,
  { settings }: Features,
): ResumedArguments => {
  const table = new SettingTable(settings);
  return resumeArguments(argumentsIn(before, given.out, table), given, table);
};

/** The id of a run: that of its checkpoint, or a new one. */
async function runIds(
  out: string,
  files: Files,
  from: CheckpointFolder | undefined,
): Promise<Pick<PreparedRun, 'runId' | 'replacedRunId'>> {
  const idIn = async ({ files, folder }: CheckpointFolder) => (await readManifest(files, folder))?.run;
  const runId = (from && (await idIn(from))) ?? randomDigits(32);
  const replacedRunId = out && !from ? await idIn({ files, folder: out }) : undefined;
  return { runId, replacedRunId };
}

// A training run before a device is opened: its recipe (from settings or a checkpoint), its data, and the model that it
// starts from.

import type { Message } from '../../core/message.ts';
import { randomDigits } from '../../files/owned-folder.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { storedParameters } from '../../model/quantized-parameters.ts';
import { sourceKindOf } from '../../model/source-kind.ts';
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
import { checkChanges } from './live-run.ts';
import { type OpenCheckpoint, runIdIn } from './open-checkpoint.ts';
import { openData, type RunData } from './open-data.ts';
import { openStartModel } from './start-model.ts';
import type { TrainInputs } from './train-result.ts';
import { argumentsIn } from './training-state.ts';

/** What preparing a run needs of a session. */
export type PreparingSession = CorpusSession & Pick<TrainingSession, 'features'>;

/** A training run before its first step. */
export interface PreparedRun extends RunData {
  readonly recipe: Recipe;
  /** The settings of the recipe. */
  readonly args: CompleteArguments;
  /** The checkpoint to resume; undefined for a new run. */
  readonly checkpoint: OpenCheckpoint | undefined;
  /** How the settings of a resumed run differ from those in its checkpoint. */
  readonly resumed: ResumedArguments | undefined;
  /** The model that is fine-tuned or resumed. */
  readonly start: SavedModel | undefined;
  /** Its parameters, with the storage of its weights. */
  readonly parameters: ParameterList;
  readonly update: UpdateConfig;
  /** Number of updates, and of updates per epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  /** Warnings of the caller about the model. */
  readonly modelWarnings: readonly Message[];
  /** Id of the run, which its checkpoints share; and of the run in `out` that it replaces, if there is one. */
  readonly runId: string;
  readonly replacedRunId: string | undefined;
}

/**
 * Prepares a new run, or one that resumes from a checkpoint. `reportStart` says what it found. Throws a HeddleError that
 * names the option or the file.
 */
export async function prepareRun(
  given: TrainArguments,
  session: PreparingSession,
  checkpoint: OpenCheckpoint | undefined,
  inputs: TrainInputs = {},
): Promise<PreparedRun> {
  const table = new SettingTable(session.features.settings);
  const resumed =
    checkpoint && resumeArguments(argumentsIn(checkpoint.state, checkpoint.folder, table), given, table);
  const complete = resumed?.args ?? completeArguments(given, table);
  const opened = await openStartModel(complete, session, checkpoint, inputs.model);
  const recipe = await Recipe.of(complete, opened, session.features, checkpoint ? undefined : given);
  const { args } = recipe;
  const start = opened && recipe.started(opened);
  const data = await openData(recipe, session, { ...inputs, checkpoint, start });
  const { config, batches, source, target } = data.data;
  const kind = await sourceKindOf(config, session.features.sourceKinds);
  const model = { config, sourceKind: kind, source, target, weights: new Float32Array() };
  const modelWarnings = inputs.checkModel?.(model, args) ?? [];
  const { perEpoch } = batches.order;
  const steps = recipe.updates(perEpoch);
  const run = {
    ...data,
    recipe,
    args,
    checkpoint,
    resumed,
    start,
    parameters: storedParameters(config, recipe.storage, kind),
    update: recipe.update(steps, config.dModel),
    steps,
    perEpoch: recipe.updatesIn(1, perEpoch),
    modelWarnings,
    runId: checkpoint?.runId ?? randomDigits(32),
    replacedRunId: args.out && !checkpoint ? await runIdIn(session.files, args.out) : undefined,
  };
  checkChanges(run);
  return run;
}

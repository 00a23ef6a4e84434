// Whether the model of a run can be converted to a format of transformers: said at the start, not after the training.
// The run hands its model to `checkModel` (TrainInputs) and says the warnings.

import { HeddleError, reasonOf } from '../core/errors.ts';
import { type Message, msg, option } from '../core/message.ts';
import { hfFamilies } from '../formats/hf/hf-families.ts';
import { hfRequirements } from '../formats/hf/to-hf-config.ts';
import { transformersTokenizer } from '../formats/hf/transformers-tokenizer.ts';
import type { HfType } from '../formats/shared/hf-types.ts';
import { requireFields } from '../formats/shared/requirements.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';

/** Why a model cannot be converted to a format; undefined if it can. */
export function exportProblem(
  model: Pick<SavedModel, 'config' | 'source' | 'target'>,
  type: HfType,
): Message | undefined {
  try {
    requireFields(type, hfRequirements(model.config, hfFamilies[type]));
    transformersTokenizer(model, type);
    return undefined;
  } catch (error) {
    if (error instanceof HeddleError) return msg`${reasonOf(error)}`;
    throw error;
  }
}

/** Warnings about a model that a run is to train. */
export function modelWarnings(
  model: Pick<SavedModel, 'config' | 'source' | 'target'>,
  { exportTo }: Pick<TrainSettings, 'exportTo'>,
): readonly Message[] {
  const problem = exportTo && exportProblem(model, exportTo);
  return problem ? [msg`${option('exportTo')}: ${problem}`] : [];
}

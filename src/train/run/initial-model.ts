// The model that a run starts from: the model in its checkpoint, or the model to fine-tune.

import { check, HeddleError } from '../../core/errors.ts';
import { withoutUndefined } from '../../files/json-files.ts';
import { hfFamilies } from '../../formats/hf/hf-fields.ts';
import { loadModelFolder } from '../../formats/model-folder.ts';
import type { HfType } from '../../formats/shared/model-formats.ts';
import { hfConfigOf, retrainedCheckpoint, type SavedModel } from '../../formats/shared/saved-model.ts';
import { type ModelOptions, modelConfig } from '../../model/model-config.ts';
import type { CorpusSession } from '../../session/load-corpus.ts';
import { modelInLanguages, openModel } from '../../session/open-model.ts';
import { initFolder } from '../settings/recipes.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { CheckpointFolder } from './train-result.ts';

/** Fields of the model configuration that fine-tuning may change. */
const changeable = ['dropout', 'labelSmoothing'] as const;

/**
 * The model that a run starts from: the model in the checkpoint, or the model of `init` with new dropout and
 * label smoothing; undefined for a new model. A resumed run uses the tokenizers of its checkpoint, since
 * tokenizers that are trained again could differ. The checkpoint of a LoRA adapter has no model, so the base
 * model is loaded from `init`. `given`: the model of `init`, if the caller has loaded it. Throws a
 * HeddleError for options that the model determines.
 */
export async function initialModel(
  args: CompleteArguments,
  session: CorpusSession,
  checkpoint: CheckpointFolder | undefined,
  given: SavedModel | undefined,
): Promise<SavedModel | undefined> {
  if (checkpoint && !args.lora) return loadModelFolder(checkpoint.files, checkpoint.folder);
  const folder = initFolder(args);
  if (folder === undefined) return undefined;
  const { dropout, labelSmoothing, model } = args;
  const fields: Partial<ModelOptions> = {
    ...withoutUndefined<unknown>({ dropout, labelSmoothing }),
    ...model,
  };
  const fixed = Object.keys(fields).filter((field) => !(changeable as readonly string[]).includes(field));
  if (fixed.length > 0)
    throw new HeddleError(
      `train: the model in ${folder} has its own ${fixed.join(', ')}; only ${changeable.join(' and ')} may be set`,
    );
  const { sourceLang, targetLang } = args;
  const languages = { sourceLang, targetLang };
  // Base weights of a LoRA adapter that are not f32 are read in parts and quantized, so all of them are never
  // in memory as f32.
  const inParts = args.lora !== undefined && (args.weights ?? 'f32') !== 'f32';
  const base = given
    ? await modelInLanguages(given, languages)
    : await openModel(folder, session, { ...languages, inParts });
  const { sourceCheckpoint, config } = base;
  const hf = hfConfigOf(base);
  for (const field of ['encoder_layerdrop', 'decoder_layerdrop'])
    if (hf?.[field])
      throw new HeddleError(
        `${folder}: ${field} is ${hf[field]}; training with layer dropout is not supported`,
      );
  check(
    checkpoint || (args.maxLength ?? 0) <= config.maxLength,
    `train: maxLength (${args.maxLength}) is above the ${config.maxLength} positions of the model in ${folder}; lower --max-length`,
  );
  const { dropout: places } = modelConfig({ ...config, ...fields });
  // T5 has a single rate for all places.
  const type = hf?.model_type as HfType | undefined;
  const isT5 = type !== undefined && hfFamilies[type].like === 't5';
  const rates = isT5 &&
    typeof fields.dropout === 'number' && { memory: fields.dropout, output: fields.dropout };
  return {
    ...base,
    config: modelConfig({ ...config, ...fields, dropout: { ...places, ...rates } }),
    ...(sourceCheckpoint && { sourceCheckpoint: retrainedCheckpoint(sourceCheckpoint) }),
  };
}

// The model that a training starts from: that of its checkpoint, or one that is fine-tuned.

import { check, HeddleError } from '../../core/errors.ts';
import { listed, msg, option } from '../../core/message.ts';
import { withoutUndefined } from '../../files/json-files.ts';
import { familyOf } from '../../formats/hf/hf-families.ts';
import { withLanguages } from '../../formats/hf/languages.ts';
import { loadModelFolder } from '../../formats/model-folder.ts';
import { hfConfigOf, retrainedCheckpoint, type SavedModel } from '../../formats/shared/saved-model.ts';
import { type ModelOptions, modelConfig } from '../../model/model-config.ts';
import { openModel } from '../../session/open-model.ts';
import type { Session } from '../../session/session.ts';
import { initFolder } from '../settings/run-defaults.ts';
import {
  type CompleteArguments,
  completeArguments,
  type TrainArguments,
} from '../settings/train-arguments.ts';
import { SettingTable } from '../settings/train-settings.ts';
import type { CheckpointFolder } from './train-result.ts';

/**
 * Opens the model folder in `init`; undefined for a new model. Who starts a run opens it and hands it over
 * (`TrainInputs.model`). `resumed`: arguments of the checkpoint that the run resumes. It has the model itself, unless
 * it is one of a LoRA adapter. Throws a HeddleError for wrong settings, before it reads the folder.
 */
export async function openBase(
  given: TrainArguments,
  session: Pick<Session, 'files' | 'emit' | 'features'>,
  resumed?: CompleteArguments,
): Promise<SavedModel | undefined> {
  const args = resumed ?? completeArguments(given, new SettingTable(session.features.settings));
  const folder = initFolder(args);
  if (folder === undefined || (resumed && !resumed.lora)) return undefined;
  // Base weights of a LoRA adapter that are not f32 are read in parts and quantized, so all of them are never
  // in memory as f32.
  const inParts = args.lora !== undefined && (args.weights ?? 'f32') !== 'f32';
  return openModel(folder, session, { inParts });
}

/** Fields of the model configuration that fine-tuning may change. */
const changeable = ['dropout', 'labelSmoothing'] as const;

/**
 * The model that a run starts from: the model in the checkpoint, or the model of `init` with new dropout and
 * label smoothing; undefined for a new model. A resumed run uses the tokenizers of its checkpoint, since
 * tokenizers that are trained again could differ. The checkpoint of a LoRA adapter has no model: its run starts
 * from the one of `init`. `opened`: the model of `init`, by `openBase` or of the caller. Throws a HeddleError for
 * options that the model determines.
 */
export async function openStartModel(
  args: CompleteArguments,
  { features }: Pick<Session, 'features'>,
  checkpoint: CheckpointFolder | undefined,
  opened: SavedModel | undefined,
): Promise<SavedModel | undefined> {
  if (checkpoint && !args.lora) return loadModelFolder(checkpoint.files, checkpoint.folder, features);
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
      msg`the model in ${folder} has its own ${listed(fixed.map((name) => option(name)))}; only ${listed(
        changeable.map((name) => option(name)),
        ' and ',
      )} may be set`,
      { area: 'train' },
    );
  check(opened, 'the model of the run is not open', { area: folder });
  await opened.verified;
  const { sourceLang, targetLang } = args;
  // The languages of other sources are tokens of their prompts.
  const base = opened.config.source === 'tokens' ? withLanguages(opened, { sourceLang, targetLang }) : opened;
  const { sourceCheckpoint, config } = base;
  const hf = hfConfigOf(base);
  for (const field of ['encoder_layerdrop', 'decoder_layerdrop'])
    if (hf?.[field])
      throw new HeddleError(
        msg`${field} is ${String(hf[field])}; training with layer dropout is not supported`,
        { area: folder },
      );
  check(
    checkpoint || (args.maxLength ?? 0) <= config.maxLength,
    msg`${option('maxLength')} (${args.maxLength}) is above the ${config.maxLength} positions of the model in ${folder}; lower it`,
    { area: 'train' },
  );
  const { dropout: places } = modelConfig({ ...config, ...fields });
  // T5 has a single rate for all places.
  const isT5 = familyOf(hf?.model_type)?.like === 't5';
  const rates =
    isT5 && typeof fields.dropout === 'number' ? { memory: fields.dropout, output: fields.dropout } : {};
  return {
    ...base,
    config: modelConfig({ ...config, ...fields, dropout: { ...places, ...rates } }),
    sourceCheckpoint: sourceCheckpoint && retrainedCheckpoint(sourceCheckpoint),
  };
}

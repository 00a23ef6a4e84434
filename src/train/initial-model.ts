// The model that a training goes on from instead of starting anew: heddle's own or one of Hugging Face, with its tokenizers.

import { HeddleError } from '../core/errors.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import { retrainedCheckpoint, type SavedModel } from '../formats/shared/saved-model.ts';
import type { LoraConfig } from '../model/lora.ts';
import { type ModelOptions, modelConfig } from '../model/model-config.ts';
import type { JobContext } from '../runtime/job.ts';
import { openModel } from '../runtime/open-model.ts';
import type { CheckpointFolder } from './checkpointer.ts';

/** Fields of a trained model that a further training may set anew. */
const open: readonly (keyof ModelOptions)[] = ['dropout', 'labelSmoothing'];

/** What of a training's arguments is read here. */
interface StartArguments {
  readonly initFrom?: string;
  readonly lora?: LoraConfig;
  readonly model: Partial<ModelOptions>;
}

/**
 * The model in the folder `initFrom`, with the fields that are set anew; undefined where none is named. A training that is resumed has its
 * configuration and tokenizers from its checkpoint: learnt again they could be others of the same size. Throws a HeddleError for fields
 * that the model has decided.
 */
export async function startFrom(
  { initFrom, lora, model: fields }: StartArguments,
  context: JobContext,
  checkpoint: CheckpointFolder | undefined,
): Promise<SavedModel | undefined> {
  // The checkpoint of an adapter has no model: that stays where it was.
  if (checkpoint && !lora) return loadModelFolder(checkpoint.files, checkpoint.folder);
  if (!initFrom) return undefined;
  const fixed = Object.keys(fields).filter((field) => !(open as readonly string[]).includes(field));
  if (fixed.length > 0)
    throw new HeddleError(
      `train: the model in ${initFrom} has its own ${fixed.join(', ')}; only ${open.join(' and ')} may be set`,
    );
  const found = await openModel(initFrom, context);
  const { sourceCheckpoint, config } = found;
  for (const field of ['encoder_layerdrop', 'decoder_layerdrop'])
    if (sourceCheckpoint?.config[field])
      throw new HeddleError(
        `${initFrom}: ${field} is ${sourceCheckpoint.config[field]}: dropping whole layers is not supported in training`,
      );
  return {
    ...found,
    config: modelConfig({ ...config, ...fields }),
    ...(sourceCheckpoint && { sourceCheckpoint: retrainedCheckpoint(sourceCheckpoint) }),
  };
}

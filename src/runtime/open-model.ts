// Loads the model of a job and prints its notes.

import { HeddleError } from '../core/errors.ts';
import { shellQuote } from '../core/shell.ts';
import { existingFolder, type Files } from '../files/files.ts';
import { type LanguageOptions, withLanguages } from '../formats/hf/languages.ts';
import { isLoraFolder, loraBaseModel, withLora } from '../formats/lora-folder.ts';
import { loadModelFolder } from '../formats/model-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { JobContext } from './job.ts';

/**
 * Loads a model folder, with the LoRA adapter of another folder merged into it if one is given, to translate between the given
 * languages; notes become messages. `inParts`: see `loadModelFolder`.
 */
export async function openModel(
  folder: string,
  { files, emit }: Pick<JobContext, 'files' | 'emit'>,
  adapter?: string,
  languages: LanguageOptions = {},
  inParts = false,
): Promise<SavedModel> {
  if ((await isLoraFolder(files, folder)) && !(await hasModel(files, folder)))
    throw new HeddleError(
      `${folder}: a LoRA adapter without its model; give the model, and --lora-adapter ${shellQuote(folder)}` +
        ` (its base model is ${await loraBaseModel(files, folder)})`,
    );
  const model = withLanguages(await loadModelFolder(files, folder, inParts), languages);
  for (const text of model.notes ?? []) emit({ type: 'message', text });
  return adapter === undefined ? model : withLora(files, model, adapter);
}

/** Whether a folder has a model configuration. */
const hasModel = async (files: Files, folder: string): Promise<boolean> =>
  files.exists(`${await existingFolder(files, folder)}/config.json`);

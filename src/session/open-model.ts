// Loads the model of a job and prints its notes.

import type { LanguageOptions } from '../decode/text-options.ts';
import type { Files } from '../files/files.ts';
import { settledFolder } from '../files/settled-folder.ts';
import { withLanguages } from '../formats/hf/languages.ts';
import { rejectLoraFolder } from '../formats/lora-files.ts';
import { type LoadFolderOptions, loadModelFolder } from '../formats/model-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { Session } from './session.ts';

/** Loads a model folder; its notes become messages. */
export async function openModel(
  folder: string,
  { files, emit, features }: Pick<Session, 'files' | 'emit' | 'features'>,
  { inParts, ...languages }: LanguageOptions & Pick<LoadFolderOptions, 'inParts'> = {},
): Promise<SavedModel> {
  if (!(await hasModel(files, folder))) await rejectLoraFolder(files, folder);
  const loaded = await loadModelFolder(files, folder, {
    formats: features.formats,
    sourceKinds: features.sourceKinds,
    inParts,
  });
  const model = await modelInLanguages(loaded, languages);
  for (const text of model.notes ?? []) emit({ type: 'message', text });
  return model;
}

/**
 * The model with the languages of a call, or as it is if the call names none. Throws a HeddleError if the
 * model does not have them.
 */
export async function modelInLanguages(
  model: SavedModel,
  { sourceLang, targetLang }: LanguageOptions,
): Promise<SavedModel> {
  if (sourceLang === undefined && targetLang === undefined) return model;
  return withLanguages(model, { sourceLang, targetLang });
}

/** Whether a folder has a model configuration. */
const hasModel = async (files: Files, folder: string): Promise<boolean> =>
  files.exists(`${await settledFolder(files, folder)}/config.json`);

// Loads the model of a job and prints its notes.

import type { LanguageOptions } from '../decode/text-options.ts';
import { withLanguages } from '../formats/hf/languages.ts';
import { type LoadFolderOptions, loadModelFolder } from '../formats/model-folder.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { Session } from './session.ts';

/** Loads a model folder; its notes become messages. */
export async function openModel(
  folder: string,
  { files, emit, features }: Pick<Session, 'files' | 'emit' | 'features'>,
  { inParts, ...languages }: LanguageOptions & Pick<LoadFolderOptions, 'inParts'> = {},
): Promise<SavedModel> {
  const loaded = await loadModelFolder(files, folder, {
    formats: features.formats,
    sourceKinds: features.sourceKinds,
    inParts,
  });
  const model = withLanguages(loaded, languages);
  for (const text of model.notes ?? []) emit({ type: 'message', text });
  return model;
}

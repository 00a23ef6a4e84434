// Reading the model that a job is about, and telling what a user should know of it.

import { loadModelFolder, type SavedModel } from '../formats/model-folder.ts';
import type { JobContext } from './job.ts';

/** As `loadModelFolder`; notes go to the log. */
export async function openModel(
  folder: string,
  { files, emit }: Pick<JobContext, 'files' | 'emit'>,
): Promise<SavedModel> {
  const model = await loadModelFolder(files, folder);
  for (const text of model.notes ?? []) emit({ type: 'log', text });
  return model;
}

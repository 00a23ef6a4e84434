// Where a model is that a call names, or gives as File and Blob objects.

import type { Files } from '../files/files.ts';
import { type FolderSource, openGiven } from '../files/given-files.ts';
import { type ModelPlace, placeOf } from './host.ts';

/** Resolves a name, or given files of a model, to files and the path of a folder in them. */
export async function openPlace(
  model: FolderSource,
  place: ModelPlace = {},
): Promise<{ readonly files: Files; readonly folder: string }> {
  if (typeof model === 'string') return placeOf(model, place);
  return openGiven(model, placeOf('', place).files);
}

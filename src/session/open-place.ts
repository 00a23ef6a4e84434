// Where a model is that a call names, or gives as File and Blob objects.

import { checkNames } from '../core/fields.ts';
import type { Files } from '../files/files.ts';
import { type FolderSource, openGiven } from '../files/given-files.ts';
import { type ModelPlace, placeOf } from './host.ts';

/**
 * Resolves a name, or given files of a model, to files and the path of a folder in them. `area` names the call in the
 * error of an unknown option, and `others` are its other options.
 */
export async function openPlace(
  area: string,
  model: FolderSource,
  place: ModelPlace = {},
  others: readonly string[] = [],
): Promise<{ readonly files: Files; readonly folder: string }> {
  checkNames({ area, others }, ['files'], Object.keys(place));
  if (typeof model === 'string') return placeOf(model, place);
  return openGiven(model, placeOf('', place).files);
}

// Model folders in the formats of the main house and of the guests.
import { features } from '../../src/features/features.ts';
import type { Files } from '../../src/files/files.ts';
import {
  isModelFolder as isModelFolderOf,
  type LoadFolderOptions,
  loadModelFolder as loadFolderOf,
} from '../../src/formats/model-folder.ts';

const { formats, sourceKinds } = features;

/** `loadModelFolder` with the formats of guests. */
export const loadModelFolder = (files: Files, folder: string, options: LoadFolderOptions = {}) =>
  loadFolderOf(files, folder, { formats, sourceKinds, ...options });

/** `isModelFolder` with the formats of guests. */
export const isModelFolder = (files: Files, folder: string) => isModelFolderOf(files, folder, formats);

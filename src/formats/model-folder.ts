// Loads a model folder in any supported format, which its config.json states.

import { HeddleError } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import { type Json, readJson } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { requireFile } from '../files/require-file.ts';
import { readSettled, settledFolder, verifying } from '../files/settled-folder.ts';
import { loadSublayers } from '../model/load-sublayers.ts';
import { heddleFormat, isPytorch, kerasFormat, type SavedModel } from './shared/saved-model.ts';

/**
 * config.json of a folder, or of the version that a save was replacing; undefined if there is none or it is
 * invalid.
 */
async function configIn(files: Files, folder: string): Promise<Json | undefined> {
  const path = `${await settledFolder(files, folder)}/${names.config}`;
  if (!(await files.exists(path))) return undefined;
  return readJson(files, path).catch(() => undefined);
}

/** Whether a folder has a model in heddle's format, by its config.json. */
export const isHeddleFolder = async (files: Files, folder: string): Promise<boolean> =>
  (await configIn(files, folder))?.format === heddleFormat;

/** Whether a folder has a model in any supported format, by its config.json. */
export async function isModelFolder(files: Files, folder: string): Promise<boolean> {
  const raw = (await configIn(files, folder)) ?? {};
  if (await isMarian(files, folder)) return true;
  const { format, model_type: type } = raw;
  return format === heddleFormat || format === kerasFormat || typeof type === 'string' || isPytorch(raw);
}

/** How to load a model folder. */
export interface LoadFolderOptions {
  /**
   * Read the weights of a Hugging Face folder when they are needed (`SavedModel.stored`); `large`: if they take
   * at least 256 MiB. Their checksums are compared meanwhile: await `SavedModel.verified` before you give any result.
   * [false]
   */
  readonly inParts?: boolean | 'large';
}

/**
 * Loads a model folder: heddle's format, Hugging Face, Marian, PyTorch or Keras. Throws a HeddleError that names the
 * file if it is missing, invalid or changed after it was written, or if weights or tokenizers do not match the
 * configuration.
 */
export async function loadModelFolder(
  files: Files,
  folder: string,
  options: LoadFolderOptions = {},
): Promise<SavedModel> {
  if (!(await files.exists(folder)))
    throw new HeddleError(`${folder}: there is no such folder`, {
      kind: 'not-found',
    });
  return readSettled(files, folder, (at, manifest) => loadVerified(files, at, manifest, options));
}

/** Loads a model and compares its files with the manifest of the folder. */
async function loadVerified(
  files: Files,
  at: string,
  manifest: string,
  { inParts }: LoadFolderOptions,
): Promise<SavedModel> {
  const read = (own: Files) => loadFormat(own, at, inParts);
  const model = await (manifest
    ? (await verifying()).readVerifiedModel(files, at, manifest, read)
    : read(files));
  await loadSublayers(model.config);
  if (!inParts) await model.verified;
  return model;
}

/** Whether a folder without a config.json has a model of Marian. */
const isMarian = async (files: Files, at: string): Promise<boolean> =>
  (await import('../features/marian/files/marian-folder.ts')).isMarianFolder(files, at);

async function loadFormat(
  files: Files,
  at: string,
  inParts: LoadFolderOptions['inParts'],
): Promise<SavedModel> {
  const path = `${at}/${names.config}`;
  const raw = (await files.exists(path)) ? await readJson(files, path) : undefined;
  // Dynamic imports: a page loads only the code of the formats that it uses.
  if (!raw) {
    // MarianMT weights and folders of Marian come without a config.json.
    if (await isMarian(files, at))
      return (await import('../features/marian/files/load-marian.ts')).loadMarian(files, at);
    if (!(await files.exists(`${at}/${names.weights}`))) await requireFile(files, at, names.config);
  }
  if (!raw || raw.model_type !== undefined)
    return (await import('./hf/load-hf.ts')).loadHf(files, at, raw, inParts);
  if (isPytorch(raw)) return (await import('../features/pytorch/pytorch.ts')).loadPytorch(files, at, raw);
  if (raw.format === kerasFormat) return (await import('./keras.ts')).loadKeras(files, at, raw);
  return (await import('./heddle.ts')).loadHeddle(files, at, raw);
}

// Loads a model folder in any supported format, which its config.json states.

import { HeddleError, shellQuote } from '../core/errors.ts';
import { existingFolder, type Files } from '../files/files.ts';
import { type Json, readJson } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { heddleFormat, loadHeddle } from './heddle.ts';
import { isPytorch, kerasFormat, type SavedModel } from './shared/saved-model.ts';
import { requireFile } from './tokenizers/heddle-tokenizers.ts';

/**
 * config.json of a folder, or of the version that a save was replacing; undefined if there is none or it is
 * invalid.
 */
async function configIn(files: Files, folder: string): Promise<Json | undefined> {
  const path = `${await existingFolder(files, folder)}/${names.config}`;
  if (!(await files.exists(path))) return undefined;
  return readJson(files, path).catch(() => undefined);
}

/** Whether a folder has a model in heddle's format, by its config.json. */
export const isHeddleFolder = async (files: Files, folder: string): Promise<boolean> =>
  (await configIn(files, folder))?.format === heddleFormat;

/** Whether a folder has a model in any supported format, by its config.json. */
export async function isModelFolder(files: Files, folder: string): Promise<boolean> {
  const raw = (await configIn(files, folder)) ?? {};
  const { format, model_type: type } = raw;
  return format === heddleFormat || format === kerasFormat || typeof type === 'string' || isPytorch(raw);
}

/**
 * Loads a model folder: heddle's format, Hugging Face, PyTorch or Keras. `inParts`: read the weights of a
 * Hugging Face folder when they are needed (`SavedModel.stored`). Throws a HeddleError that names the file if
 * it is missing or invalid, or if weights or tokenizers do not match the configuration.
 */
export async function loadModelFolder(files: Files, folder: string, inParts = false): Promise<SavedModel> {
  const at = await existingFolder(files, folder);
  if (!(await files.exists(at)))
    throw new HeddleError(
      `${folder}: there is no such folder; heddle train --out ${shellQuote(folder)} creates one`,
    );
  const hasConfig = await files.exists(`${at}/${names.config}`);
  // MarianMT weights may come without a config.json.
  if (!hasConfig)
    await requireFile(
      files,
      at,
      (await files.exists(`${at}/${names.weights}`)) ? names.weights : names.config,
    );
  const raw = hasConfig ? await readJson(files, `${at}/${names.config}`) : undefined;
  // Dynamic imports: a page that loads heddle's format does not load the code of the others.
  if (!raw || raw.model_type !== undefined) {
    const { loadHf, openHf } = await import('./hf/load-hf.ts');
    return inParts ? openHf(files, at, raw) : loadHf(files, at, raw);
  }
  if (isPytorch(raw)) return (await import('./pytorch.ts')).loadPytorch(files, at, raw);
  if (raw.format === kerasFormat) return (await import('./keras.ts')).loadKeras(files, at, raw);
  return loadHeddle(files, at, raw);
}

// Model folders: saves heddle's format, and loads every supported format by its config.json.

import { HeddleError, shellQuote } from '../core/errors.ts';
import { existingFolder, type Files } from '../files/files.ts';
import { type Json, readJson } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { heddleFormat, loadHeddle } from './heddle.ts';
import { isPytorch, kerasFormat, type SavedModel } from './shared/saved-model.ts';
import { requireFile } from './tokenizers/heddle-tokenizers.ts';

/** config.json of a folder or of its previous version; undefined if there is none or it is not JSON. */
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
  const raw = await configIn(files, folder);
  if (!raw) return false;
  return (
    [heddleFormat, kerasFormat].includes(String(raw.format)) || typeof raw.model_type === 'string' || isPytorch(raw)
  );
}

/**
 * Loads a model folder: heddle's format, Hugging Face (BART, MarianMT), PyTorch or Keras. Throws a HeddleError that
 * names the file if it is missing or invalid, or weights or tokenizers do not match the configuration. `inParts`: weights
 * of Hugging Face's folders are read when they are needed; see `SavedModel.stored`.
 *
 * @example
 * const { config, weights, source, target } = await loadModelFolder(files, 'runs/en-es');
 */
export async function loadModelFolder(files: Files, folder: string, inParts = false): Promise<SavedModel> {
  const at = await existingFolder(files, folder);
  if (!(await files.exists(at)))
    throw new HeddleError(`${folder}: there is no such folder; heddle train --out ${shellQuote(folder)} makes one`);
  const hasConfig = await files.exists(`${at}/${names.config}`);
  // MarianMT weights may come without a config.json.
  if (!hasConfig)
    await requireFile(files, at, (await files.exists(`${at}/${names.weights}`)) ? names.weights : names.config);
  const raw = hasConfig ? await readJson(files, `${at}/${names.config}`) : undefined;
  // A page that loads a model of heddle does not need the code of the other formats.
  if (!raw || raw.model_type !== undefined) {
    const { loadHf, openHf } = await import('./hf/load-hf.ts');
    return inParts ? openHf(files, at, raw) : loadHf(files, at, raw);
  }
  if (isPytorch(raw)) return (await import('./pytorch.ts')).loadPytorch(files, at, raw);
  if (raw.format === kerasFormat) return (await import('./keras.ts')).loadKeras(files, at, raw);
  return loadHeddle(files, at, raw);
}

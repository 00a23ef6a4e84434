// A trained model as a folder: config.json, model.safetensors and the tokenizers, and beside them what a checkpoint adds. It is
// written under another name and renamed, so no reader ever sees half of one.

import { HeddleError, withErrorPrefix } from '../core/errors.ts';
import { existingFolder, type Files, writeFolder } from '../files/files.ts';
import { jsonBytes, readJson } from '../files/json-files.ts';
import { modelMetadata, modelFileNames as names } from '../files/model-file.ts';
import { readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { parameterList, tensorsFromWeights, weightsFromTensors } from '../model/parameters.ts';
import { loadHf, readSourceCheckpoint } from './hf/load-hf.ts';
import { kerasFormat, loadKeras } from './keras.ts';
import { isPytorch, loadPytorch } from './pytorch.ts';
import type { SavedModel } from './shared/saved-model.ts';
import { heddleTokenizerFiles, requireFile as need, readTokenizers } from './tokenizers/heddle-tokenizers.ts';

/** `format` and `version` of config.json. */
const format = 'heddle';
const version = 1;

/**
 * Writes a model folder as a whole: what stood there before stays until the new one is complete, and then is gone. `extra` are
 * further files by name: optimizer state, a report.
 */
export async function saveModelFolder(
  files: Files,
  folder: string,
  model: SavedModel,
  extra: Readonly<Record<string, Uint8Array>> = {},
): Promise<void> {
  const { config, source, target, sourceCheckpoint } = model;
  const { files: own = {}, ...from } = sourceCheckpoint ?? {};
  const described: Record<string, Uint8Array> = {
    [names.config]: jsonBytes({ format, version, model: config, ...(sourceCheckpoint && { origin: from }) }),
    ...(sourceCheckpoint ? own : heddleTokenizerFiles(source, target)),
  };
  // Tokenizers from elsewhere may be no text, and large: they stay in the folder alone.
  const metadata = sourceCheckpoint ? { format } : modelMetadata(format, described);
  const weights = writeSafetensors(tensorsFromWeights(parameterList(config), model.weights), metadata);
  await writeFolder(files, folder, { ...described, [names.weights]: weights, ...extra });
}

/** Whether a folder, or the one it is being replaced by, has a heddle model. */
export async function isHeddleFolder(files: Files, folder: string): Promise<boolean> {
  const at = await existingFolder(files, folder);
  if (!(await files.exists(`${at}/${names.config}`))) return false;
  try {
    return (await readJson(files, `${at}/${names.config}`)).format === format;
  } catch {
    return false;
  }
}

/** Whether a folder, or the one it is being replaced by, has a model of any layout that is read, by its config.json. */
export async function isModelFolder(files: Files, folder: string): Promise<boolean> {
  const at = await existingFolder(files, folder);
  if (!(await files.exists(`${at}/${names.config}`))) return false;
  try {
    const raw = await readJson(files, `${at}/${names.config}`);
    return [format, kerasFormat].includes(String(raw.format)) || typeof raw.model_type === 'string' || isPytorch(raw);
  } catch {
    return false;
  }
}

/**
 * Reads a model folder: heddle's own, one of Hugging Face (BART, MarianMT), or one in the layout of PyTorch or Keras. Throws a HeddleError
 * that names the file and what is wrong: one that is missing or broken, or weights or tokenizers that do not fit the configuration.
 */
export async function loadModelFolder(files: Files, folder: string): Promise<SavedModel> {
  const at = await existingFolder(files, folder);
  if (!(await files.exists(at)))
    throw new HeddleError(`${folder}: there is no such folder; heddle train --out ${folder} makes one`);
  const raw = await readRaw(files, at);
  if (raw?.model_type !== undefined || !raw) return loadHf(files, at, raw);
  if (isPytorch(raw)) return loadPytorch(files, at, raw);
  if (raw.format === kerasFormat) return loadKeras(files, at, raw);
  const config = readConfig(raw, `${at}/${names.config}`);
  const path = `${at}/${names.weights}`;
  await need(files, at, names.weights);
  const tensors = readSafetensors(await files.read(path), path);
  const weights = withErrorPrefix(`${path} does not fit ${names.config}`, () =>
    weightsFromTensors(parameterList(config), tensors),
  );
  for (const [name, { data }] of Object.entries(tensors)) {
    const i = data.findIndex((x) => !Number.isFinite(x));
    if (i >= 0) throw new HeddleError(`${path}: ${name} has ${data[i]} at element ${i}; the training has diverged`);
  }
  if (raw.origin !== undefined) return { ...(await readSourceCheckpoint(files, at, raw.origin, config)), weights };
  return { config, ...(await readTokenizers(files, at, config)), weights };
}

/** config.json; undefined where there are weights without one, which MarianMT's may be. */
async function readRaw(files: Files, folder: string): Promise<Record<string, unknown> | undefined> {
  if (await files.exists(`${folder}/${names.config}`)) return readJson(files, `${folder}/${names.config}`);
  await need(files, folder, (await files.exists(`${folder}/${names.weights}`)) ? names.weights : names.config);
  return undefined;
}

function readConfig(raw: Record<string, unknown>, path: string): ModelConfig {
  if (raw.format !== format)
    throw new HeddleError(
      `${path}: not a heddle model, it has no "format": "${format}"; nor has it a "model_type" of Hugging Face`,
    );
  if (raw.version !== version)
    throw new HeddleError(`${path}: version ${JSON.stringify(raw.version)}, this heddle reads version ${version}`);
  if (typeof raw.model !== 'object' || raw.model === null) throw new HeddleError(`${path}: the field model is missing`);
  return withErrorPrefix(path, () => modelConfig(raw.model as ModelOptions));
}

// heddle's own format: config.json with the model's configuration, model.safetensors, and tokenizer files.

import { HeddleError, withErrorPrefix } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Files } from '../files/files.ts';
import { type Json, parseJson, readJson } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { readSafetensors, readSafetensorsHeader } from '../files/safetensors.ts';
import { type ModelOptions, modelConfig } from '../model/model-config.ts';
import { parameterList, weightsFromTensors } from '../model/parameters.ts';
import type { SavedModel } from './shared/saved-model.ts';
import { readTokenizers, requireFile } from './tokenizers/heddle-tokenizers.ts';

/** `format` of config.json. */
export const heddleFormat = 'heddle';
/** `version` of config.json. */
export const formatVersion = 1;

/** Key of the fingerprint of the tokenizer files in the metadata of the weights, which do not have their text. */
export const filesKey = 'tokenizer_files';

/** Tensors with f16 as f32: the file may store weights in half the size. */
async function widened(tensors: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  if (Object.values(tensors).every(({ dtype }) => dtype !== 'f16')) return tensors;
  const { fromFloat16 } = await import('../core/float16.ts');
  return Object.fromEntries(
    Object.entries(tensors).map(([name, t]) =>
      t.dtype === 'f16' ? [name, { ...t, dtype: 'f32', data: fromFloat16(t.data as Uint16Array) }] : [name, t],
    ),
  );
}

/**
 * Loads a folder in this format; `raw` is its config.json. Throws a HeddleError that names the file and the problem.
 */
export async function loadHeddle(files: Files, folder: string, raw: Json): Promise<SavedModel> {
  const configPath = `${folder}/${names.config}`;
  if (raw.format !== heddleFormat)
    throw new HeddleError(
      `${configPath}: not a model: it has neither "format": "${heddleFormat}" nor a "model_type" of Hugging Face`,
    );
  if (raw.version !== formatVersion)
    throw new HeddleError(
      `${configPath}: version is ${JSON.stringify(raw.version)}, this version of heddle reads ${formatVersion}`,
    );
  if (typeof raw.model !== 'object' || raw.model === null)
    throw new HeddleError(`${configPath}: the field model is missing`);
  const config = withErrorPrefix(configPath, () => modelConfig(raw.model as ModelOptions));
  const path = `${folder}/${names.weights}`;
  await requireFile(files, folder, names.weights);
  const bytes = await files.read(path);
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, path);
  const tensors = await widened(readSafetensors(bytes, path));
  const weights = withErrorPrefix(`${path} does not match ${names.config}`, () =>
    weightsFromTensors(parameterList(config), tensors),
  );
  for (const [name, { data }] of Object.entries(tensors)) {
    const i = data.findIndex((x) => !Number.isFinite(x));
    if (i >= 0) throw new HeddleError(`${path}: ${name} has ${data[i]} at element ${i}; the training has diverged`);
  }
  if (raw.origin !== undefined) {
    const { readSourceCheckpoint } = await import('./hf/load-hf.ts');
    const { sourceCheckpoint, ...model } = await readSourceCheckpoint(files, folder, raw.origin, config);
    const own = sourceCheckpoint?.files ?? {};
    if (metadata[filesKey] !== undefined && metadata[filesKey] !== fingerprintOf(Object.values(own)))
      exchanged(folder, Object.keys(own).join(', '));
    return { ...model, ...(sourceCheckpoint && { sourceCheckpoint }), weights };
  }
  const tokenizers = await readTokenizers(files, folder, config);
  for (const name of [names.tokenizer, names.source, names.target]) {
    const trained = metadata[name];
    if (trained === undefined || !(await files.exists(`${folder}/${name}`))) continue;
    if (
      JSON.stringify(await readJson(files, `${folder}/${name}`)) !==
      JSON.stringify(parseJson(new TextEncoder().encode(trained), path))
    )
      exchanged(folder, name);
  }
  return { config, ...tokenizers, weights };
}

function exchanged(folder: string, name: string): never {
  throw new HeddleError(
    `${folder}: ${name}: not the tokenizer that the model was trained with, of which ${names.weights} has a copy or fingerprint; ` +
      'restore it (a model.safetensors alone is a complete model too)',
  );
}

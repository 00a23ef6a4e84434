// What the PyTorch and Keras formats share: a config.json with their own field names, float tensors by name,
// and the tokenizer files of heddle's format.

import { HeddleError, withArea } from '../core/errors.ts';
import { asFloat32 } from '../core/float16.ts';
import { listed, msg } from '../core/message.ts';
import { indexOfNonFinite, type Tensor } from '../core/tensor.ts';
import type { Files } from '../files/files.ts';
import { type Json, jsonBytes } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { requireFile } from '../files/require-file.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { idTokenizers } from './hf/hf-tokenizers.ts';
import type { ReadOrigin } from './model-format.ts';
import type { DescribedModel, SavedModel } from './shared/saved-model.ts';
import { readTokenizers } from './tokenizers/heddle-tokenizers.ts';
import { heddleTokenizerFiles } from './tokenizers/save-tokenizers.ts';

/** Fields of a config.json, each with its field of ModelConfig. */
export type FieldNames = Readonly<Record<string, keyof ModelConfig>>;

/** A float32 tensor. */
interface FloatTensor extends Tensor {
  readonly data: Float32Array;
}

const ownFields = ['format', 'version', 'origin'];

/**
 * The model configuration in a config.json. Throws a HeddleError that starts with `path` for unknown fields
 * and invalid values.
 */
export function configFromFields(
  raw: Json,
  fields: FieldNames,
  fixed: Partial<ModelOptions>,
  path: string,
): ModelConfig {
  const options: Record<string, unknown> = { ...fixed };
  for (const [key, value] of Object.entries(raw)) {
    const field = fields[key];
    if (field) options[field] = value;
    else if (!ownFields.includes(key))
      throw new HeddleError(msg`unknown field ${key}; the fields are ${listed(Object.keys(fields))}`, {
        area: path,
      });
  }
  return withArea(path, () => modelConfig(options as unknown as ModelOptions));
}

/**
 * The files of a model folder by name: config.json with `fields` of the model configuration and the source
 * checkpoint under `origin`, `weights`, and the tokenizer files of the source checkpoint, else heddle's.
 */
export function layoutFiles(
  format: string,
  { config, source, target, sourceCheckpoint }: SavedModel,
  fields: FieldNames,
  weights: Uint8Array,
): Record<string, Uint8Array> {
  const { files = heddleTokenizerFiles(source, target), ...origin } = sourceCheckpoint ?? {};
  const own = Object.entries(fields).map(([key, field]) => [key, config[field]]);
  return {
    [modelFileNames.config]: jsonBytes({
      format,
      version: 1,
      ...Object.fromEntries(own),
      origin: sourceCheckpoint && origin,
    }),
    [modelFileNames.weights]: weights,
    ...files,
  };
}

/**
 * Loads everything but the weights: tokenizers, decoding rules, source checkpoint. Without tokenizer files
 * texts are token ids.
 */
export async function readTextSides(
  files: Files,
  folder: string,
  raw: Json,
  config: ModelConfig,
  readOrigin: ReadOrigin,
): Promise<DescribedModel> {
  if (raw.origin !== undefined) return readOrigin(raw.origin, config);
  const { tokenizer, source } = modelFileNames;
  for (const name of [tokenizer, source])
    if (await files.exists(`${folder}/${name}`))
      return { config, ...(await readTokenizers(files, folder, config)) };
  return { config, ...idTokenizers(config, config.padId, folder) };
}

/**
 * The tensors of model.safetensors as float32. Throws a HeddleError if one is not a float tensor, or has a
 * NaN or infinity.
 */
export async function readFloatTensors(files: Files, folder: string): Promise<Map<string, FloatTensor>> {
  const path = `${folder}/${modelFileNames.weights}`;
  await requireFile(files, folder, modelFileNames.weights);
  const out = new Map<string, FloatTensor>();
  for (const [name, tensor] of Object.entries(readSafetensors(await files.read(path), path))) {
    const { dtype, shape, data } = asFloat32(tensor);
    if (dtype !== 'f32')
      throw new HeddleError(msg`${name} is ${dtype}; weights must be float32, float16 or bfloat16`, {
        area: path,
      });
    const wrong = indexOfNonFinite(data);
    if (wrong >= 0)
      throw new HeddleError(msg`${name} has ${data[wrong]} at element ${wrong}`, { area: path });
    out.set(name, { dtype, shape, data: data as Float32Array });
  }
  return out;
}

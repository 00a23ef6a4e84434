// Shared by the PyTorch and Keras formats: a config.json with renamed fields, float tensors by name, and tokenizers as
// in heddle's format.

import { HeddleError, withErrorPrefix } from '../core/errors.ts';
import { fromFloat16 } from '../core/float16.ts';
import type { Files } from '../files/files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { createIdTokenizer } from '../text/tokenizers/character-tokenizer.ts';
import { readSourceCheckpoint } from './hf/load-hf.ts';
import type { SavedModel } from './shared/saved-model.ts';
import { readTokenizers, requireFile } from './tokenizers/heddle-tokenizers.ts';
import { heddleTokenizerFiles } from './tokenizers/save-tokenizers.ts';

/** Fields of a config.json, each with its field of ModelConfig. */
export type FieldNames = Readonly<Record<string, keyof ModelConfig>>;

const ownFields = ['format', 'version', 'origin'];

/**
 * The configuration of a config.json. Throws a HeddleError that starts with `path` for unknown fields and invalid
 * values.
 */
export function configFromFields(
  raw: Readonly<Record<string, unknown>>,
  fields: FieldNames,
  fixed: Partial<ModelOptions>,
  path: string,
): ModelConfig {
  const options: Record<string, unknown> = { ...fixed };
  for (const [key, value] of Object.entries(raw)) {
    const field = fields[key];
    if (field) options[field] = value;
    else if (!ownFields.includes(key))
      throw new HeddleError(`${path}: unknown field ${key}; the fields are ${Object.keys(fields).join(', ')}`);
  }
  return withErrorPrefix(path, () => modelConfig(options as unknown as ModelOptions));
}

/** The config.json of a configuration: renamed fields, and the source checkpoint under `origin`. */
export function fieldsFromConfig(
  format: string,
  { config, sourceCheckpoint }: SavedModel,
  fields: FieldNames,
): Record<string, unknown> {
  const { files: _, ...from } = sourceCheckpoint ?? {};
  const own = Object.entries(fields).map(([key, field]) => [key, config[field]]);
  return { format, version: 1, ...Object.fromEntries(own), ...(sourceCheckpoint && { origin: from }) };
}

/** The tokenizer files of a model: those of its source checkpoint, else heddle's. */
export const tokenizerFilesOf = ({
  sourceCheckpoint,
  source,
  target,
}: SavedModel): Readonly<Record<string, Uint8Array>> =>
  sourceCheckpoint ? sourceCheckpoint.files : heddleTokenizerFiles(source, target);

/**
 * Loads everything but the weights: tokenizers, decoding rules and source checkpoint. Without tokenizer files texts are
 * token ids.
 */
export async function readTextSides(
  files: Files,
  folder: string,
  raw: Readonly<Record<string, unknown>>,
  config: ModelConfig,
): Promise<Omit<SavedModel, 'weights'>> {
  if (raw.origin !== undefined) return readSourceCheckpoint(files, folder, raw.origin, config);
  const { tokenizer, source } = modelFileNames;
  for (const name of [tokenizer, source])
    if (await files.exists(`${folder}/${name}`)) return { config, ...(await readTokenizers(files, folder, config)) };
  const special = { pad: config.padId, start: config.startId, end: config.endId, unknown: config.padId };
  const side = createIdTokenizer(config.srcVocab, special);
  const other = config.tie === 'all' ? side : createIdTokenizer(config.tgtVocab, special);
  const notes = [`${folder}: there is no tokenizer; texts are token ids separated by spaces`];
  return { config, source: side, target: other, notes };
}

/**
 * The tensors of model.safetensors as float32. Throws a HeddleError if one is not a float tensor or has a value that is
 * not finite.
 */
export async function readFloatTensors(
  files: Files,
  folder: string,
): Promise<Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>> {
  const path = `${folder}/${modelFileNames.weights}`;
  await requireFile(files, folder, modelFileNames.weights);
  const out = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, { dtype, shape, data }] of Object.entries(readSafetensors(await files.read(path), path))) {
    if (dtype !== 'f32' && dtype !== 'f16')
      throw new HeddleError(`${path}: ${name} is ${dtype}; weights must be float32, float16 or bfloat16`);
    const values = dtype === 'f16' ? fromFloat16(data as Uint16Array) : (data as Float32Array);
    const wrong = values.findIndex((x) => !Number.isFinite(x));
    if (wrong >= 0) throw new HeddleError(`${path}: ${name} has ${values[wrong]} at element ${wrong}`);
    out.set(name, { shape, data: values });
  }
  return out;
}

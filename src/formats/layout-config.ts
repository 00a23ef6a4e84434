// What the folders of PyTorch's and Keras's layouts have in common: a config.json whose fields stand for those of the model, tensors
// under names of their own, and the tokenizers as in a folder of heddle.

import { HeddleError, withErrorPrefix } from '../core/errors.ts';
import { fromFloat16 } from '../core/float16.ts';
import type { Files } from '../files/files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { createIdTokenizer } from '../text/tokenizers/character-tokenizer.ts';
import { readSourceCheckpoint } from './hf/load-hf.ts';
import type { SavedModel } from './shared/saved-model.ts';
import { heddleTokenizerFiles, readTokenizers, requireFile } from './tokenizers/heddle-tokenizers.ts';

/** Fields of a config.json, each with the field of the model that it stands for. */
export type FieldNames = Readonly<Record<string, keyof ModelConfig>>;

const ours = ['format', 'version', 'origin'];

/** The configuration that fields stand for. Throws a HeddleError, with `path` in it, for others and for values that are not sound. */
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
    else if (!ours.includes(key))
      throw new HeddleError(`${path}: the field ${key} is not known; the fields are ${Object.keys(fields).join(', ')}`);
  }
  return withErrorPrefix(path, () => modelConfig(options as unknown as ModelOptions));
}

/** The fields of a configuration by other names, and what it keeps of an origin. */
export function fieldsFromConfig(
  format: string,
  { config, sourceCheckpoint }: SavedModel,
  fields: FieldNames,
): Record<string, unknown> {
  const { files: _, ...from } = sourceCheckpoint ?? {};
  const own = Object.entries(fields).map(([key, field]) => [key, config[field]]);
  return { format, version: 1, ...Object.fromEntries(own), ...(sourceCheckpoint && { origin: from }) };
}

/** The files of a model's tokenizers, as they came from elsewhere or as heddle has them. */
export const tokenizerFilesOf = ({
  sourceCheckpoint,
  source,
  target,
}: SavedModel): Readonly<Record<string, Uint8Array>> =>
  sourceCheckpoint ? sourceCheckpoint.files : heddleTokenizerFiles(source, target);

/** All of a model but its weights, of a folder in such a layout. */
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

/** The tensors of a folder as float32 by name. Throws a HeddleError for one of whole numbers, or with a number that is not finite. */
export async function readFloatTensors(
  files: Files,
  folder: string,
): Promise<Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>> {
  const path = `${folder}/${modelFileNames.weights}`;
  await requireFile(files, folder, modelFileNames.weights);
  const out = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, { dtype, shape, data }] of Object.entries(readSafetensors(await files.read(path), path))) {
    if (dtype !== 'f32' && dtype !== 'f16')
      throw new HeddleError(`${path}: ${name} is ${dtype}; weights must be numbers of a kind`);
    const values = dtype === 'f16' ? fromFloat16(data as Uint16Array) : (data as Float32Array);
    const wrong = values.findIndex((x) => !Number.isFinite(x));
    if (wrong >= 0) throw new HeddleError(`${path}: ${name} has ${values[wrong]} at element ${wrong}`);
    out.set(name, { shape, data: values });
  }
  return out;
}

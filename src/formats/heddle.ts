// Loads heddle's own format: config.json with the model configuration, model.safetensors, and tokenizer
// files.

import { check, HeddleError, withArea, withReason } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { msg } from '../core/message.ts';
import { indexOfNonFinite, type Tensor } from '../core/tensor.ts';
import { type Files, readText } from '../files/files.ts';
import { isObject, type Json, parseJson } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { requireFile } from '../files/require-file.ts';
import { maxHeader, readSafetensors, readSafetensorsHeader } from '../files/safetensors.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../model/model-config.ts';
import { parameterList } from '../model/parameters.ts';
import { type SourceKinds, sourceKindOf } from '../model/source-kind.ts';
import { weightsFromTensors } from '../model/weights-from-tensors.ts';
import type { ReadOrigin } from './model-format.ts';
import type { SavedModel } from './shared/saved-model.ts';
import { readTokenizers } from './tokenizers/heddle-tokenizers.ts';
import { widenTensors } from './widen-tensors.ts';

/** `version` of config.json. */
export const formatVersion = 1;

/** Metadata key of the weights: fingerprint of tokenizer files whose text is not embedded in the metadata. */
export const filesKey = 'tokenizer_files';

/** Converts f16 and int8 tensors to f32. The code that converts is loaded only if there is one. */
async function widened(tensors: Record<string, Tensor>, path: string): Promise<Record<string, Tensor>> {
  if (Object.values(tensors).every(({ dtype }) => dtype === 'f32')) return tensors;
  return widenTensors(tensors, path);
}

/** The model configuration in a config.json. Throws a HeddleError that starts with its path. */
export function readHeddleConfig({ model }: Json, path: string): ModelConfig {
  check(isObject(model), 'the field model is missing', { area: path });
  return withArea(path, () => modelConfig(model as unknown as ModelOptions));
}

/**
 * Loads a folder in this format; `raw` is its config.json. Throws a HeddleError that names the file and the
 * problem.
 */
export async function loadHeddle(
  files: Files,
  folder: string,
  raw: Json,
  readOrigin: ReadOrigin,
  sourceKinds: SourceKinds,
): Promise<SavedModel> {
  const configPath = `${folder}/${names.config}`;
  if (raw.version !== formatVersion)
    throw new HeddleError(
      msg`version is ${JSON.stringify(raw.version)}, this version of heddle reads ${formatVersion}`,
      { area: configPath },
    );
  const config = readHeddleConfig(raw, configPath);
  const sourceKind = await sourceKindOf(config, sourceKinds);
  const path = `${folder}/${names.weights}`;
  await requireFile(files, folder, names.weights);
  const list = parameterList(config, sourceKind);
  const size = (await files.size?.(path)) ?? 0;
  check(
    size <= maxHeader + 4 * list.size,
    msg`it has ${size} bytes, more than the ${list.count} weights of ${names.config}`,
    {
      area: path,
    },
  );
  const bytes = await files.read(path);
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, path);
  const tensors = await widened(readSafetensors(bytes, path), path);
  const weights = withReason(
    path,
    (reason) => msg`it does not match ${names.config}: ${reason}`,
    () => weightsFromTensors(list, tensors),
  );
  for (const [name, { data }] of Object.entries(tensors)) {
    const i = indexOfNonFinite(data);
    if (i >= 0)
      throw new HeddleError(msg`${name} has ${data[i]} at element ${i}; the training has diverged`, {
        area: path,
      });
  }
  if (raw.origin !== undefined) {
    const { sourceCheckpoint, ...model } = await readOrigin(raw.origin, config);
    const own = sourceCheckpoint?.files ?? {};
    if (metadata[filesKey] !== undefined && metadata[filesKey] !== fingerprintOf(Object.values(own)))
      throw wrongTokenizer(folder, Object.keys(own).join(', '));
    return { ...model, sourceKind, sourceCheckpoint, weights };
  }
  const tokenizers = await readTokenizers(files, folder, config);
  for (const name of [names.tokenizer, names.source, names.target]) {
    const embedded = metadata[name];
    const own = `${folder}/${name}`;
    if (embedded === undefined || !(await files.exists(own))) continue;
    const text = await readText(files, own);
    if (text !== embedded && withoutSpaces(text, own) !== withoutSpaces(embedded, path))
      throw wrongTokenizer(folder, name);
  }
  return { config, sourceKind, ...tokenizers, weights };
}

const withoutSpaces = (json: string, path: string): string =>
  JSON.stringify(parseJson(new TextEncoder().encode(json), path));

const wrongTokenizer = (folder: string, name: string): HeddleError =>
  new HeddleError(
    msg`${name}: not the tokenizer that the model was trained with (it differs from the copy or fingerprint in ${names.weights}); restore it, or load ${names.weights} by itself, which is a complete model`,
    { area: folder },
  );

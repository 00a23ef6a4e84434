// Saves models in heddle's own format.

import { fingerprintOf } from '../core/fingerprint.ts';
import { toFloat16 } from '../core/float16.ts';
import { int8Rows } from '../engine/ops/matmul/packed-weights.ts';
import type { Files } from '../files/files.ts';
import { jsonBytes } from '../files/json-files.ts';
import { modelFileNames as names } from '../files/model-file.ts';
import { type WriteFolderOptions, writeFolder } from '../files/owned-folder.ts';
import { modelMetadata } from '../files/safetensors-model.ts';
import { type WritableTensor, writeSafetensors } from '../files/write-safetensors.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { parameterList, tensorsFromWeights } from '../model/parameters.ts';
import { isQuantized } from '../model/quantized-parameters.ts';
import { filesKey, formatVersion } from './heddle.ts';
import { type HeddleDtype, heddleFormat, type SavedModel } from './shared/saved-model.ts';
import { heddleTokenizerFiles, sentencePieceFiles } from './tokenizers/save-tokenizers.ts';
import { scaleEnding } from './widen-tensors.ts';

/** Fields that earlier versions of heddle do not have, with the values that a model of such a version has. */
const laterFields = (c: ModelConfig): Partial<ModelConfig> => ({
  source: 'tokens',
  frameWidth: 0,
  stem: 'none',
  maxSource: c.maxLength,
  keyBias: true,
  feedForwardDepth: 2,
  decoderFeedForwardDepth: 2,
  decoderSelfAttention: 'attention',
  decoderTiedLayers: [],
  sublayerSteps: '',
  normQueriesOnly: false,
  alignmentHead: -1,
});

/** A configuration as files state it: without later fields that have these values, as in earlier versions. */
function storedConfig(c: ModelConfig): Partial<ModelConfig> {
  const later = new Map(Object.entries(laterFields(c)).map(([name, value]) => [name, JSON.stringify(value)]));
  return Object.fromEntries(
    Object.entries(c).filter(([name, value]) => later.get(name) !== JSON.stringify(value)),
  );
}

/** The tensors of a file in a dtype. */
function storedTensors(
  { config, sourceKind, weights }: SavedModel,
  dtype: HeddleDtype,
): Record<string, WritableTensor> {
  const list = parameterList(config, sourceKind);
  const tensors = tensorsFromWeights(list, weights);
  if (dtype === 'f32') return tensors;
  const matrices = new Set(list.all.filter(isQuantized).map(({ stored }) => stored.name));
  const stored: Record<string, WritableTensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const { shape } = tensor;
    const data = tensor.data as Float32Array;
    if (dtype === 'f16') stored[name] = { dtype, shape, data: toFloat16(data) };
    else if (matrices.has(name)) {
      const { rows, scales } = int8Rows(data, shape[1] as number);
      stored[name] = { dtype: 'I8', shape, data: rows };
      stored[name + scaleEnding] = { dtype: 'f32', shape: [scales.length], data: scales };
    } else stored[name] = tensor;
  }
  return stored;
}

/** What a model folder has beside the weights, by name, and the metadata of the file of weights. */
function describedFiles({ config, source, target, sourceCheckpoint }: Omit<SavedModel, 'weights'>) {
  const { files = {}, ...origin } = sourceCheckpoint ?? {};
  const tokenizerFiles = sourceCheckpoint ? files : heddleTokenizerFiles(source, target);
  const described: Record<string, Uint8Array> = {
    [names.config]: jsonBytes({
      format: heddleFormat,
      version: formatVersion,
      model: storedConfig(config),
      origin: sourceCheckpoint && origin,
    }),
    ...tokenizerFiles,
  };
  // Tokenizer files of other tools may be binary or large: the metadata has only their fingerprint.
  const metadata = sourceCheckpoint
    ? { format: heddleFormat, [filesKey]: fingerprintOf(Object.values(files)) }
    : modelMetadata(heddleFormat, described);
  const models = sourceCheckpoint ? {} : sentencePieceFiles(source, target);
  return { files: { ...described, ...models }, metadata };
}

/** Bytes of a model folder beside the numbers: configuration and tokenizers, as files and as metadata. */
export function describedBytes(model: Omit<SavedModel, 'weights'>): number {
  const { files, metadata } = describedFiles(model);
  const parts = [...Object.values(files), ...Object.values(metadata)];
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** The files of a model folder by name. `dtype`: storage of the weights. */
export function heddleFiles(model: SavedModel, dtype: HeddleDtype = 'f32'): Record<string, Uint8Array> {
  const { files, metadata } = describedFiles(model);
  return { ...files, [names.weights]: writeSafetensors(storedTensors(model, dtype), metadata) };
}

/**
 * Saves a model in heddle's format, all or nothing; see `writeFolder`.
 * `extra`: additional files by name, such as the optimizer state.
 */
export const saveModelFolder = (
  files: Files,
  folder: string,
  model: SavedModel,
  extra: Readonly<Record<string, Uint8Array>> = {},
  options?: WriteFolderOptions,
): Promise<void> => writeFolder(files, folder, { ...heddleFiles(model), ...extra }, options);

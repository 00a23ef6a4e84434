// LoRA adapters in the format of PEFT: a folder with adapter_config.json and adapter_model.safetensors. Layer
// names are those of Hugging Face's BART and MarianMT.

import { HeddleError, withArea } from '../core/errors.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { asFloat32 } from '../core/float16.ts';
import { msg } from '../core/message.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Files } from '../files/files.ts';
import { jsonBytes, readJson, withoutUndefined } from '../files/json-files.ts';
import { readSafetensors, readSafetensorsHeader } from '../files/safetensors.ts';
import { settledFolder } from '../files/settled-folder.ts';
import { verifiedFiles } from '../files/verified-files.ts';
import { writeSafetensors } from '../files/write-safetensors.ts';
import type { LoraConfig, LoraTarget } from '../model/lora.ts';
import { linearLayers, loraConfig, loraParameters, loraTargets, mergeLora } from '../model/lora.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { parameterList, tensorsFromWeights } from '../model/parameters.ts';
import { weightsFromTensors } from '../model/weights-from-tensors.ts';
import { loraFileNames } from './lora-files.ts';
import { retrainedCheckpoint, type SavedModel } from './shared/saved-model.ts';

/** A LoRA adapter with its weights. */
export interface SavedLora {
  readonly lora: LoraConfig;
  /** The parameter buffer, in the layout of `loraParameters(config, lora)`. */
  readonly weights: Float32Array;
  /** Fingerprint of the weights of the base model; undefined in adapters of other tools. */
  readonly baseFingerprint?: string;
}

/** A trained LoRA adapter, and the name or folder of its base model. */
export type TrainedLora = SavedLora & { readonly base: string };

/**
 * Metadata key of the weights: fingerprint of the base model. PEFT rejects unknown fields in its
 * configuration.
 */
const baseKey = 'heddle_base';

/**
 * The files of a LoRA adapter by name. `base`: name or path of the base model (PEFT's
 * base_model_name_or_path).
 */
export function loraFiles(
  c: ModelConfig,
  { lora, weights, baseFingerprint }: SavedLora,
  base: string,
): Record<string, Uint8Array> {
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: lora.rank,
    rank_pattern: {},
    revision: null,
    target_modules: moduleList(c, loraTargets(c, lora.targetModules)),
    task_type: 'SEQ_2_SEQ_LM',
    use_dora: false,
    use_rslora: false,
  };
  return {
    [loraFileNames.config]: jsonBytes(config),
    [loraFileNames.weights]: writeSafetensors(
      tensorsFromWeights(loraParameters(c, lora), weights),
      withoutUndefined({ format: 'pt', [baseKey]: baseFingerprint }),
    ),
  };
}

/** PEFT's target_modules: `q_proj` if all layers with that name are targets, else full names. */
function moduleList(c: ModelConfig, targets: readonly LoraTarget[]): string[] {
  const last = (name: string) => name.split('.').pop() as string;
  const targeted = new Set(targets.map(({ name }) => name));
  const others = linearLayers(c).filter(({ name }) => !targeted.has(name));
  const partly = new Set(others.map(({ name }) => last(name)));
  return [...new Set(targets.map(({ name }) => (partly.has(last(name)) ? name : last(name))))].sort();
}

/** Fields of PEFT that change the computation, with the supported values. */
const supportedValues: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ['LORA'],
  bias: ['none', undefined],
  fan_in_fan_out: [false, undefined],
  use_dora: [false, undefined],
  lora_bias: [false, undefined],
  alora_invocation_tokens: [null, undefined],
};
/** Fields of PEFT that must be empty. */
const emptyFields = [
  'modules_to_save',
  'rank_pattern',
  'alpha_pattern',
  'trainable_token_indices',
  'layer_replication',
];

/**
 * Reads the LoRA adapter of a model with configuration `c`. Its tensor names determine the adapted layers.
 * Throws a HeddleError that names the file and what is missing, unsupported, changed after it was written, or does
 * not fit the model.
 */
export async function loadLora(files: Files, folder: string, c: ModelConfig): Promise<SavedLora> {
  const at = await settledFolder(files, folder);
  return readLora(await verifiedFiles(files, at), at, c);
}

async function readLora(files: Files, at: string, c: ModelConfig): Promise<SavedLora> {
  const [configPath, path] = [`${at}/${loraFileNames.config}`, `${at}/${loraFileNames.weights}`];
  for (const file of [configPath, path])
    if (!(await files.exists(file)))
      throw new HeddleError(
        msg`missing; a LoRA folder has ${loraFileNames.config} and ${loraFileNames.weights}`,
        { area: file, kind: 'not-found' },
      );
  const raw = await readJson(files, configPath);
  const isEmpty = (x: unknown) => x === undefined || x === null || Object.keys(Object(x)).length === 0;
  const wrong =
    Object.entries(supportedValues).find(([field, values]) => !values.includes(raw[field]))?.[0] ??
    emptyFields.find((field) => !isEmpty(raw[field]));
  if (wrong !== undefined)
    throw new HeddleError(msg`${wrong} is ${JSON.stringify(raw[wrong])}, which is not supported`, {
      area: configPath,
    });
  const { r: rank, lora_alpha: alpha, lora_dropout: dropout = 0, use_rslora: rootScaled = false } = raw;
  if (typeof rank !== 'number' || typeof alpha !== 'number' || typeof dropout !== 'number')
    throw new HeddleError('r, lora_alpha and lora_dropout must be numbers', { area: configPath });
  const bytes = await files.read(path);
  const { [baseKey]: baseFingerprint } = readSafetensorsHeader(bytes, bytes.length, path).metadata;
  const stored = Object.entries(readSafetensors(bytes, path));
  const tensors = Object.fromEntries(stored.map(([name, tensor]) => [name, asFloat32(tensor)]));
  const targetModules = layersOf(c, tensors, path, rank);
  const lora = withArea(configPath, () =>
    loraConfig({
      rank,
      alpha: rootScaled === true ? alpha * Math.sqrt(rank) : alpha,
      dropout,
      targetModules,
    }),
  );
  const weights = withArea(path, () => weightsFromTensors(loraParameters(c, lora), tensors));
  return { lora, weights, baseFingerprint };
}

/** Fingerprint of the weights of a model. Its LoRA adapters store it to recognize their base model. */
export const fingerprintOfModel = async ({
  stored,
  weights,
}: Pick<SavedModel, 'stored' | 'weights'>): Promise<string> =>
  stored?.fingerprint() ?? fingerprintOf([weights]);

/**
 * Throws a HeddleError if the LoRA adapter in a folder was trained on weights with another fingerprint than
 * `found`.
 */
export function checkLoraBase(folder: string, { baseFingerprint }: SavedLora, found: string): void {
  if (baseFingerprint !== undefined && baseFingerprint !== found)
    throw new HeddleError(
      msg`the LoRA adapter was trained on another model (fingerprint ${baseFingerprint}; this model has ${found}); use the model in base_model_name_or_path of ${loraFileNames.config}, unchanged since the training`,
      { area: folder },
    );
}

/**
 * Names of the adapted layers. Throws a HeddleError if a tensor does not belong to a linear layer of the
 * model, or does not have the rank `rank`.
 */
function layersOf(
  c: ModelConfig,
  tensors: Readonly<Record<string, Tensor>>,
  path: string,
  rank: number,
): string[] {
  const known = new Set(linearLayers(c).map(({ name }) => name));
  const layers = new Set<string>();
  for (const [name, { shape }] of Object.entries(tensors)) {
    const [, layer, part] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (layer === undefined || !known.has(layer))
      throw new HeddleError(
        msg`${name} does not belong to a linear layer of this model, such as ${[...known][0]}`,
        { area: path },
      );
    if (shape[part === 'A' ? 0 : 1] !== rank)
      throw new HeddleError(msg`${name} is [${String(shape)}], but r is ${rank} in ${loraFileNames.config}`, {
        area: path,
      });
    layers.add(layer);
  }
  if (layers.size === 0) throw new HeddleError('it has no tensors', { area: path });
  return [...layers];
}

/** A model with a LoRA adapter merged into its weights. */
export function mergedWith(model: SavedModel, { lora, weights }: SavedLora): SavedModel {
  const { sourceCheckpoint } = model;
  return {
    ...model,
    weights: mergeLora(
      model.config,
      parameterList(model.config, model.sourceKind),
      model.weights,
      lora,
      weights,
    ),
    sourceCheckpoint: sourceCheckpoint && retrainedCheckpoint(sourceCheckpoint),
  };
}

/**
 * A model with the LoRA adapter of a folder merged into its weights. Throws as `loadLora` and
 * `checkLoraBase`.
 */
export async function withLora(files: Files, model: SavedModel, folder: string): Promise<SavedModel> {
  const saved = await loadLora(files, folder, model.config);
  checkLoraBase(folder, saved, await fingerprintOfModel(model));
  return mergedWith(model, saved);
}

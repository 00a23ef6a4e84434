// Exports folders for transformers. A model that was loaded from such a folder keeps its names, shapes,
// dtypes and configuration; if it was not trained, the exported tensors have the same bits.

import { toBfloat16 } from '../../core/bfloat16.ts';
import { toFloat16 } from '../../core/float16.ts';
import { sizeOf } from '../../core/tensor.ts';
import { sinusoids } from '../../engine/ops/embedding/sinusoids.ts';
import { weightNames } from '../../files/hf-file-names.ts';
import { type Json, jsonBytes, withoutUndefined } from '../../files/json-files.ts';
import { type WritableTensor, writeSafetensors } from '../../files/write-safetensors.ts';
import { parameterList } from '../../model/parameters.ts';
import type { HfType } from '../shared/hf-types.ts';
import { requireFields } from '../shared/requirements.ts';
import type { CheckpointTensors, SavedModel, SourceCheckpoint, WeightDtype } from '../shared/saved-model.ts';
import { type HfFamily, hfFamilies } from './hf-families.ts';
import { hfTensors, isComputedTable, tiedNames } from './hf-tensors.ts';
import { generationJson, hfRequirements, toHfConfig } from './to-hf-config.ts';
import { transformersTokenizer } from './transformers-tokenizer.ts';

/** Names of dtypes in config.json. */
const torchNames: Readonly<Record<WeightDtype, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** A model in the form of the export. */
interface Outgoing {
  readonly model: Pick<SavedModel, 'config' | 'sourceKind' | 'weights'>;
  /** config.json. */
  readonly json: Json;
  readonly stored: CheckpointTensors;
  readonly others: Readonly<Record<string, Uint8Array>>;
}

/**
 * Exports a model for transformers: the files of the folder by name. `dtype` of the weights defaults to the
 * dtype of the source checkpoint, or float32. Throws a HeddleError that names each field that the family does
 * not support.
 */
export function hfFiles(
  model: SavedModel,
  type: HfType | (string & {}),
  dtype?: WeightDtype,
  family: HfFamily = hfFamilies[type as HfType],
): Record<string, Uint8Array> {
  const { sourceCheckpoint } = model;
  const isSource = sourceCheckpoint?.config.model_type === type;
  const {
    json,
    stored,
    others,
    model: outgoing,
  } = isSource ? restore(model, sourceCheckpoint, family) : convert(model, family);
  const storage = dtype ? { ...stored, dtype, dtypes: {} } : stored;
  const named = dtype
    ? {
        ...json,
        dtype: json.dtype === undefined ? undefined : torchNames[dtype],
        torch_dtype: torchNames[dtype],
      }
    : json;
  return {
    'config.json': textOr(sourceCheckpoint?.texts?.config, named),
    [weightNames.whole]: writeSafetensors(tensorsOf(outgoing, storage, family), { format: 'pt' }),
    ...others,
  };
}

/** Exports in the form of the source checkpoint; only dropout rates may differ. */
function restore(
  { config, sourceKind, weights }: SavedModel,
  sourceCheckpoint: SourceCheckpoint,
  family: HfFamily,
): Outgoing {
  const { config: raw, generation, texts = {}, files, ...stored } = sourceCheckpoint;
  const dropout = hfRequirements(config, family).filter(([field]) => field.startsWith('dropout'));
  requireFields(`a ${family.type} model`, dropout);
  const { residual, attention, feedForward } = config.dropout;
  const { like, defaults } = family;
  const rates =
    like === 't5'
      ? { dropout_rate: residual }
      : { dropout: residual, attention_dropout: attention, activation_dropout: feedForward };
  const changed = Object.entries(rates).filter(([field, rate]) => rate !== (raw[field] ?? defaults[field]));
  return {
    model: { config, sourceKind, weights },
    json: { ...raw, ...Object.fromEntries(changed) },
    stored,
    others: withoutUndefined({
      'generation_config.json': generation && textOr(texts.generation, generation),
      ...files,
    }),
  };
}

/** The original text of a JSON file if it equals `json`, else a new file. */
function textOr(text: string | undefined, json: Json): Uint8Array {
  try {
    if (text !== undefined && JSON.stringify(JSON.parse(text)) === JSON.stringify(json))
      return new TextEncoder().encode(text);
  } catch {
    // Not JSON: someone edited the folder.
  }
  return jsonBytes(json);
}

function convert(model: SavedModel, family: HfFamily): Outgoing {
  const { json, ...exported } = toHfConfig(model, family);
  const tokenizerFiles = model.sourceCheckpoint?.files ?? transformersTokenizer(model, family.type);
  return {
    model: exported,
    json,
    stored: { prefix: family.like === 't5' ? '' : 'model.', dtype: 'F32', dtypes: {}, aliases: [] },
    others: {
      'generation_config.json': jsonBytes(generationJson(model.config, model.decode)),
      ...tokenizerFiles,
    },
  };
}

/**
 * All tensors of the file: the model's, and those that only the source checkpoint has: copies of tied
 * tensors, sinusoidal positions, unused tensors.
 */
function tensorsOf(
  { config: c, sourceKind, weights }: Outgoing['model'],
  stored: Outgoing['stored'],
  family: HfFamily,
): Record<string, WritableTensor> {
  const { prefix, dtype, dtypes, aliases, absent = [], unread = {} } = stored;
  const out: Record<string, WritableTensor> = {};
  const put = (name: string, shape: readonly number[], values: Float32Array) => {
    const as = dtypes[name] ?? dtype;
    const data = as === 'F32' ? values : as === 'F16' ? toFloat16(values) : toBfloat16(values);
    out[name] = { dtype: as, shape, data };
  };
  const own = new Map(
    hfTensors(c, parameterList(c, sourceKind), prefix).map((tensor) => [tensor.name, tensor]),
  );
  for (const { name, shape, at } of own.values())
    if (!absent.includes(name)) put(name, shape, weights.subarray(at, at + sizeOf(shape)));
  const known = tiedNames(c, prefix, family);
  for (const name of aliases) {
    const original = own.get(known[name] ?? '');
    if (original)
      put(name, original.shape, weights.subarray(original.at, original.at + sizeOf(original.shape)));
    else if (isComputedTable(c, prefix, name))
      put(name, [c.maxLength, c.dModel], sinusoids(c.maxLength, c.dModel, 'halves'));
  }
  for (const [name, { shape, values }] of Object.entries(unread)) put(name, shape, Float32Array.from(values));
  return out;
}

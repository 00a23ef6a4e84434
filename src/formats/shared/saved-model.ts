// A model as it is saved and loaded: configuration, tokenizers, weights, decoding rules and the checkpoint it was read from.

import type { Json } from '../../core/records.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** A model with all that text to text needs. */
export interface SavedModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  /** The same object as `source` where both sides share one. */
  readonly target: Tokenizer;
  /** The bank of all weights, laid out as `parameterList(config)` says. */
  readonly weights: Float32Array;
  /** Rules of decoding that the model was trained for. */
  readonly decode?: NonNullable<TextModel['decode']>;
  /** Where it came from, if not from this engine. */
  readonly sourceCheckpoint?: SourceCheckpoint;
  /** What a user should know of what was read. */
  readonly notes?: readonly string[];
}

/** What stands before most names: a model with a head for generation has a model in it. */
export type HfPrefix = 'model.' | '';

/** Dtypes that weights are stored in. */
export const weightDtypes = ['F32', 'F16', 'BF16'] as const;
/** One of them, as safetensors names it. */
export type WeightDtype = (typeof weightDtypes)[number];

/** Where a model came from. */
export interface SourceCheckpoint {
  /** config.json, and generation_config.json where there was one. */
  readonly config: Json;
  readonly generation?: Json;
  /** The two as text, which goes back as it was where nothing in it has changed: 0.0 is no other number than 0 here. */
  readonly texts?: { readonly config?: string; readonly generation?: string };
  readonly prefix: HfPrefix;
  /** Of most tensors; `dtypes` are the exceptions by name. */
  readonly dtype: WeightDtype;
  readonly dtypes: Readonly<Record<string, WeightDtype>>;
  /** Tensors that the file held once more under other names, and tables of positions that could be computed. */
  readonly aliases: readonly string[];
  /** Tied tensors that the file held under such another name alone; none where it is left out. */
  readonly absent?: readonly string[];
  /** The tokenizers' files by name. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** The origin of a model whose weights were trained here since: what was stored in fewer bits is float32 from now on. */
export function retrainedCheckpoint(origin: SourceCheckpoint): SourceCheckpoint {
  const fields = Object.entries(origin.config).map(([field, value]) =>
    field === 'torch_dtype' || field === 'dtype' ? [field, 'float32'] : [field, value],
  );
  return { ...origin, config: Object.fromEntries(fields), dtype: 'F32', dtypes: {} };
}

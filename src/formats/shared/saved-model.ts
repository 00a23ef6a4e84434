// A model as it is saved and loaded, and what it keeps of the Hugging Face checkpoint that it was loaded from. This
// folder exists because hf/ uses these types too, and folders must not import each other in a circle.

import type { TextModel } from '../../decode/translator.ts';
import type { Json } from '../../files/json-files.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { LanguageFacts } from '../tokenizers/tokenizer-classes.ts';

/**
 * A model with weights, tokenizers (one object if both sides share a tokenizer) and the decoding rules it was trained
 * with.
 */
export interface SavedModel extends TextModel {
  /** The parameter buffer, in the layout of `parameterList(config)`. */
  readonly weights: Float32Array;
  /** If the weights are read from files when they are needed, in parts; then `weights` is empty. */
  readonly stored?: StoredWeights;
  /** The Hugging Face checkpoint that the model comes from. */
  readonly sourceCheckpoint?: SourceCheckpoint;
  /** The languages of a multilingual model. */
  readonly languages?: Languages;
  /** Warnings for the user, such as a missing tokenizer. */
  readonly notes?: readonly string[];
}

/** The languages of a multilingual model: a token in front of, or behind, source and target. */
export interface Languages extends LanguageFacts {
  /** The tokenizer of both sides, without languages. */
  readonly plain: Tokenizer;
}

/** Weights in a folder of Hugging Face, of which a part is in memory at a time. */
export interface StoredWeights extends WeightReader {
  /** config.json. */
  readonly config: Json;
  /** `fingerprintOf` of the parameter buffer. */
  fingerprint(): Promise<string>;
  /** The model with all weights in memory. */
  whole(): Promise<SavedModel>;
}

/** The config.json of the Hugging Face model that a model comes from; undefined if it comes from none. */
export const hfConfigOf = ({ sourceCheckpoint, stored }: SavedModel): Json | undefined =>
  sourceCheckpoint?.config ?? stored?.config;

/** `format` of config.json of the Keras and PyTorch formats. */
export const kerasFormat = 'keras';
export const pytorchFormat = 'pytorch';

/** Whether a config.json is of the PyTorch format. */
export const isPytorch = (raw: Json): boolean =>
  raw.format === pytorchFormat || (raw.format === undefined && raw.d_model !== undefined && raw.n_heads !== undefined);

/** Prefix of most tensor names: BartForConditionalGeneration contains a BartModel `model`, BartModel has no prefix. */
export type HfPrefix = 'model.' | '';

/** Dtypes of stored weights. */
export const weightDtypes = ['F32', 'F16', 'BF16'] as const;
/** A dtype of stored weights, named as in safetensors. */
export type WeightDtype = (typeof weightDtypes)[number];

/**
 * Storage of matrices and embeddings in ONNX: `fp32`; `fp16`; `q8`: int8 with a scale per row, the same numbers as
 * `--weights int8`. All of them compute in float32.
 */
export const onnxDtypes = ['fp32', 'fp16', 'q8'] as const;
/** Name of a storage in ONNX. */
export type OnnxDtype = (typeof onnxDtypes)[number];

/**
 * The Hugging Face checkpoint of a model, complete enough to export the model to the same files. config.json of heddle
 * stores it under the key `origin`, without `files`.
 */
export interface SourceCheckpoint {
  /** config.json. */
  readonly config: Json;
  /** generation_config.json, if there was one. */
  readonly generation?: Json;
  /** The two files as text, to write them back unchanged; JSON.stringify would turn 0.0 into 0. */
  readonly texts?: { readonly config?: string; readonly generation?: string };
  readonly prefix: HfPrefix;
  /** Dtype of most tensors; `dtypes` has the exceptions by name. */
  readonly dtype: WeightDtype;
  readonly dtypes: Readonly<Record<string, WeightDtype>>;
  /** Stored copies of tied tensors under other names, and stored sinusoidal position tables. */
  readonly aliases: readonly string[];
  /** Tied tensors that were stored only under an alias. Default: none. */
  readonly absent?: readonly string[];
  /** Small tensors of the file that the model does not use. Default: none. */
  readonly unread?: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>;
  /** The tokenizer files by name. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** The source checkpoint after training: weights are float32 from now on. */
export function retrainedCheckpoint(checkpoint: SourceCheckpoint): SourceCheckpoint {
  const fields = Object.entries(checkpoint.config).map(([field, value]) =>
    field === 'torch_dtype' || field === 'dtype' ? [field, 'float32'] : [field, value],
  );
  return { ...checkpoint, config: Object.fromEntries(fields), dtype: 'F32', dtypes: {} };
}

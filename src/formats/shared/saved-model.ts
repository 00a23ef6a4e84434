// A loaded model, and the Hugging Face checkpoint that it comes from. Both formats/ and formats/hf/ use these
// types; they are in this folder because two folders must not import each other.

import type { Message } from '../../core/message.ts';
import type { TextModel } from '../../decode/translator.ts';

import type { Json } from '../../files/json-files.ts';
import type { WeightReader } from '../../model/quantized-parameters.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { LanguageFacts } from '../tokenizers/tokenizer-classes.ts';

/** A model with weights, tokenizers (one object if both sides share a tokenizer) and decoding rules. */
export interface SavedModel extends TextModel {
  /** The parameter buffer, in the layout of `parameterList(config, sourceKind)`. */
  readonly weights: Float32Array;
  /** Reads the weights from files, in parts, when they are needed. If it is present, `weights` is empty. */
  readonly stored?: StoredWeights;
  /** The Hugging Face checkpoint that the model comes from. */
  readonly sourceCheckpoint?: SourceCheckpoint;
  /** The languages of a multilingual model. */
  readonly languages?: Languages;
  /** Warnings for the user, such as a missing tokenizer. */
  readonly notes?: readonly Message[];
  /**
   * Resolves when files that are read in parts have been compared with the manifest of the folder; rejects if one of
   * them changed. Await it before giving a result. Undefined: there is no manifest.
   */
  readonly verified?: Promise<void>;
}

/** A model without its weights. */
export type DescribedModel = Omit<SavedModel, 'weights'>;

/** The languages of a multilingual model, each of which is a token before or after a text. */
export interface Languages extends LanguageFacts {
  /** The tokenizer of both sides; it adds no language tokens. */
  readonly plain: Tokenizer;
}

/** Weights in a Hugging Face folder, read in parts so that they are never in memory as a whole. */
export interface StoredWeights extends WeightReader {
  /** config.json. */
  readonly config: Json;
  /** `fingerprintOf` of the parameter buffer. */
  fingerprint(): Promise<string>;
  /** Loads the model with all weights in memory. */
  whole(): Promise<SavedModel>;
}

/** The config.json of the Hugging Face model that a model was loaded from; undefined if there is none. */
export const hfConfigOf = ({ sourceCheckpoint, stored }: SavedModel): Json | undefined =>
  sourceCheckpoint?.config ?? stored?.config;

/** `format` of config.json of the Keras format. */
export const kerasFormat = 'keras';
/** `format` of config.json of heddle's own format. */
export const heddleFormat = 'heddle';

/** Formats of the weights in a file of heddle. */
export const heddleDtypes = ['f32', 'f16', 'int8'] as const;
/** `f32`, `f16`, or matrices as `int8` with a scale per row; vectors and positions are f32 then. */
export type HeddleDtype = (typeof heddleDtypes)[number];
/** Prefix of most tensor names: `model.` in BartForConditionalGeneration, none in BartModel. */
export type HfPrefix = 'model.' | '';

/** Dtypes of stored weights, named as in safetensors. */
export const weightDtypes = ['F32', 'F16', 'BF16'] as const;
/** Dtype of stored weights. */
export type WeightDtype = (typeof weightDtypes)[number];

/** How a Hugging Face checkpoint stores the tensors of a model. */
export interface CheckpointTensors {
  readonly prefix: HfPrefix;
  /** Dtype of most tensors; `dtypes` lists the others by name. */
  readonly dtype: WeightDtype;
  readonly dtypes: Readonly<Record<string, WeightDtype>>;
  /** Stored copies of tied tensors under other names, and stored sinusoidal position tables. */
  readonly aliases: readonly string[];
  /** Tied tensors that were stored only under an alias. Default: none. */
  readonly absent?: readonly string[];
  /** Small tensors of the file that the model does not use, kept for the export. Default: none. */
  readonly unread?: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
  >;
}

/**
 * The Hugging Face checkpoint that a model was loaded from, complete enough to export the same files again.
 * heddle's config.json stores it under the key `origin`, without `files`.
 */
export interface SourceCheckpoint extends CheckpointTensors {
  /** config.json. */
  readonly config: Json;
  /** generation_config.json, if there was one. */
  readonly generation?: Json;
  /** Both files as text, so that they are written back unchanged: JSON.stringify turns 0.0 into 0. */
  readonly texts?: { readonly config?: string; readonly generation?: string };
  /** The tokenizer files by name. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** The source checkpoint of a fine-tuned model, whose weights are float32. */
export function retrainedCheckpoint(checkpoint: SourceCheckpoint): SourceCheckpoint {
  const config: Record<string, unknown> = { ...checkpoint.config };
  for (const field of ['torch_dtype', 'dtype']) if (field in config) config[field] = 'float32';
  return { ...checkpoint, config, dtype: 'F32', dtypes: {} };
}

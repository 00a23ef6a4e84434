// Reading and naming the fields of config.json that describe a model: sizes, ids, rates, activation.

import { type Message, msg } from '../../core/message.ts';
import { isCount, type Json } from '../../files/json-files.ts';
import type { ModelConfig } from '../../model/model-config.ts';

/**
 * Activation functions by their names in transformers; of several names the first one is written. `gelu` is
 * exact (erf).
 */
export const activations: ReadonlyMap<string, ModelConfig['activation']> = new Map([
  ['relu', 'relu'],
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu-tanh'],
  ['gelu_pytorch_tanh', 'gelu-tanh'],
  ['gelu_fast', 'gelu-tanh'],
  ['silu', 'silu'],
  ['swish', 'silu'],
]);

/** The name of an activation in transformers; undefined if transformers does not have it. */
export const activationName = (kind: ModelConfig['activation']): string | undefined =>
  [...activations].find(([, own]) => own === kind)?.[0];

/** Whether a field is absent or null. */
export const isNothing = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Sizes of a model: their names in config.json by field of ModelConfig. */
export const sizeNames = {
  bart: {
    dModel: 'd_model',
    heads: 'encoder_attention_heads',
    decoderHeads: 'decoder_attention_heads',
    encoderLayers: 'encoder_layers',
    decoderLayers: 'decoder_layers',
    maxLength: 'max_position_embeddings',
    feedForward: 'encoder_ffn_dim',
    decoderFeedForward: 'decoder_ffn_dim',
  },
  t5: {
    dModel: 'd_model',
    heads: 'num_heads',
    headWidth: 'd_kv',
    feedForward: 'd_ff',
    encoderLayers: 'num_layers',
    decoderLayers: 'num_decoder_layers',
    maxLength: 'n_positions',
    relativeBuckets: 'relative_attention_num_buckets',
    relativeMaxDistance: 'relative_attention_max_distance',
  },
} as const;

/** The sizes of a model as fields of config.json. */
export const sizesJson = (c: ModelConfig, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(names).map(([field, name]) => [name, c[field as keyof ModelConfig]]));

/** Names of the ids. */
export const idNames = { padId: 'pad_token_id', endId: 'eos_token_id', startId: 'decoder_start_token_id' };

/** Names of the other fields of BART. */
export const bartNames = {
  srcVocab: 'vocab_size',
  tgtVocab: 'vocab_size',
  dropout: 'dropout',
  headWidth: 'd_model / encoder_attention_heads',
  decoderHeadWidth: 'd_model / decoder_attention_heads',
  'dropout.attention': 'attention_dropout',
  'dropout.feedForward': 'activation_dropout',
};

/** For error messages: the fields of config.json by the fields of ModelConfig. */
export const namesInJson: Readonly<Record<'bart' | 't5', Readonly<Record<string, string>>>> = {
  bart: { ...sizeNames.bart, ...idNames, ...bartNames, positionOffset: 'extra_pos_embeddings' },
  t5: {
    ...sizeNames.t5,
    ...idNames,
    srcVocab: 'vocab_size',
    tgtVocab: 'vocab_size',
    dropout: 'dropout_rate',
    layerNormEps: 'layer_norm_epsilon',
  },
};

/** Throws a HeddleError that names a field and its value. */
export type Reject = (field: string, reason: Message) => never;

/** What the fields of a family depend on. */
interface FieldFamily {
  readonly title: string;
  readonly separateEmbeddings?: boolean;
}

/**
 * Reads the fields of a config.json, with the defaults of its family. Each read throws a HeddleError for an
 * invalid value.
 */
export interface HfFields<Family = FieldFamily> {
  readonly raw: Json;
  readonly family: Family;
  /** Returns whether the weights have a tensor. */
  has(name: string): boolean;
  /** The value of a field, or its default. */
  get(field: string): unknown;
  number(field: string): number;
  /** A whole number of at least 0. */
  whole(field: string): number;
  /** The whole numbers of several fields, as in `sizeNames`. */
  sizes<F extends string>(names: Readonly<Record<F, string>>): Record<F, number>;
  /** true or false. An absent field is true if its default is, or if the weights have the tensor `tensor`. */
  flag(field: string, tensor?: string): boolean;
  readonly reject: Reject;
}

/** The fields of a config.json, with the defaults of its family. */
export function hfFields<Family extends FieldFamily & { readonly defaults: Json }>({
  raw,
  family,
  has,
  reject,
}: Pick<HfFields<Family>, 'raw' | 'family' | 'has' | 'reject'>): HfFields<Family> {
  const get = (field: string): unknown => raw[field] ?? family.defaults[field];
  const number = (field: string): number => {
    const value = get(field);
    return typeof value === 'number' ? value : reject(field, msg`it must be a number`);
  };
  const whole = (field: string): number => {
    const value = number(field);
    return isCount(value) ? value : reject(field, msg`it must be a whole number of at least 0`);
  };
  const sizes: HfFields['sizes'] = (names) =>
    Object.fromEntries(Object.entries<string>(names).map(([field, name]) => [field, whole(name)])) as never;
  const flag = (field: string, tensor?: string): boolean => {
    const usual = family.defaults[field];
    const value = raw[field] ?? (tensor === undefined ? usual : usual === true || has(tensor));
    return typeof value === 'boolean' ? value : reject(field, msg`it must be true or false`);
  };
  return { raw, family, has, get, number, whole, sizes, flag, reject };
}

/** Rejects numbers of heads that do not divide d_model. */
export function checkHeads(
  { dModel, heads, decoderHeads }: Readonly<Record<'dModel' | 'heads' | 'decoderHeads', number>>,
  reject: Reject,
): void {
  for (const [field, count] of Object.entries({
    encoder_attention_heads: heads,
    decoder_attention_heads: decoderHeads,
  }))
    if (count === 0 || dModel % count !== 0)
      reject(field, msg`not a divisor of d_model ${JSON.stringify(dModel)}`);
}

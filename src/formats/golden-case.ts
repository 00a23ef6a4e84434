// Golden cases: folders with a configuration, weights, a batch, and PyTorch's float64 results.

import { HeddleError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { DecodeOptions, ModelRules } from '../decode/decode-options.ts';
import { type Files, readText } from '../files/files.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { type ModelConfig, modelConfig } from '../model/model-config.ts';
import { pytorchFields } from './pytorch.ts';
import type { HfPrefix } from './shared/saved-model.ts';

/** A golden case. */
export interface GoldenCase {
  readonly name: string;
  readonly config: ModelConfig;
  readonly optimizer: {
    readonly steps: number;
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly eps: number;
    readonly weightDecay: number;
    /** Maximum gradient norm; 0: no clipping. */
    readonly clipNorm: number;
    /** Whether weight decay acts on biases and norms too. */
    readonly decayAll: boolean;
  };
  /** Maximum length of greedy decoding, without the start token. */
  readonly decodeLength: number;
  /** By PyTorch's names. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** What only cases of Hugging Face's families have; see golden-hf.ts. */
  readonly hf?: HfCase;
  /** i32 ids [B,S], [B,T], [B,T]. */
  readonly source: Tensor;
  readonly targetIn: Tensor;
  readonly targetOut: Tensor;
  /** logits, loss, grad.NAME, grad_norm, greedy, losses. */
  readonly expected: Readonly<Record<string, Tensor>>;
}

/** What a golden case of one of Hugging Face's families has besides. */
export interface HfCase {
  readonly prefix: HfPrefix;
  /** Lengths of the sources, u32 [B]; padding of targets is not masked. */
  readonly sourceLengths: Uint32Array;
  /** Target id that is not counted. */
  readonly ignore: number;
  readonly decode: ModelRules;
  /** Options of its beam search, if it has one. */
  readonly beam?: DecodeOptions;
}

/** Fields of config.json that are not of the model. */
const otherFields = [
  'seed',
  'batch',
  'src_len',
  'tgt_len',
  'steps',
  'lr',
  'beta1',
  'beta2',
  'eps',
  'weight_decay',
  'clip_norm',
  'decode_len',
];

/** Reads a golden case. Throws a HeddleError that names the file and the problem. */
export async function readGolden(files: Files, folder: string): Promise<GoldenCase> {
  const path = (name: string) => `${folder}/${name}`;
  let raw: Record<string, unknown>;
  try {
    raw = Object(JSON.parse(await readText(files, path('config.json')))) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof HeddleError) throw error;
    throw new HeddleError(`${path('config.json')}: not JSON`);
  }
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    // nn.Transformer does not have head_width; the case of bench/peers does.
    const field = key === 'head_width' ? 'headWidth' : pytorchFields[key];
    if (field) options[field] = value;
    else if (!otherFields.includes(key)) throw new HeddleError(`${path('config.json')}: unknown field ${key}`);
  }
  const number = (key: string, fallback: number): number => (raw[key] === undefined ? fallback : Number(raw[key]));
  const load = async (name: string) => readSafetensors(await files.read(path(name)), path(name));
  const [weights, batch, expected] = await Promise.all([
    load('weights.safetensors'),
    load('batch.safetensors'),
    load('expected.safetensors'),
  ]);
  const ids = (name: string): Tensor => {
    const t = batch[name];
    if (t?.dtype !== 'i32' || t.shape.length !== 2)
      throw new HeddleError(`${path('batch.safetensors')}: ${name} must be int32 with two axes`);
    return t;
  };
  const [source, targetIn, targetOut] = [ids('src'), ids('tgt_in'), ids('tgt_out')];
  const decodeLength = number('decode_len', 0);
  // Only learned positions end at max_len; sinusoids are computed for any length.
  if (raw.positions !== 'learned')
    options.maxLength = Math.max(number('max_len', 1), source.shape[1] ?? 0, targetIn.shape[1] ?? 0, decodeLength);
  return {
    name: folder.split('/').filter(Boolean).pop() ?? folder,
    config: modelConfig(options as unknown as ModelConfig),
    optimizer: {
      steps: number('steps', 0),
      learningRate: number('lr', 1e-3),
      beta1: number('beta1', 0.9),
      beta2: number('beta2', 0.98),
      eps: number('eps', 1e-9),
      weightDecay: number('weight_decay', 0),
      clipNorm: number('clip_norm', 1),
      decayAll: true,
    },
    decodeLength,
    weights,
    source,
    targetIn,
    targetOut,
    expected,
  };
}

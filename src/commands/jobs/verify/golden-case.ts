// Golden cases: folders with a model configuration, weights, a batch, and the results of PyTorch in float64.

import { check, HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { Tensor, TensorData } from '../../../core/tensor.ts';
import type { DecodeOptions, ModelRules } from '../../../decode/decode-options.ts';
import { baseName, type Files } from '../../../files/files.ts';
import { readJson } from '../../../files/json-files.ts';
import { readSafetensors } from '../../../files/safetensors.ts';
import { pytorchFields } from '../../../formats/pytorch-fields.ts';
import type { HfPrefix } from '../../../formats/shared/saved-model.ts';
import { type ModelConfig, modelConfig } from '../../../model/model-config.ts';
import type { ParameterLayout } from '../../../model/parameter-layout.ts';
import type { SourceKind } from '../../../model/source-kind.ts';

/** A golden case. */
export interface GoldenCase {
  readonly name: string;
  readonly config: ModelConfig;
  /** What the model reads. [tokens] */
  readonly sourceKind?: SourceKind;
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
  /** The tensors by their PyTorch names. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Present if the case is of a Hugging Face family (golden-hf.ts). */
  readonly hf?: HfCase;
  /** i32 token ids: source [B, S], or its frames [B, S, C]; decoder input and labels [B, T]. */
  readonly source: Tensor;
  readonly targetIn: Tensor;
  readonly targetOut: Tensor;
  /** Results by name: logits, loss, grad.NAME, grad_norm, greedy, losses. */
  readonly expected: Readonly<Record<string, Tensor>>;
}

/** Additional data of a golden case of a Hugging Face family. */
export interface HfCase {
  readonly prefix: HfPrefix;
  /** Lengths of the sources, u32 [B]. Padding of targets is not masked. */
  readonly sourceLengths: Uint32Array;
  /** Label that the loss ignores. */
  readonly ignore: number;
  readonly decode: ModelRules;
  /** Beam search options, if the case has results of a beam search. */
  readonly beam?: DecodeOptions;
  /** Lengths of the targets, u32 [B]. Default: all of their places. */
  readonly targetLengths?: Uint32Array;
  /** Id after the end of expected ids. Default: the padding id. */
  readonly filler?: number;
  /** Whether expected ids have the start token. Default: true. */
  readonly hasStart?: boolean;
  /** Whether logits count only at places with a label, so that padding may differ. Default: false. */
  readonly onlyLabels?: boolean;
  /** Whether a gradient is zero in exact arithmetic. Default: that of a bias of keys. */
  isZero?(name: string): boolean;
  /** The tensors of a parameter buffer with the names of the case. Default: those of transformers. */
  tensors?(list: ParameterLayout, data: TensorData): [string, TensorData][];
}

/** Lengths of the rows of a mask [B, S] of ones and then zeros. */
export const lengthsOf = (mask: Tensor, B: number, S: number): Uint32Array =>
  Uint32Array.from({ length: B }, (_, b) =>
    Array.from(mask.data.subarray(b * S, (b + 1) * S)).reduce((n, x) => n + x, 0),
  );

/** Fields of config.json that do not belong to the model: sizes of the batch, the optimizer. */
const otherFields = [
  'seed',
  'batch',
  'src_len',
  'tgt_len',
  'steps',
  'decode_len',
  'lr',
  'beta1',
  'beta2',
  'eps',
  'weight_decay',
  'clip_norm',
];

/**
 * Token ids [rows, positions] of a batch. Throws a HeddleError if the tensor is missing or has another shape
 * or dtype.
 */
export function idsIn(batch: Readonly<Record<string, Tensor>>, name: string, path: string): Tensor {
  const tensor = batch[name];
  check(tensor?.dtype === 'i32' && tensor.shape.length === 2, msg`${name} must be integers with two axes`, {
    area: path,
  });
  return tensor;
}

/** The optimizer of a case; `number` reads a field or returns its default. */
export const goldenOptimizer = (
  number: (field: string, fallback: number) => number,
  fallback: Pick<GoldenCase['optimizer'], 'beta2' | 'eps' | 'clipNorm' | 'decayAll'>,
): GoldenCase['optimizer'] => ({
  steps: number('steps', 0),
  learningRate: number('lr', 1e-3),
  beta1: number('beta1', 0.9),
  beta2: number('beta2', fallback.beta2),
  eps: number('eps', fallback.eps),
  weightDecay: number('weight_decay', 0),
  clipNorm: number('clip_norm', fallback.clipNorm),
  decayAll: fallback.decayAll,
});

/**
 * Reads a golden case of PyTorch's nn.Transformer. Throws a HeddleError that names the file and the problem.
 */
export async function readGolden(files: Files, folder: string): Promise<GoldenCase> {
  const path = (name: string) => `${folder}/${name}`;
  const raw = await readJson(files, path('config.json'));
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    // nn.Transformer does not have head_width; the case of bench/peers does.
    const field = key === 'head_width' ? 'headWidth' : pytorchFields[key];
    if (field) options[field] = value;
    else if (!otherFields.includes(key))
      throw new HeddleError(msg`unknown field ${key}`, { area: path('config.json') });
  }
  const number = (key: string, fallback: number): number =>
    raw[key] === undefined ? fallback : Number(raw[key]);
  const load = async (name: string) => readSafetensors(await files.read(path(name)), path(name));
  const [weights, batch, expected] = await Promise.all([
    load('weights.safetensors'),
    load('batch.safetensors'),
    load('expected.safetensors'),
  ]);
  const ids = (name: string) => idsIn(batch, name, path('batch.safetensors'));
  const [source, targetIn, targetOut] = [ids('src'), ids('tgt_in'), ids('tgt_out')];
  const decodeLength = number('decode_len', 0);
  // Sinusoids are computed for any length; learned positions end at max_len.
  if (raw.positions !== 'learned')
    options.maxLength = Math.max(
      number('max_len', 1),
      source.shape[1] ?? 0,
      targetIn.shape[1] ?? 0,
      decodeLength,
    );
  return {
    name: baseName(folder),
    config: modelConfig(options as unknown as ModelConfig),
    optimizer: goldenOptimizer(number, { beta2: 0.98, eps: 1e-9, clipNorm: 1, decayAll: true }),
    decodeLength,
    weights,
    source,
    targetIn,
    targetOut,
    expected,
  };
}

// Types of model parameters, and their layout one after another in one buffer: all weights, the trained ones, or those
// of a LoRA adapter.

import { type Shape, sizeOf } from '../core/tensor.ts';
import type { PackedFormat } from '../ops/matmul/packed-weights.ts';
import type { Builder, Value } from '../ops/op.ts';
import type { ModelConfig } from './model-config.ts';

/** How to initialize a parameter. `fanIn` and `fanOut` are those of the stored tensor that contains it. */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'matrix'; readonly fanIn: number; readonly fanOut: number }
  | { readonly kind: 'embedding' };

/** One parameter of a model. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** Offset in the parameter buffer, in elements; a multiple of 64. */
  readonly offset: number;
  readonly init: Init;
  /** Whether weight decay applies by default: to matrices, not to biases and norms. */
  readonly decay: boolean;
  /** Whether training never changes it, such as a stored table of sinusoids. */
  readonly frozen?: boolean;
  /** The tensor of PyTorch's state_dict that contains it, its first row in that tensor, and the rows of that tensor. */
  readonly stored: { readonly name: string; readonly row: number; readonly rows: number };
}

/** The parameters in one buffer of `size` elements. */
export interface ParameterList {
  readonly all: readonly Parameter[];
  readonly byName: ReadonlyMap<string, Parameter>;
  readonly size: number;
  /** Weight decay applies to the elements before this one. */
  readonly decayEnd: number;
  /** Number of weights, without the padding between parameters. */
  readonly count: number;
  /** The layout of quantized weights, which are not trained; see quantized-parameters.ts. */
  readonly quantization?: Quantization;
  /** The LoRA adapter that graphs add to the linear layers, and the state that has it; see lora.ts. */
  readonly adapter?: { readonly lora: LoraConfig; readonly state: string };
  /** Suffix of the names of the model's states, for a further model of an ensemble; default: none. */
  readonly stateSuffix?: string;
  /** The further models of an ensemble, and how the logits of all are averaged; see ensemble.ts. */
  readonly ensemble?: {
    readonly others: readonly EnsembleMember[];
    average(builder: Builder, logits: readonly Value[]): Value;
  };
}

/** The models of an ensemble, the first one included; of other models itself. */
export const membersOf = (config: ModelConfig, parameters: ParameterList): readonly EnsembleMember[] => [
  { config, parameters },
  ...(parameters.ensemble?.others ?? []),
];

/** The logits of a model, or of an ensemble from those of its models. */
export const ensembleLogits = (builder: Builder, { ensemble }: ParameterList, logits: readonly Value[]): Value =>
  ensemble ? ensemble.average(builder, logits) : (logits[0] as Value);

/** A model of an ensemble. */
export interface EnsembleMember {
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
}

/** Configuration of a LoRA adapter, with the fields of PEFT's LoraConfig. */
export interface LoraConfig {
  /** Rank r of the update. */
  readonly rank: number;
  /** Scale of the update: it is multiplied by alpha / rank. Default 2 · rank. */
  readonly alpha: number;
  /** Globs of the linear layers to adapt: `*.q_proj`, `fc1`, `decoder.*.v`. Default `*.q` and `*.v`. */
  readonly targetModules: readonly string[];
  /** Dropout rate on the input of the adapter in training. Default 0. */
  readonly dropout: number;
}

/** The layout of quantized weights: matrices packed into words with their scales, and the parameters that stay f32. */
export interface Quantization {
  readonly format: PackedFormat;
  /** For each matrix the offsets of its words and its scales, multiples of 64. */
  readonly matrices: ReadonlyMap<
    string,
    { readonly parameter: Parameter; readonly word: number; readonly scale: number }
  >;
  /** Number of 32-bit words of all matrices, and number of scales (0 for f16). */
  readonly words: number;
  readonly scales: number;
  /** The parameters that stay f32, in a buffer of their own. */
  readonly plain: ParameterList;
}

/**
 * Lays parameters out one after another, each padded to a multiple of `unit` elements (default 64). Parameters with
 * weight decay must come first.
 */
export function layOutParameters(
  parameters: readonly Omit<Parameter, 'offset'>[],
  unit: (parameter: Omit<Parameter, 'offset'>) => number = () => 64,
): ParameterList {
  let size = 0;
  let decayEnd = 0;
  const all = parameters.map((p): Parameter => {
    const offset = size;
    size += Math.ceil(sizeOf(p.shape) / unit(p)) * unit(p);
    if (p.decay) decayEnd = size;
    return { ...p, offset };
  });
  const count = all.reduce((n, p) => n + sizeOf(p.shape), 0);
  return { all, byName: new Map(all.map((p) => [p.name, p])), size, decayEnd, count };
}

// Types of model parameters, and their layout one after another in one buffer: all weights, the trained ones,
// or those of a LoRA adapter.

import { type Shape, sizeOf } from '../core/tensor.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { PackedFormat } from '../engine/ops/matmul/packed-weights.ts';
import type { Builder, Value } from '../engine/ops/op.ts';
import type { ModelConfig, Stack } from './model-config.ts';
import type { LoraLayers, QuantizedWeights } from './scope.ts';
import type { SourceKind } from './source-kind.ts';

/** How to initialize a parameter. `fanIn` and `fanOut` are those of the stored tensor that contains it. */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'matrix'; readonly fanIn: number; readonly fanOut: number }
  | { readonly kind: 'embedding'; readonly of: 'tokens' }
  /** `values`: if they are computed instead of drawn. */
  | { readonly kind: 'embedding'; readonly of: 'positions'; readonly values?: () => Float32Array };

/** A module in a layer of PyTorch's nn.Transformer, such as `self_attn.in_proj` of layer 0 of the encoder. */
export interface LayerModule {
  readonly stack: Stack;
  readonly layer: number;
  readonly module: string;
}

/** One parameter of a model. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** Offset in the parameter buffer, in elements; a multiple of 64. */
  readonly offset: number;
  readonly init: Init;
  /**
   * Whether weight decay applies by default: to matrices and embeddings, not to biases, norms and relative
   * position biases.
   */
  readonly decay: boolean;
  /** Whether training never changes it, such as a stored table of sinusoids. */
  readonly frozen?: boolean;
  /** The module of a layer that it belongs to, if Hugging Face's models have it too. */
  readonly module?: LayerModule;
  /** The number of matrices of equal size that a joined projection has one below another. Default 1. */
  readonly parts?: number;
  /** Elements that stay zero, such as the bias of keys in a model without it: `first` to `end` - 1. */
  readonly zeros?: { readonly first: number; readonly end: number };
  /**
   * The tensor of PyTorch's state_dict that contains it, its first row in that tensor, and the rows of that
   * tensor.
   */
  readonly stored: { readonly name: string; readonly row: number; readonly rows: number };
}

/** Parameters in one buffer of `size` elements. */
export interface ParameterLayout {
  readonly all: readonly Parameter[];
  readonly byName: ReadonlyMap<string, Parameter>;
  readonly size: number;
  /** Weight decay applies to the elements before this one. */
  readonly decayEnd: number;
  /** Number of weights, without the padding between parameters. */
  readonly count: number;
}

/** The parameters of a model. */
export interface ParameterList extends ParameterLayout {
  /** What the encoder reads. */
  readonly source: SourceKind;
  /** The layout of quantized weights, which are not trained; see quantized-parameters.ts. */
  readonly quantization?: Quantization;
  /** The LoRA adapter that graphs add to the linear layers; see lora.ts. */
  readonly lora?: LoraAdapter;
  /** Suffix of the names of the model's states, for a further model of an ensemble; default: none. */
  readonly stateSuffix?: string;
  /** The configuration without the additional positions, if there are any; see grown-positions.ts. */
  readonly grownFrom?: ModelConfig;
  /** The further models of an ensemble, and how the logits of all are averaged; see ensemble.ts. */
  readonly ensemble?: {
    readonly others: readonly EnsembleMember[];
    average(builder: Builder, logits: readonly Value[]): Value;
  };
}

/** The models of an ensemble, with the first one; without an ensemble only the model itself. */
export const membersOf = (config: ModelConfig, parameters: ParameterList): readonly EnsembleMember[] => [
  { config, parameters },
  ...(parameters.ensemble?.others ?? []),
];

/** The logits of an ensemble from the logits of its models; of a single model its own. */
export const ensembleLogits = (
  builder: Builder,
  { ensemble }: ParameterList,
  logits: readonly Value[],
): Value => (ensemble ? ensemble.average(builder, logits) : (logits[0] as Value));

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

/** A LoRA adapter of graphs. Only programs that use one load its code. */
export interface LoraAdapter {
  readonly config: LoraConfig;
  /** The state that has its parameters. */
  readonly state: string;
  /** Adds the parameters to a graph. Pass `site`, which numbers dropout sites, to train. */
  open(graph: Graph, c: ModelConfig, step: Value, site?: () => number): LoraLayers;
}

/** A quantized matrix: its format, and the offsets of its words and its scales, multiples of 64. */
export interface QuantizedMatrix {
  readonly parameter: Parameter;
  readonly format: PackedFormat;
  readonly word: number;
  readonly scale: number;
}

/**
 * The layout of quantized weights: matrices packed into words with their scales, and the parameters that stay
 * f32.
 */
export interface Quantization {
  /** The format of most matrices. */
  readonly format: PackedFormat;
  readonly matrices: ReadonlyMap<string, QuantizedMatrix>;
  /** For each format of a matrix the number of 32-bit words and of scales (0 for f16). */
  readonly formats: ReadonlyMap<PackedFormat, { readonly words: number; readonly scales: number }>;
  /** Number of 32-bit elements of all words and scales. */
  readonly elements: number;
  /** The parameters that stay f32, in a buffer of their own. */
  readonly plain: ParameterLayout;
  /**
   * Adds the weights to a graph. The code is a callback, so that only programs with quantized weights load
   * it.
   */
  open(graph: Graph, stateSuffix: string): OpenedWeights;
  /** The weights of the list in parts; see `weightParts`. */
  parts(list: ParameterList): Iterable<WeightPart>;
}

/**
 * Quantized weights in a graph: the buffer and the values of the parameters that stay f32, and the matrices.
 */
export interface OpenedWeights {
  readonly buffer: Value;
  readonly plain: readonly (readonly [name: string, value: Value])[];
  readonly quantized: QuantizedWeights;
}

/** Data of a state, from element `offset` on. */
export interface StateData {
  readonly state: string;
  readonly offset: number;
  readonly data: Float32Array | Uint32Array;
}

/**
 * A part of the weights: elements `first` to `first + count - 1` of a parameter, and the data of the states
 * it becomes.
 */
export interface WeightPart {
  readonly parameter: Parameter;
  readonly first: number;
  readonly count: number;
  states(values: Float32Array): StateData[];
}

/** Bytes of the states with weights. */
export function weightBytes({ quantization, size, ensemble }: ParameterList): number {
  const own = 4 * (quantization ? quantization.elements + quantization.plain.size : size);
  return (ensemble?.others ?? []).reduce((sum, { parameters }) => sum + weightBytes(parameters), own);
}

/**
 * Lays parameters out one after another, each padded to a multiple of `unit` elements (default 64).
 * Parameters with weight decay must come first.
 */
export function layOutParameters(
  parameters: readonly Omit<Parameter, 'offset'>[],
  unit: (parameter: Omit<Parameter, 'offset'>) => number = () => 64,
): ParameterLayout {
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

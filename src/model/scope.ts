// A transformer in a graph, and scopes in it: a scope knows the names of the weights of a stack, layer or sublayer,
// and labels the nodes that it makes. transformer.ts builds the model with them.

import type { Graph } from '../engine/graph/graph.ts';
import { add, dropout } from '../engine/ops/elementwise/elementwise-ops.ts';
import type { PackedEmbeddingOptions } from '../engine/ops/embedding/packed-embedding.ts';
import { linear, paddedLinear } from '../engine/ops/matmul/linear.ts';
import { layerNorm, rmsNorm } from '../engine/ops/norm/layer-norm.ts';
import type { Place, Value } from '../engine/ops/op.ts';
import { type ModelConfig, type Stack, type SublayerStep, stepsAround } from './model-config.ts';
import type { Point, Points } from './points.ts';

/** The LoRA layers in a graph. */
export interface LoraLayers {
  /** The parameters, in the order of `loraParameters`. */
  readonly values: readonly Value[];
  /**
   * Adds the LoRA updates of the layer `weight` for its input x [.., in] to its output y [.., out]; returns y
   * if it has none.
   */
  extend(weight: string, x: Value, y: Value): Value;
}

/** The quantized matrices in a graph, by name. `linear` and `embedding` throw if a matrix is not quantized. */
export interface QuantizedWeights {
  has(name: string): boolean;
  /** x · Wᵀ + b: [.., in] -> [.., out]. */
  linear(x: Value, name: string, b?: Value, padded?: boolean): Value;
  /** Rows of a table for ids [B,T], as the op `packedEmbedding`. */
  embedding(ids: Value, name: string, options: PackedEmbeddingOptions): Value;
}

/** A transformer being built into a graph. */
export interface Transformer {
  readonly graph: Graph;
  readonly config: ModelConfig;
  /** The buffer of all f32 weights: the state `weights`, or if quantized the state of those that stay f32. */
  readonly weightBuffer: Value;
  /** Weights by name, slices of the buffer. */
  readonly weights: ReadonlyMap<string, Value>;
  /** Suffix of the names of the states, for a further model of an ensemble; else empty. */
  readonly stateSuffix: string;
  /** The configuration without the additional positions, if there are any; see grown-positions.ts. */
  readonly grownFrom?: ModelConfig;
  /** The scalars of a run (learning rate, seed, position): the input `step`. */
  readonly step: Value;
  /** Whether dropout is applied. */
  readonly training: boolean;
  /** The LoRA adapter of the linear layers, if there is one. */
  readonly lora?: LoraLayers;
  /** The matrices, if the weights are quantized. */
  readonly quantized?: QuantizedWeights;
  /** What an inspection reads or replaces. Training and decoding have none. */
  readonly points?: Points;
  /** Returns the number of the next dropout site, from 0. Each site draws its own mask. */
  nextSite(): number;
}

/** Returns a weight by name. Throws if there is none. */
export function weight(m: Transformer, name: string): Value {
  const value = m.weights.get(name);
  if (!value) throw new Error(`model: there is no weight ${name}`);
  return value;
}

/** x · Wᵀ + b with a matrix by name, quantized or not: [.., in] -> [.., out], or padded to whole vectors. */
export function multiply(m: Transformer, x: Value, name: string, b?: Value, padded = false): Value {
  if (m.quantized?.has(name)) return m.quantized.linear(x, name, b, padded);
  return (padded ? paddedLinear : linear)(m.graph, x, weight(m, name), b);
}

/** Names of the sublayers of a layer, as in PyTorch's nn.Transformer. */
type SublayerName = 'self_attn' | 'ssru' | 'multihead_attn' | `linear${number}`;

/**
 * A part of a transformer: the whole, a stack, a layer or a sublayer. Weights have the names of PyTorch's
 * nn.Transformer; `path` is the start of those of the part.
 */
export class Scope {
  readonly model: Transformer;
  readonly path: string;

  constructor(model: Transformer, path = '') {
    this.model = model;
    this.path = path;
  }

  get graph(): Graph {
    return this.model.graph;
  }

  get config(): ModelConfig {
    return this.model.config;
  }

  /** Name of a weight or a part in this one. */
  name(name: string): string {
    return this.path ? `${this.path}.${name}` : name;
  }

  /** Returns a weight of this part. Throws if there is none. */
  weight(name: string): Value {
    return weight(this.model, this.name(name));
  }

  /** A part by name, without a label for its nodes. */
  part(name: string): Scope {
    return new Scope(this.model, this.name(name));
  }

  /** A stack, without a label for its nodes; see `stack`. */
  in(stack: Stack): Scope {
    return this.part(`transformer.${stack}`);
  }

  /** Builds a stack: its nodes are labeled by it. */
  stack<T>(stack: Stack, build: (scope: Scope) => T): T {
    return this.#within({ stack }, this.in(stack), build);
  }

  /** Builds layer `n` of a stack, with the weights of layer `of`. */
  layer<T>(n: number, build: (scope: Scope) => T, of = n): T {
    return this.#within({ layer: n }, this.part(`layers.${of}`), build);
  }

  /** Builds a sublayer of a layer. */
  sublayer<T>(name: SublayerName, build: (scope: Scope) => T): T {
    return this.#within({ sublayer: name }, this.part(name), build);
  }

  #within<T>(place: Place, scope: Scope, build: (scope: Scope) => T): T {
    return this.graph.scope(place, () => build(scope));
  }

  /**
   * A linear layer of this part, x · weightᵀ + bias if it has one, with its LoRA update: [.., in] -> [.., out].
   * With an empty name, the part itself is the layer.
   */
  linear(name: string, x: Value): Value {
    // The weights of the merged projections of nn.MultiheadAttention are in_proj_weight and in_proj_bias.
    const start = name === 'in_proj' ? 'in_proj_' : name && `${name}.`;
    const matrix = this.name(`${start}weight`);
    const bias = this.model.weights.get(this.name(`${start}bias`));
    const y = multiply(this.model, x, matrix, bias);
    return this.model.lora?.extend(matrix, x, y) ?? y;
  }

  /** Layer norm or RMSNorm over the last axis: [.., D] -> [.., D]. */
  norm(name: string, x: Value): Value {
    const { normType, layerNormEps: eps } = this.config;
    const gamma = this.weight(`${name}.weight`); // [D]
    return this.graph.scope(name, () =>
      normType === 'rms'
        ? rmsNorm(this.graph, x, gamma, eps)
        : layerNorm(this.graph, x, gamma, this.weight(`${name}.bias`), eps),
    );
  }

  /** A point of an inspection: the value, or what replaces it; `input`: what a layer reads. */
  point(point: Point, value: Value, input?: Value): Value {
    return this.model.points?.at(point, value, input) ?? value;
  }

  /** Dropout in training; else x. */
  dropout(x: Value, rate: number): Value {
    const { graph, step, training } = this.model;
    return training && rate > 0 ? dropout(graph, x, step, { rate, site: this.model.nextSite() }) : x;
  }

  /**
   * x + f(LN(x)) (pre-norm), LN(x + f(x)) (post-norm, as in the paper), or other steps of the configuration: [B,
   * T, D] -> [B, T, D].
   */
  residual(norm: string, x: Value, f: Sublayer): Value {
    const rate = this.config.dropout.residual;
    const { before, after } = stepsAround(this.config);
    let y = x;
    const apply = (step: SublayerStep, name: string): Value => {
      if (step === 'dropout') return this.dropout(y, rate);
      return step === 'add' ? add(this.graph, x, y) : this.norm(name, y);
    };
    const first = before.includes('norm') && after.includes('norm') ? `${norm}_pre` : norm;
    for (const step of before) y = apply(step, first);
    y = this.point('sublayer', f(y, x));
    for (const step of after) y = apply(step, norm);
    return y;
  }
}

/** A sublayer of a residual connection: [B, T, D] -> [B, T, D]. `input`: x before the norm of a pre-norm model. */
export type Sublayer = (x: Value, input: Value) => Value;

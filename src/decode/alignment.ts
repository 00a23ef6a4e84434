// Alignment of a translation with its source: the cross-attention probabilities of a forward pass with
// teacher forcing.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { Inspector } from './inspector.ts';

/** Cross-attention between a text and its translation. `Token`: labels of tokens, or their ids. */
export interface Attention<Token = string> {
  /** Source tokens, S, with the end token. */
  readonly source: readonly Token[];
  /** Target tokens, T; without an end token if the translation reached its maximum length. */
  readonly target: readonly Token[];
  /** Number of layers. */
  readonly layers: number;
  /** Number of heads in each layer. */
  readonly heads: number;
  /**
   * Probabilities [layers, heads, T, S]. Row t is the attention over the source at the prediction of
   * target[t]; it sums to 1.
   */
  readonly weights: Float32Array;
}

/** Aligns pairs with the plan of one size. */
export class Aligner {
  readonly #inspector: Inspector;
  readonly #config: ModelConfig;
  readonly #size: number;

  private constructor(inspector: Inspector, config: ModelConfig, size: number) {
    this.#inspector = inspector;
    this.#config = config;
    this.#size = size;
  }

  /**
   * Creates an aligner on an engine that has the weights, or receives them before the first call. `size`:
   * maximum number of tokens of a side.
   */
  static async open(engine: Engine, c: ModelConfig, p: ParameterList, size: number): Promise<Aligner> {
    return new Aligner(
      await Inspector.open(engine, c, p, { source: size, target: size, crossOnly: true }),
      c,
      size,
    );
  }

  /** Peak memory of the plan in bytes; 0 on the CPU. */
  get peak(): number {
    return this.#inspector.peak;
  }

  /** Computes the alignment of a pair. Arguments and errors are those of `Inspector.inspect`. */
  async align(
    source: readonly number[],
    target: readonly number[],
    startId?: number,
  ): Promise<Attention<number>> {
    const [c, size] = [this.#config, this.#size];
    check(
      source.length <= size && target.length <= size,
      msg`the source has ${source.length} and the target ${target.length} tokens, the maximum is ${size}`,
      { area: 'align' },
    );
    const { attention } = await this.#inspector.inspect(source, target.slice(0, size - 1), startId);
    const [layers, heads] = [c.decoderLayers, c.decoderHeads];
    const predicted = [...target, c.endId].slice(0, size);
    const weights = new Float32Array(layers * heads * predicted.length * source.length);
    for (const [n, map] of attention.entries()) weights.set(map.weights, n * map.weights.length);
    return { source: [...source], target: predicted, layers, heads, weights };
  }
}

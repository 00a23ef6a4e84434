// Alignment of a translation with its source: the cross-attention probabilities of a forward pass with
// teacher forcing.

import { check } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { createInspector } from './inspection.ts';

/** Cross-attention between a text and its translation. `Token`: labels of tokens, or their ids. */
export interface Attention<Token = string> {
  /** Source tokens, S, with the end token. */
  readonly source: readonly Token[];
  /** Target tokens, T; without an end token if the translation reached its maximum length. */
  readonly target: readonly Token[];
  readonly layers: number;
  readonly heads: number;
  /**
   * Probabilities [layers, heads, T, S]. Row t is the attention over the source at the prediction of
   * target[t]; it sums to 1.
   */
  readonly weights: Float32Array;
}

/** Computes the alignment of a pair. Arguments and errors are those of `Inspect`. */
export type Align = (
  source: readonly number[],
  target: readonly number[],
  startId?: number,
) => Promise<Attention<number>>;

/** Creates an aligner on an engine that has the weights. `size`: maximum number of tokens of a side. */
export async function createAligner(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  size: number,
): Promise<Align> {
  const inspect = await createInspector(engine, c, p, { source: size, target: size, crossOnly: true });
  return async (source, target, startId) => {
    check(
      source.length <= size && target.length <= size,
      `align: the source has ${source.length} and the target ${target.length} tokens, the maximum is ${size}`,
    );
    const { attention } = await inspect(source, target.slice(0, size - 1), startId);
    const [layers, heads] = [c.decoderLayers, c.decoderHeads];
    const predicted = [...target, c.endId].slice(0, size);
    const weights = new Float32Array(layers * heads * predicted.length * source.length);
    for (const [n, map] of attention.entries()) weights.set(map.weights, n * map.weights.length);
    return { source: [...source], target: predicted, layers, heads, weights };
  };
}

// Alignment of a translation with its source: a forward pass with teacher forcing that returns the cross-attention
// probabilities.

import { check } from '../core/errors.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { fuseLayers } from '../graph/layer-rewrites.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import {
  attentionOptions,
  crossAttentionBlock,
  crossKeysValues,
  decoderLayer,
  embed,
  encode,
  openTransformer,
  positionBias,
  selfAttentionBlock,
  selfAttentionHeads,
} from '../model/transformer.ts';
import { crossAttention } from '../ops/attention/attention.ts';
import { attentionWeights } from '../ops/attention/attention-weights.ts';
import type { Value } from '../ops/op.ts';
import { writeStep } from '../ops/step-scalars.ts';

/** Cross-attention probabilities of one pair. */
export interface Alignment {
  /** Source ids as the encoder reads them, S. */
  readonly source: readonly number[];
  /** Target ids with the end token, T; without it if they fill all positions. */
  readonly target: readonly number[];
  readonly layers: number;
  readonly heads: number;
  /**
   * Weights [layers, heads, T, S]. Row t is the attention over the source at the prediction of target[t]; it sums to 1.
   */
  readonly weights: Float32Array;
}

/** Computes alignments, one pair at a time. */
export interface Aligner {
  /** Maximum number of tokens of a side. */
  readonly size: number;
  /**
   * `target` is without start and end token; it started with `startId`, by default that of the model. Throws a HeddleError
   * for an invalid id or a side that is too long.
   */
  align(source: readonly number[], target: readonly number[], startId?: number): Promise<Alignment>;
}

/** Inputs src [1,S], tgt [1,T], srcLens [1], tgtLens [1]; outputs `weights.N` f32 [1,H,T,S] for each layer N. */
function alignmentGraph(c: ModelConfig, p: ParameterList, size: number): Graph {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const tokens = (side: string) => ({
    ids: graph.input(side, 'i32', [1, size]),
    lengths: graph.input(`${side}Lens`, 'u32', [1]),
  });
  const [source, target] = [tokens('src'), tokens('tgt')];
  const memory = encode(m, source);
  graph.scope('decoder', () => {
    let x = embed(m, 'tgt', target); // [1, T, D]
    const bias = positionBias(m, 'decoder');
    for (let n = 0; n < c.decoderLayers; n++) {
      const layer = `transformer.decoder.layers.${n}`;
      const kv = crossKeysValues(m, layer, memory); // [1, S, 2HW]
      const self = (y: Value) =>
        selfAttentionBlock(m, layer, y, (qkv) => selfAttentionHeads(m, 'decoder', qkv, target.lengths, bias));
      const cross = (y: Value) =>
        crossAttentionBlock(m, layer, y, (q) => {
          graph.output(`weights.${n}`, attentionWeights(graph, q, kv, source.lengths, attentionOptions(m, 'decoder')));
          return crossAttention(graph, q, kv, source.lengths, m.step, attentionOptions(m, 'decoder'));
        });
      x = decoderLayer(m, layer, x, self, cross);
    }
  });
  fuseLayers(graph);
  return graph;
}

/** Creates an aligner on an engine that has the weights. */
export async function createAligner(engine: Engine, c: ModelConfig, p: ParameterList, size: number): Promise<Aligner> {
  const [program] = (await engine.prepare([alignmentGraph(c, p, size)])) as [Program];
  const input = (name: string) => program.inputs[name] as Int32Array;
  writeStep(program.inputs.step as Uint32Array);
  return {
    size,
    async align(source, target, startId = c.startId) {
      check(
        source.length <= size && target.length <= size,
        `align: the source has ${source.length} and the target ${target.length} tokens, the maximum is ${size}`,
      );
      const read = [startId, ...target].slice(0, size);
      for (const [side, ids, vocab] of [
        ['src', source, c.srcVocab],
        ['tgt', read, c.tgtVocab],
      ] as const) {
        const wrong = ids.find((id) => !(id >= 0 && id < vocab));
        check(wrong === undefined, `align: ${side} has the id ${wrong}, the vocabulary has ${vocab} tokens`);
        input(side).fill(c.padId).set(ids);
        input(`${side}Lens`)[0] = ids.length;
      }
      const outputs = await program.run();
      const [S, T] = [source.length, read.length];
      const weights = new Float32Array(c.decoderLayers * c.decoderHeads * T * S);
      for (let n = 0; n < c.decoderLayers; n++)
        for (let h = 0; h < c.decoderHeads; h++)
          for (let t = 0; t < T; t++) {
            const row = (outputs[`weights.${n}`] as Float32Array).subarray((h * size + t) * size);
            weights.set(row.subarray(0, S), ((n * c.decoderHeads + h) * T + t) * S);
          }
      return {
        source: [...source],
        target: [...target, c.endId].slice(0, size),
        layers: c.decoderLayers,
        heads: c.decoderHeads,
        weights,
      };
    },
  };
}

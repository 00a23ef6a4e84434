// The encoder-decoder transformer of "Attention Is All You Need" (Vaswani et al., 2017,
// https://arxiv.org/abs/1706.03762) as a graph. The code follows the sections of the paper;
// src/engine/graph/rewrites.ts decides later which of these ops one kernel computes.
//
// B batch, S source length, T target length, D model width, H heads, W head width, F feed-forward width, V
// vocabulary.

import { takeColumns } from '../engine/ops/elementwise/columns.ts';
import { activation } from '../engine/ops/elementwise/elementwise-ops.ts';
import { gatedActivation } from '../engine/ops/elementwise/gated-activation.ts';
import type { Value } from '../engine/ops/op.ts';
import { embed, type Tokens } from './embed-tokens.ts';
import { type Stack, stackSizes, weightsLayer } from './model-config.ts';
import {
  crossAttentionBlock,
  crossAttentionHeads,
  crossKeysValues,
  positionBias,
  selfAttentionBlock,
  selfAttentionHeads,
} from './multi-head-attention.ts';
import { multiply, Scope, type Sublayer, type Transformer } from './scope.ts';
import type { Source, SourceKind } from './source-kind.ts';
import { decoderSelfAttention } from './sublayers.ts';

/** The encoder (section 3.1): a source of some kind, such as ids [B, S] -> memory [B, S, D]. */
export function encode(m: Transformer, kind: SourceKind, source: Source): Value {
  return new Scope(m).stack('encoder', (encoder) => {
    let x = encoder.point('embedding', kind.embed(new Scope(m), source)); // [B, S, D]
    const bias = positionBias(encoder, 'encoder');
    const attend = (qkv: Value) => selfAttentionHeads(m, 'encoder', qkv, source.lengths, bias);
    for (let n = 0; n < m.config.encoderLayers; n++)
      x = encoder.layer(n, (layer) => {
        const attended = layer.residual('norm1', x, selfAttentionBlock(layer, attend));
        const y = layer.residual('norm2', attended, (z) => feedForward(layer, 'encoder', z));
        return layer.point('layer', y, x);
      });
    return encoder.point('output', finish(encoder, x, m.config.dropout.memory)); // [B, S, D]
  });
}

/** The decoder (section 3.1): target ids [B, T] and memory [B, S, D] -> hidden states [B, T, D]. */
export function decode(m: Transformer, target: Tokens, memory: Value, sourceLengths: Value): Value {
  return new Scope(m).stack('decoder', (decoder) => {
    let x = decoder.point('embedding', embed(m, 'tgt', target)); // [B, T, D]
    const bias = positionBias(decoder, 'decoder');
    const kind = decoderSelfAttention(m.config);
    for (let n = 0; n < m.config.decoderLayers; n++)
      x = decoderLayerOf(decoder, n, (layer) => {
        const self = kind.overSequence(layer, target.lengths, bias);
        const cross: Sublayer = (y) => {
          const kv = crossKeysValues(layer, memory); // [B, S, 2HW]
          return crossAttentionBlock(layer, y, (q) => crossAttentionHeads(m, q, kv, sourceLengths));
        };
        return layer.point('layer', decoderLayer(layer, x, self, cross), x);
      });
    return decoder.point('output', finishDecoder(decoder, x)); // [B, T, D]
  });
}

/** Builds decoder layer `n` with its weights, or those of the layer that it is tied to. */
export const decoderLayerOf = <T>(decoder: Scope, n: number, build: (layer: Scope) => T): T =>
  decoder.layer(n, build, weightsLayer(decoder.config, 'decoder', n));

/** A decoder layer: self-attention, cross-attention, then feed-forward; [B, T, D] -> [B, T, D]. */
export function decoderLayer(layer: Scope, x: Value, self: Sublayer, cross: Sublayer): Value {
  const attended = layer.residual('norm1', x, self);
  const informed = layer.residual('norm2', attended, cross);
  return layer.residual('norm3', informed, (y) => feedForward(layer, 'decoder', y));
}

/** The norm after the last layer of a stack, then dropout: [B, T, D] -> [B, T, D]. */
const finish = (stack: Scope, x: Value, rate: number): Value =>
  stack.dropout(stack.config.finalNorm ? stack.norm('norm', x) : x, rate);

/**
 * The norm after the last decoder layer, and dropout before the output projection: [B, T, D] -> [B, T, D].
 */
export const finishDecoder = (decoder: Scope, x: Value): Value =>
  finish(decoder, x, decoder.config.dropout.output);

/** The position-wise feed-forward network (section 3.3): [B, T, D] -> [B, T, D]. */
function feedForward(layer: Scope, stack: Stack, x: Value): Value {
  const { feedForwardType, activation: kind, dropout } = layer.config;
  const activate = feedForwardType === 'gated' ? gatedActivation : activation;
  const { depth } = stackSizes(layer.config, stack);
  let h = x;
  for (let n = 1; n <= depth; n++)
    h = layer.sublayer(`linear${n}`, (part) => {
      const y = part.linear('', n === 1 ? h : part.dropout(h, dropout.feedForward));
      return n === depth ? y : activate(part.graph, y, kind); // [B, T, F], at last [B, T, D]
    });
  return h;
}

/**
 * The output projection to logits (section 3.4): [B, T, D] -> [B, T, V]. `padded`: rows of a vocabulary that
 * is not a multiple of 4 are padded with zeros, so that all kernels read them as vectors.
 */
export function project(m: Transformer, x: Value, padded = false): Value {
  const { tie, outputBias, scaleOutput, dModel: D, tgtVocab } = m.config;
  const own = 'generator.weight';
  const table = { none: own, embeddings: own, target: 'tgt_embed.weight', all: 'src_embed.weight' }[tie];
  const bias = outputBias ? new Scope(m).weight('generator.bias') : undefined;
  return m.graph.scope('generator', () => {
    const scaled = scaleOutput ? takeColumns(m.graph, x, { first: 0, count: D, scale: 1 / Math.sqrt(D) }) : x;
    return multiply(m, scaled, table, bias, padded && tgtVocab % 4 > 0);
  });
}

// The encoder-decoder transformer of "Attention Is All You Need" (Vaswani et al., 2017,
// https://arxiv.org/abs/1706.03762) as a graph. The code follows the sections of the paper;
// src/engine/graph/rewrites.ts decides later which of these ops one kernel computes.
//
// B batch, S source length, T target length, D model width, H heads, W head width, F feed-forward width, V
// vocabulary.

import type { Graph } from '../engine/graph/graph.ts';
import { crossAttention, selfAttention } from '../engine/ops/attention/attention.ts';
import { activation } from '../engine/ops/elementwise/elementwise-ops.ts';
import { embedding } from '../engine/ops/embedding/embedding.ts';
import type { Value } from '../engine/ops/op.ts';
import { frameParts } from '../features/speech/frame-parts.ts';
import { optionalSublayers } from './load-sublayers.ts';
import { type ModelConfig, type Stack, sharesEmbeddings, stackSizes, weightsLayer } from './model-config.ts';
import { multiply, Scope, type Sublayer, type Transformer } from './open-transformer.ts';
import { fixedPositionRows } from './parameters.ts';

/** Token ids i32 [B, S or T] and true lengths u32 [B]. */
export interface Tokens {
  readonly ids: Value;
  readonly lengths: Value;
  /**
   * In training, the positions sorted by token id, for the gradient of the embedding; see fillTokenIndex in
   * src/text.
   */
  readonly index?: { readonly rowStart: Value; readonly occurrences: Value };
}

/** Frames f32 [B, F, C], and for each row its true length in positions of the encoder, u32 [B]. */
export interface Frames {
  readonly frames: Value;
  readonly lengths: Value;
}

/** What the encoder reads. */
export type Source = Tokens | Frames;

/** Adds the input of the encoder to a graph: `src`, ids of B rows of S tokens, or `frames`, S frames; `srcLens`. */
export function sourceInput(graph: Graph, c: ModelConfig, B: number, S: number): Source {
  const lengths = graph.input('srcLens', 'u32', [B]);
  if (c.source === 'frames') return { frames: graph.input('frames', 'f32', [B, S, c.frameWidth]), lengths };
  return { ids: graph.input('src', 'i32', [B, S]), lengths };
}

/** The encoder (section 3.1): source ids [B, S] or frames -> memory [B, S, D]. */
export function encode(m: Transformer, source: Source): Value {
  return new Scope(m).stack('encoder', (encoder) => {
    let x =
      'frames' in source ? frameParts().embedFrames(new Scope(m), source.frames) : embed(m, 'src', source);
    const bias = positionBias(encoder, 'encoder');
    const attend = (qkv: Value) => selfAttentionHeads(m, 'encoder', qkv, source.lengths, bias);
    for (let n = 0; n < m.config.encoderLayers; n++)
      x = encoder.layer(n, (layer) => {
        const attended = layer.residual('norm1', x, selfAttentionBlock(layer, attend));
        return layer.residual('norm2', attended, (y) => feedForward(layer, 'encoder', y));
      });
    return finish(encoder, x, m.config.dropout.memory); // [B, S, D]
  });
}

/** The decoder (section 3.1): target ids [B, T] and memory [B, S, D] -> hidden states [B, T, D]. */
export function decode(m: Transformer, target: Tokens, memory: Value, sourceLengths: Value): Value {
  return new Scope(m).stack('decoder', (decoder) => {
    let x = embed(m, 'tgt', target); // [B, T, D]
    const bias = positionBias(decoder, 'decoder');
    const attend = (qkv: Value) => selfAttentionHeads(m, 'decoder', qkv, target.lengths, bias);
    const isSsru = m.config.decoderSelfAttention === 'ssru';
    for (let n = 0; n < m.config.decoderLayers; n++)
      x = decoderLayerOf(decoder, n, (layer) => {
        const self: Sublayer = isSsru
          ? (y) => optionalSublayers().ssruLayer(layer, y)
          : selfAttentionBlock(layer, attend);
        const cross: Sublayer = (y) => {
          const kv = crossKeysValues(layer, memory); // [B, S, 2HW]
          return crossAttentionBlock(layer, y, (q) =>
            crossAttention(m.graph, q, kv, sourceLengths, m.step, attentionOptions(m, 'decoder')),
          );
        };
        return decoderLayer(layer, x, self, cross);
      });
    return finishDecoder(decoder, x); // [B, T, D]
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

/**
 * Multi-head self-attention (section 3.2.2): [B, T, D] -> [B, T, D]. `attend` computes the heads: qkv [B, T,
 * 3HW] -> [B, T, HW].
 */
export const selfAttentionBlock =
  (layer: Scope, attend: (qkv: Value) => Value): Sublayer =>
  (x, input) =>
    layer.sublayer('self_attn', (attn) => {
      const qkv = layer.config.normQueriesOnly
        ? optionalSublayers().separateQueries(attn, x, input)
        : attn.linear('in_proj', x);
      return attn.linear('out_proj', attend(qkv));
    });

/**
 * The heads of self-attention, causal in the decoder: qkv [B, T, 3HW] -> [B, T, HW]. `bias`: that of
 * `positionBias`.
 */
function selfAttentionHeads(m: Transformer, stack: Stack, qkv: Value, lengths: Value, bias?: Value): Value {
  const options = { ...attentionOptions(m, stack), causal: stack === 'decoder' };
  return selfAttention(m.graph, qkv, lengths, m.step, options, bias);
}

/**
 * Multi-head cross-attention of a decoder layer: [B, T, D] -> [B, T, D]. `attend` computes the heads: q [B,
 * T, HW] -> [B, T, HW].
 */
export const crossAttentionBlock = (layer: Scope, x: Value, attend: (q: Value) => Value): Value =>
  layer.sublayer('multihead_attn', (attn) => attn.linear('out_proj', attend(attn.linear('q_proj', x))));

/** Keys and values of the cross-attention of a decoder layer: memory [B, S, D] -> [B, S, 2HW]. */
export const crossKeysValues = (layer: Scope, memory: Value): Value =>
  layer.sublayer('multihead_attn', (attn) => attn.linear('kv_proj', memory));

/** The position-wise feed-forward network (section 3.3): [B, T, D] -> [B, T, D]. */
function feedForward(layer: Scope, stack: Stack, x: Value): Value {
  const { feedForwardType, activation: kind, dropout } = layer.config;
  const activate = feedForwardType === 'gated' ? optionalSublayers().gatedActivation : activation;
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
 * Options of an attention op: heads, head width and scale of a stack, and in training the dropout of the
 * attention weights.
 */
export function attentionOptions(m: Transformer, stack: Stack) {
  const { heads, headWidth } = stackSizes(m.config, stack);
  const scale = m.config.attentionScale ? undefined : 1;
  const dropout = m.config.dropout.attention;
  if (!m.training || dropout === 0) return { heads, headWidth, scale };
  return { heads, headWidth, scale, dropout, site: m.nextSite() };
}

/**
 * The bias of the self-attention scores of all layers of a stack by distance [H, distances] (Raffel et al.,
 * 2020, T5); undefined if positions are not relative.
 */
export function positionBias(scope: Scope, stack: Stack): Value | undefined {
  const { positions, relativeMaxDistance: maxDistance } = scope.config;
  if (positions !== 'relative') return undefined;
  const table = scope.weight('relative_bias.weight'); // [buckets, H]
  return optionalSublayers().relativePositionBias(scope.graph, table, {
    maxDistance,
    bidirectional: stack === 'encoder',
  });
}

/**
 * Token embeddings times sqrt(D) plus positions (sections 3.4 and 3.5): ids [B, T] -> [B, T, D]. In decoding
 * T is 1, the position is that of `step`, and `history` [B, Tmax] has the tokens so far.
 */
export function embed(
  m: Transformer,
  side: 'src' | 'tgt',
  tokens: Pick<Tokens, 'ids' | 'index'>,
  history?: Value,
): Value {
  const { config: c, graph: g } = m;
  const model = new Scope(m);
  const learned = c.positions === 'learned';
  const rows = fixedPositionRows(c);
  const fixed =
    rows > 0 ? g.state(`positions${m.parameters.stateSuffix ?? ''}`, 'f32', [rows, c.dModel]) : undefined;
  const positions = learned ? model.weight(`${side}_pos.weight`) : fixed; // [L, D]
  const positionIds =
    c.positions === 'fairseq-sinusoidal'
      ? g.scope('embed', () =>
          optionalSublayers().tokenPositions(g, history ?? tokens.ids, { padId: c.padId }, history && m.step),
        )
      : undefined; // [B, T]
  const table = side === 'src' || sharesEmbeddings(c) ? 'src_embed.weight' : 'tgt_embed.weight'; // [V, D]
  const options = {
    scale: c.scaleEmbedding ? Math.sqrt(c.dModel) : 1,
    offset: c.positionOffset,
    decode: history !== undefined,
    step: m.step,
    positions,
    positionIds,
  };
  const rate = c.dropout.embedding;
  const quantized = m.quantized?.has(table) && m.quantized;
  const dropsItself = m.training && !quantized && !c.embeddingNorm;
  const x = g.scope('embed', () =>
    quantized
      ? quantized.embedding(tokens.ids, table, { ...options, width: c.dModel })
      : embedding(g, tokens.ids, model.weight(table), {
          ...options,
          learned,
          frozenId: c.trainPadding || c.padId < 0 ? undefined : c.padId,
          index: tokens.index,
          rate: dropsItself ? rate : 0,
          site: dropsItself ? m.nextSite() : 0,
        }),
  );
  const y = c.embeddingNorm ? model.norm(`${side}_embed_norm`, x) : x;
  return dropsItself ? y : model.dropout(y, rate); // [B, T, D]
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
    const scaled = scaleOutput
      ? optionalSublayers().takeColumns(m.graph, x, { first: 0, count: D, scale: 1 / Math.sqrt(D) })
      : x;
    return multiply(m, scaled, table, bias, padded && tgtVocab % 4 > 0);
  });
}

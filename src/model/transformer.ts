// The encoder-decoder transformer of "Attention Is All You Need" (Vaswani et al., 2017,
// https://arxiv.org/abs/1706.03762) as a graph. The code follows the sections of the paper;
// src/engine/graph/rewrites.ts decides later which of these ops one kernel computes.
//
// B batch, S source length, T target length, D model width, H heads, W head width, F feed-forward width, V
// vocabulary.

import type { Graph } from '../engine/graph/graph.ts';
import { crossAttention, selfAttention } from '../engine/ops/attention/attention.ts';
import { relativePositionBias } from '../engine/ops/attention/relative-position-bias.ts';
import { takeColumns } from '../engine/ops/elementwise/columns.ts';
import { activation, add, dropout } from '../engine/ops/elementwise/elementwise-ops.ts';
import { gatedActivation } from '../engine/ops/elementwise/gated-activation.ts';
import { embedding } from '../engine/ops/embedding/embedding.ts';
import { tokenPositions } from '../engine/ops/embedding/token-positions.ts';
import { linear, paddedLinear } from '../engine/ops/matmul/linear.ts';
import { layerNorm, rmsNorm } from '../engine/ops/norm/layer-norm.ts';
import type { Value } from '../engine/ops/op.ts';
import { stepWords } from '../engine/ops/step-scalars.ts';
import { type ModelConfig, type Stack, sharesEmbeddings, stackSizes } from './model-config.ts';
import type { LoraLayers, ParameterList, QuantizedWeights } from './parameter-layout.ts';
import { fixedPositionRows } from './parameters.ts';

/** A transformer being built into a graph. */
export interface Transformer {
  readonly graph: Graph;
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  /** The buffer of all f32 weights: the state `weights`, or if quantized the state of those that stay f32. */
  readonly weightBuffer: Value;
  /** Weights by name, slices of the buffer. */
  readonly weights: ReadonlyMap<string, Value>;
  /** The scalars of a run (learning rate, seed, position): the input `step`. */
  readonly step: Value;
  /** Whether dropout is applied. */
  readonly training: boolean;
  /** The LoRA adapter of the linear layers, if there is one. */
  readonly lora?: LoraLayers;
  /** The matrices, if the weights are quantized. */
  readonly quantized?: QuantizedWeights;
  /** Returns the number of the next dropout site, from 0. Each site draws its own mask. */
  nextSite(): number;
}

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

/** Adds the weights of a model to a graph, with the LoRA adapter of the list if it has one. */
export function openTransformer(
  graph: Graph,
  config: ModelConfig,
  parameters: ParameterList,
  training: boolean,
): Transformer {
  const { quantization, lora, stateSuffix = '' } = parameters;
  const opened = quantization?.open(graph, stateSuffix);
  const weightBuffer = opened?.buffer ?? graph.state(`weights${stateSuffix}`, 'f32', [parameters.size]);
  const slices = () =>
    parameters.all.map(
      ({ name, offset, shape }) => [name, graph.slice(weightBuffer, name, offset, shape)] as const,
    );
  const weights = new Map(opened?.plain ?? slices());
  const step = graph.input('step', 'u32', [stepWords]);
  let sites = 0;
  const nextSite = () => sites++;
  return {
    graph,
    config,
    parameters,
    weightBuffer,
    weights,
    training,
    step,
    nextSite,
    ...(opened && { quantized: opened.quantized }),
    ...(lora && { lora: lora.open(graph, config, step, training ? nextSite : undefined) }),
  };
}

/** Returns a weight by name. Throws if there is none. */
export function weight(m: Transformer, name: string): Value {
  const value = m.weights.get(name);
  if (!value) throw new Error(`model: there is no weight ${name}`);
  return value;
}

/** The encoder (section 3.1): source ids [B, S] -> memory [B, S, D]. */
export function encode(m: Transformer, source: Tokens): Value {
  return m.graph.scope({ stack: 'encoder' }, () => {
    let x = embed(m, 'src', source); // [B, S, D]
    const bias = positionBias(m, 'encoder');
    for (let n = 0; n < m.config.encoderLayers; n++) {
      const layer = `transformer.encoder.layers.${n}`;
      const self: Sublayer = (y) =>
        selfAttentionBlock(m, layer, y, (qkv) => selfAttentionHeads(m, 'encoder', qkv, source.lengths, bias));
      x = m.graph.scope({ layer: n }, () => encoderLayer(m, layer, x, self));
    }
    const y = m.config.finalNorm ? norm(m, 'transformer.encoder.norm', x) : x;
    return drop(m, y, m.config.dropout.memory); // [B, S, D]
  });
}

/** The decoder (section 3.1): target ids [B, T] and memory [B, S, D] -> hidden states [B, T, D]. */
export function decode(m: Transformer, target: Tokens, memory: Value, sourceLengths: Value): Value {
  return m.graph.scope({ stack: 'decoder' }, () => {
    let x = embed(m, 'tgt', target); // [B, T, D]
    const bias = positionBias(m, 'decoder');
    for (let n = 0; n < m.config.decoderLayers; n++) {
      const layer = `transformer.decoder.layers.${n}`;
      const self: Sublayer = (y) =>
        selfAttentionBlock(m, layer, y, (qkv) => selfAttentionHeads(m, 'decoder', qkv, target.lengths, bias));
      const cross: Sublayer = (y) => {
        const kv = crossKeysValues(m, layer, memory); // [B, S, 2HW]
        return crossAttentionBlock(m, layer, y, (q) =>
          crossAttention(m.graph, q, kv, sourceLengths, m.step, attentionOptions(m, 'decoder')),
        );
      };
      x = m.graph.scope({ layer: n }, () => decoderLayer(m, layer, x, self, cross));
    }
    return finishDecoder(m, x); // [B, T, D]
  });
}

/**
 * The norm after the last decoder layer, and dropout before the output projection: [B, T, D] -> [B, T, D].
 */
export function finishDecoder(m: Transformer, x: Value): Value {
  const y = m.config.finalNorm ? norm(m, 'transformer.decoder.norm', x) : x;
  return drop(m, y, m.config.dropout.output);
}

/**
 * The output projection to logits (section 3.4): [B, T, D] -> [B, T, V]. `padded`: rows of a vocabulary that
 * is not a multiple of 4 are padded with zeros, so that all kernels read them as vectors.
 */
export function project(m: Transformer, x: Value, padded = false): Value {
  const { tie, outputBias, scaleOutput, dModel: D, tgtVocab } = m.config;
  const own = 'generator.weight';
  const table = { none: own, embeddings: own, target: 'tgt_embed.weight', all: 'src_embed.weight' }[tie];
  const bias = outputBias ? weight(m, 'generator.bias') : undefined;
  return m.graph.scope('generator', () => {
    const scaled = scaleOutput ? takeColumns(m.graph, x, { first: 0, count: D, scale: 1 / Math.sqrt(D) }) : x;
    return multiply(m, scaled, table, bias, padded && tgtVocab % 4 > 0);
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
  const learned = c.positions === 'learned';
  const rows = fixedPositionRows(c);
  const fixed =
    rows > 0 ? g.state(`positions${m.parameters.stateSuffix ?? ''}`, 'f32', [rows, c.dModel]) : undefined;
  const positions = learned ? weight(m, `${side}_pos.weight`) : fixed; // [L, D]
  const counted = c.positions === 'fairseq-sinusoidal';
  const positionIds =
    counted &&
    g.scope('embed', () => tokenPositions(g, history ?? tokens.ids, { padId: c.padId }, history && m.step)); // [B, T]
  const table = side === 'src' || sharesEmbeddings(c) ? 'src_embed.weight' : 'tgt_embed.weight'; // [V, D]
  const options = {
    scale: c.scaleEmbedding ? Math.sqrt(c.dModel) : 1,
    offset: c.positionOffset,
    decode: history !== undefined,
    step: m.step,
    ...(positions && { positions }),
    ...(positionIds && { positionIds }),
  };
  const { quantized } = m;
  const rate = c.dropout.embedding;
  const dropsItself = m.training && !quantized && !c.embeddingNorm;
  const x = g.scope('embed', () =>
    quantized
      ? quantized.embedding(tokens.ids, table, { ...options, width: c.dModel })
      : embedding(g, tokens.ids, weight(m, table), {
          ...options,
          learned,
          ...(!c.trainPadding && { frozenId: c.padId }),
          ...(tokens.index && { index: tokens.index }),
          ...(dropsItself && { rate, site: m.nextSite() }),
        }),
  );
  const y = c.embeddingNorm ? norm(m, `${side}_embed_norm`, x) : x;
  return dropsItself ? y : drop(m, y, rate); // [B, T, D]
}

/** An encoder layer: self-attention, then feed-forward; [B, S, D] -> [B, S, D]. */
function encoderLayer(m: Transformer, layer: string, x: Value, self: Sublayer): Value {
  const attended = residual(m, `${layer}.norm1`, x, self);
  return residual(m, `${layer}.norm2`, attended, (y) => feedForward(m, layer, y));
}

/** A decoder layer: self-attention, cross-attention, then feed-forward; [B, T, D] -> [B, T, D]. */
export function decoderLayer(
  m: Transformer,
  layer: string,
  x: Value,
  self: Sublayer,
  cross: Sublayer,
): Value {
  const attended = residual(m, `${layer}.norm1`, x, self);
  const informed = residual(m, `${layer}.norm2`, attended, cross);
  return residual(m, `${layer}.norm3`, informed, (y) => feedForward(m, layer, y));
}

/** A sublayer of a residual connection: [B, T, D] -> [B, T, D]. */
export type Sublayer = (x: Value) => Value;

/**
 * A residual connection with layer norm: LN(x + f(x)) (post-norm, as in the paper) or x + f(LN(x))
 * (pre-norm).
 */
function residual(m: Transformer, normName: string, x: Value, f: Sublayer): Value {
  const rate = m.config.dropout.residual;
  if (m.config.norm === 'pre') return add(m.graph, x, drop(m, f(norm(m, normName, x)), rate));
  return norm(m, normName, add(m.graph, x, drop(m, f(x), rate)));
}

/**
 * Multi-head self-attention (section 3.2.2): [B, T, D] -> [B, T, D]. `attend` computes the heads: qkv [B, T,
 * 3HW] -> [B, T, HW].
 */
export function selfAttentionBlock(
  m: Transformer,
  layer: string,
  x: Value,
  attend: (qkv: Value) => Value,
): Value {
  return m.graph.scope({ sublayer: 'self_attn' }, () => {
    const qkv = affine(m, `${layer}.self_attn.in_proj_`, x); // [B, T, 3HW]
    return affine(m, `${layer}.self_attn.out_proj.`, attend(qkv)); // [B, T, D]
  });
}

/**
 * The heads of self-attention, causal in the decoder: qkv [B, T, 3HW] -> [B, T, HW]. `bias`: that of
 * `positionBias`.
 */
function selfAttentionHeads(m: Transformer, stack: Stack, qkv: Value, lengths: Value, bias?: Value): Value {
  const options = { ...attentionOptions(m, stack), causal: stack === 'decoder' };
  return selfAttention(m.graph, qkv, lengths, m.step, options, bias);
}

/**
 * The bias of the self-attention scores of all layers of a stack by distance [H, distances] (Raffel et al.,
 * 2020, T5); undefined if positions are not relative.
 */
export function positionBias(m: Transformer, stack: Stack): Value | undefined {
  const { positions, relativeMaxDistance: maxDistance } = m.config;
  if (positions !== 'relative') return undefined;
  const table = weight(m, `transformer.${stack}.relative_bias.weight`); // [buckets, H]
  return relativePositionBias(m.graph, table, { maxDistance, bidirectional: stack === 'encoder' });
}

/** Keys and values of the cross-attention of a decoder layer: memory [B, S, D] -> [B, S, 2HW]. */
export const crossKeysValues = (m: Transformer, layer: string, memory: Value): Value =>
  m.graph.scope({ sublayer: 'multihead_attn' }, () => affine(m, `${layer}.multihead_attn.kv_proj.`, memory));

/**
 * Multi-head cross-attention of a decoder layer: [B, T, D] -> [B, T, D]. `attend` computes the heads: q [B,
 * T, HW] -> [B, T, HW].
 */
export function crossAttentionBlock(
  m: Transformer,
  layer: string,
  x: Value,
  attend: (q: Value) => Value,
): Value {
  return m.graph.scope({ sublayer: 'multihead_attn' }, () => {
    const q = affine(m, `${layer}.multihead_attn.q_proj.`, x); // [B, T, HW]
    return affine(m, `${layer}.multihead_attn.out_proj.`, attend(q)); // [B, T, D]
  });
}

/** The position-wise feed-forward network (section 3.3): [B, T, D] -> [B, T, D]. */
function feedForward(m: Transformer, layer: string, x: Value): Value {
  const { feedForwardType, activation: kind } = m.config;
  const activate = feedForwardType === 'gated' ? gatedActivation : activation;
  const h = m.graph.scope({ sublayer: 'linear1' }, () =>
    activate(m.graph, affine(m, `${layer}.linear1.`, x), kind),
  ); // [B, T, F]
  return m.graph.scope({ sublayer: 'linear2' }, () =>
    affine(m, `${layer}.linear2.`, drop(m, h, m.config.dropout.feedForward)),
  ); // [B, T, D]
}

/** A linear layer, x · weightᵀ + bias if it has one, with its LoRA update: [.., in] -> [.., out]. */
function affine(m: Transformer, prefix: string, x: Value): Value {
  const name = `${prefix}weight`;
  const y = multiply(m, x, name, m.config.biases ? weight(m, `${prefix}bias`) : undefined);
  return m.lora ? m.lora.extend(name, x, y) : y;
}

/** x · Wᵀ + b with a matrix by name, quantized or not: [.., in] -> [.., out], or padded to whole vectors. */
function multiply(m: Transformer, x: Value, name: string, b?: Value, padded = false): Value {
  if (m.quantized) return m.quantized.linear(x, name, b, padded);
  return (padded ? paddedLinear : linear)(m.graph, x, weight(m, name), b);
}

function norm(m: Transformer, name: string, x: Value): Value {
  const label = name.split('.').pop() ?? name;
  const { normType, layerNormEps: eps } = m.config;
  const gamma = weight(m, `${name}.weight`); // [D]
  return m.graph.scope(label, () =>
    normType === 'rms'
      ? rmsNorm(m.graph, x, gamma, eps)
      : layerNorm(m.graph, x, gamma, weight(m, `${name}.bias`), eps),
  );
}

const drop = (m: Transformer, x: Value, rate: number): Value =>
  m.training && rate > 0 ? dropout(m.graph, x, m.step, { rate, site: m.nextSite() }) : x;

/**
 * Options of an attention op: heads, head width and scale of a stack, and in training the dropout of the
 * attention weights.
 */
export function attentionOptions(m: Transformer, stack: Stack) {
  const { heads, headWidth } = stackSizes(m.config, stack);
  const rate = m.config.dropout.attention;
  return {
    heads,
    headWidth,
    ...(!m.config.attentionScale && { scale: 1 }),
    ...(m.training && rate > 0 && { dropout: rate, site: m.nextSite() }),
  };
}

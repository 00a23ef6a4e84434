// The encoder-decoder transformer (Vaswani et al., 2017, "Attention Is All You Need"), as a graph. What is here reads as the
// paper does; which of these ops end up in one kernel is decided later, by src/graph/rewrites.ts.
// B batch, S source length, T target length, D dModel, H heads, W head width, F feed-forward width, V vocabulary.

import type { Graph } from '../graph/graph.ts';
import { crossAttention, selfAttention } from '../ops/attention/attention.ts';
import { activation } from '../ops/elementwise/activation.ts';
import { add } from '../ops/elementwise/add.ts';
import { dropout } from '../ops/elementwise/dropout.ts';
import { embedding } from '../ops/embedding/embedding.ts';
import { packedEmbedding } from '../ops/embedding/packed-embedding.ts';
import { linear } from '../ops/matmul/linear.ts';
import { packedLinear } from '../ops/matmul/packed-linear.ts';
import { layerNorm } from '../ops/norm/layer-norm.ts';
import type { Value } from '../ops/op.ts';
import { stepWords } from '../ops/step-scalars.ts';
import { type LoraConfig, type LoraLayers, openLora } from './lora.ts';
import { type ModelConfig, stackSizes } from './model-config.ts';
import type { ParameterList } from './parameter-layout.ts';
import { openQuantized, type QuantizedWeights } from './quantized-parameters.ts';

/** A model being built into a graph. */
export interface Transformer {
  readonly graph: Graph;
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  /** The bank of all weights: the state `weights`; of packed ones, what stays f32. */
  readonly weightBuffer: Value;
  /** Weights by name, parts of the bank. */
  readonly weights: ReadonlyMap<string, Value>;
  /** The scalars of a run: the input `step`. */
  readonly step: Value;
  /** Whether dropout is on. */
  readonly training: boolean;
  /** What stands beside the linear layers, where there is an adapter. */
  readonly lora?: LoraLayers;
  /** The matrices, where they are kept in fewer bits. */
  readonly quantized?: QuantizedWeights;
  /** Numbers the places of dropout. */
  nextSite(): number;
}

/** The places of the ids of a batch by token, for the gradient of an embedding; see fillTokenIndex in src/text. */
export interface TokenIndex {
  readonly rowStart: Value;
  readonly occurrences: Value;
}

/** Token ids i32 [B, S or T], their true lengths u32 [B], and for training where each token stands. */
export interface Tokens {
  readonly ids: Value;
  readonly lengths: Value;
  readonly index?: TokenIndex;
}

/** Opens a model in a graph, with a low-rank adapter where one is given. */
export function openTransformer(
  graph: Graph,
  config: ModelConfig,
  parameters: ParameterList,
  training: boolean,
  lora?: LoraConfig,
): Transformer {
  const { quantization } = parameters;
  const kept = quantization && openQuantized(graph, quantization);
  const weightBuffer = kept?.bank ?? graph.state('weights', 'f32', [parameters.size]);
  const parts = () => parameters.all.map((p) => [p.name, graph.part(weightBuffer, p.name, p.offset, p.shape)] as const);
  const weights = new Map(kept?.plain ?? parts());
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
    ...(kept && { quantized: kept.packed }),
    ...(lora && { lora: openLora(graph, config, lora, step, training ? nextSite : undefined) }),
  };
}

/** A weight by its name. */
export function weight(m: Transformer, name: string): Value {
  const value = m.weights.get(name);
  if (!value) throw new Error(`model: there is no weight ${name}`);
  return value;
}

/** The memory of a source: ids [B,S] -> [B,S,D]. */
export function encode(m: Transformer, source: Tokens): Value {
  return m.graph.scope('encoder', () => {
    let x = embed(m, 'src', source); // [B, S, D]
    for (let n = 0; n < m.config.encoderLayers; n++)
      x = m.graph.scope(`layers.${n}`, () => encoderLayer(m, `transformer.encoder.layers.${n}`, x, source.lengths));
    return m.config.finalNorm ? norm(m, 'transformer.encoder.norm', x) : x;
  });
}

/** The last hidden states of a target read behind a memory: ids [B,T], memory [B,S,D] -> [B,T,D]. */
export function decode(m: Transformer, target: Tokens, memory: Value, sourceLengths: Value): Value {
  return m.graph.scope('decoder', () => {
    let x = embed(m, 'tgt', target); // [B, T, D]
    for (let n = 0; n < m.config.decoderLayers; n++) {
      const name = `transformer.decoder.layers.${n}`;
      const self = (y: Value) => selfAttend(m, name, y, (qkv) => ownAttention(m, 'decoder', qkv, target.lengths));
      const cross = (y: Value) => {
        const kv = crossKeys(m, name, memory); // [B, S, 2HW]
        return crossAttend(m, name, y, (q) =>
          crossAttention(m.graph, q, kv, sourceLengths, m.step, heads(m, 'decoder')),
        );
      };
      x = m.graph.scope(`layers.${n}`, () => decoderLayer(m, name, x, self, cross));
    }
    return finishDecoder(m, x);
  });
}

/** The norm after the last decoder layer and the dropout before the output projection, where the model has them. */
export function finishDecoder(m: Transformer, x: Value): Value {
  const y = m.config.finalNorm ? norm(m, 'transformer.decoder.norm', x) : x;
  return drop(m, y, m.config.dropout.output);
}

/** Scores of all tokens: [B,T,D] -> [B,T,V]. */
export function project(m: Transformer, x: Value): Value {
  const { tie, outputBias } = m.config;
  const table = { none: 'generator.weight', target: 'tgt_embed.weight', all: 'src_embed.weight' }[tie];
  return m.graph.scope('generator', () => product(m, x, table, outputBias ? weight(m, 'generator.bias') : undefined));
}

/** Token vectors, scaled, plus positions: ids [B,T] -> [B,T,D]. `decoding`: the one token stands at step.position. */
export function embed(
  m: Transformer,
  side: 'src' | 'tgt',
  tokens: Pick<Tokens, 'ids' | 'index'>,
  decoding = false,
): Value {
  const { config: c, graph: g } = m;
  const learned = c.positions === 'learned';
  const positions = learned ? weight(m, `${side}_pos.weight`) : g.state('positions', 'f32', [c.maxLength, c.dModel]);
  const table = side === 'src' || c.tie === 'all' ? 'src_embed.weight' : 'tgt_embed.weight';
  const scale = c.scaleEmbedding ? Math.sqrt(c.dModel) : 1;
  const options = { scale, positions, offset: c.positionOffset, decode: decoding, step: m.step };
  if (m.quantized) {
    const kept = m.quantized.matrix(table);
    const x = g.scope('embed', () => packedEmbedding(g, tokens.ids, kept, { ...options, width: c.dModel }));
    return c.embeddingNorm ? norm(m, `${side}_embed_norm`, x) : x;
  }
  const x = g.scope('embed', () =>
    embedding(g, tokens.ids, weight(m, table), {
      ...options,
      learned,
      ...(tokens.index && { index: tokens.index }),
      ...(m.training && !c.embeddingNorm && { rate: c.dropout.embedding, site: m.nextSite() }),
    }),
  );
  return c.embeddingNorm ? drop(m, norm(m, `${side}_embed_norm`, x), c.dropout.embedding) : x;
}

/** One encoder layer, [B,S,D] -> [B,S,D]. */
function encoderLayer(m: Transformer, name: string, x: Value, lengths: Value): Value {
  const attended = residual(m, `${name}.norm1`, x, (y) =>
    selfAttend(m, name, y, (qkv) => ownAttention(m, 'encoder', qkv, lengths)),
  );
  return residual(m, `${name}.norm2`, attended, (y) => feedForward(m, name, y));
}

/** One decoder layer, [B,T,D] -> [B,T,D], around the two kinds of attention it is given. */
export function decoderLayer(m: Transformer, name: string, x: Value, self: SubLayer, cross: SubLayer): Value {
  const attended = residual(m, `${name}.norm1`, x, self);
  const informed = residual(m, `${name}.norm2`, attended, cross);
  return residual(m, `${name}.norm3`, informed, (y) => feedForward(m, name, y));
}

/** What stands between two residual connections. */
export type SubLayer = (x: Value) => Value;

/** Post-norm: LN(x + f(x)), as in the paper; pre-norm: x + f(LN(x)). Dropout acts on f's result. */
function residual(m: Transformer, normName: string, x: Value, f: SubLayer): Value {
  const rate = m.config.dropout.residual;
  if (m.config.norm === 'pre') return add(m.graph, x, drop(m, f(norm(m, normName, x)), rate));
  return norm(m, normName, add(m.graph, x, drop(m, f(x), rate)));
}

/** Multi-head attention of a layer to its own sequence; `attend` makes of queries, keys and values [B,T,3HW] what the heads found, [B,T,HW]. */
export function selfAttend(m: Transformer, layer: string, x: Value, attend: (qkv: Value) => Value): Value {
  return m.graph.scope('self_attn', () => {
    const qkv = affine(m, `${layer}.self_attn.in_proj_`, x); // [B, T, 3HW]
    return affine(m, `${layer}.self_attn.out_proj.`, attend(qkv)); // [B, T, D]
  });
}

/** What its heads find in a sequence; in the decoder each position sees none after it: qkv [B,T,3HW] -> [B,T,HW]. */
export function ownAttention(m: Transformer, stack: 'encoder' | 'decoder', qkv: Value, lengths: Value): Value {
  return selfAttention(m.graph, qkv, lengths, m.step, { ...heads(m, stack), causal: stack === 'decoder' });
}

/** Keys and values of a decoder layer's cross-attention: memory [B,S,D] -> [B,S,2HW]. */
export function crossKeys(m: Transformer, layer: string, memory: Value): Value {
  return m.graph.scope('multihead_attn', () => affine(m, `${layer}.multihead_attn.kv_proj.`, memory));
}

/** Multi-head attention of a decoder layer to the source; `attend` makes of the queries [B,T,HW] what the heads found there, [B,T,HW]. */
export function crossAttend(m: Transformer, layer: string, x: Value, attend: (q: Value) => Value): Value {
  return m.graph.scope('multihead_attn', () => {
    const q = affine(m, `${layer}.multihead_attn.q_proj.`, x); // [B, T, HW]
    return affine(m, `${layer}.multihead_attn.out_proj.`, attend(q)); // [B, T, D]
  });
}

/** Position-wise feed-forward block, D -> F -> D. */
function feedForward(m: Transformer, name: string, x: Value): Value {
  const h = m.graph.scope('linear1', () => activation(m.graph, affine(m, `${name}.linear1.`, x), m.config.activation));
  return m.graph.scope('linear2', () => affine(m, `${name}.linear2.`, drop(m, h, m.config.dropout.feedForward))); // [B, T, D]
}

/** x · weightᵀ + bias, of the weights whose names start so, and what an adapter adds. */
function affine(m: Transformer, prefix: string, x: Value): Value {
  const name = `${prefix}weight`;
  const y = product(m, x, name, weight(m, `${prefix}bias`));
  return m.lora ? m.lora.extend(name, x, y) : y;
}

/** x · wᵀ + b with the matrix of a name, however it is kept. */
function product(m: Transformer, x: Value, name: string, b?: Value): Value {
  return m.quantized ? packedLinear(m.graph, x, m.quantized.matrix(name), b) : linear(m.graph, x, weight(m, name), b);
}

function norm(m: Transformer, name: string, x: Value): Value {
  const label = name.split('.').pop() ?? name;
  const [gamma, beta] = [weight(m, `${name}.weight`), weight(m, `${name}.bias`)];
  return m.graph.scope(label, () => layerNorm(m.graph, x, gamma, beta, m.config.layerNormEps));
}

function drop(m: Transformer, x: Value, rate: number): Value {
  return m.training && rate > 0 ? dropout(m.graph, x, m.step, { rate, site: m.nextSite() }) : x;
}

/** Heads of a stack, their width, and the dropout of a new attention. */
export function heads(m: Transformer, stack: 'encoder' | 'decoder') {
  const { heads, headWidth } = stackSizes(m.config, stack);
  const rate = m.config.dropout.attention;
  return {
    heads,
    headWidth,
    ...(m.training && rate > 0 && { dropout: rate, site: m.nextSite() }),
  };
}

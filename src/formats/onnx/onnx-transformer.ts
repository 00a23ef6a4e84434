// The encoder and the decoder of a model as ONNX graphs with the inputs and outputs that transformers.js expects: without
// dropout, and with a KV cache in the decoder. The functions mirror src/model/transformer.ts.
//
// B batch, S source length, T new target tokens, P cached target tokens, D model width, H heads, W head width.

import { toFloat16 } from '../../core/float16.ts';
import { type Shape, sizeOf, transposed } from '../../core/tensor.ts';
import { type ModelConfig, type Stack, sharesEmbeddings, stackSizes } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { fixedPositions, parameterList } from '../../model/parameters.ts';
import { bucketOf, relativeBuckets } from '../../ops/attention/relative-position-bias.ts';
import { int8Rows } from '../../ops/matmul/packed-weights.ts';
import type { OnnxDtype } from '../shared/saved-model.ts';
import { createOnnxGraph, type Name, type OnnxGraph, type OnnxType } from './onnx-graph.ts';

/** A model to export. */
interface OnnxSource {
  readonly config: ModelConfig;
  /** The parameter buffer, in the layout of `parameterList(config)`. */
  readonly weights: Float32Array;
  readonly dtype: OnnxDtype;
  /** Position of the decoder from which on it gives only the end token. */
  readonly endPosition: number;
  /** Source id of each id of the exported tokenizer, if they differ. */
  readonly sourceIds?: readonly number[];
}

/** A graph under construction, and its model. */
interface Builder extends OnnxSource {
  readonly graph: OnnxGraph;
  readonly parameters: ParameterList;
  /** Names of the constants that the graph has. */
  readonly stored: Set<string>;
}

/** Added to the attention scores of masked keys before the softmax. */
const masked = -1e9;

const openBuilder = (title: string, source: OnnxSource): Builder => ({
  ...source,
  graph: createOnnxGraph(title),
  parameters: parameterList(source.config),
  stored: new Set(),
});

/** The encoder: input_ids and attention_mask [B, S] -> last_hidden_state [B, S, D]. */
export function onnxEncoder(source: OnnxSource): OnnxGraph {
  const b = openBuilder('encoder', source);
  const { graph: g, config: c } = b;
  const axes = ['batch_size', 'encoder_sequence_length'];
  const given = g.input('input_ids', 'int64', axes);
  const mask = paddingMask(b, g.input('attention_mask', 'int64', axes));
  const ids = source.sourceIds ? g.op('Gather', [idTable(g, source.sourceIds), given]) : given;
  const length = axisSize(b, ids, 1);
  const selfMask = withPositionBias(b, 'encoder', mask, g.integers(0), length);
  let x = embed(b, 'src', ids, g.integers(0)); // [B, S, D]
  for (let n = 0; n < c.encoderLayers; n++) {
    const layer = `transformer.encoder.layers.${n}`;
    const self = (y: Name) => {
      const [q = '', k = '', v = ''] = selfHeads(b, layer, 'encoder', y);
      return project(b, `${layer}.self_attn.out_proj.`, attention(b, 'encoder', q, k, v, selfMask));
    };
    x = residual(b, `${layer}.norm1`, x, self);
    x = residual(b, `${layer}.norm2`, x, (y) => feedForward(b, layer, y));
  }
  const out = c.finalNorm ? norm(b, 'transformer.encoder.norm', x) : x;
  g.output('last_hidden_state', 'float', [...axes, c.dModel], out);
  return g;
}

/**
 * The decoder with its KV cache: input_ids [B, T], encoder_hidden_states [B, S, D], encoder_attention_mask [B, S] and
 * past_key_values [B, H, P, W] -> logits [B, T, V] and present [B, H, P + T, W]. At the first step the cache is empty.
 */
export function onnxDecoder(source: OnnxSource): OnnxGraph {
  const b = openBuilder('decoder', source);
  const { graph: g, config: c } = b;
  const { heads, headWidth } = stackSizes(c, 'decoder');
  const sourceAxes = ['batch_size', 'encoder_sequence_length'];
  const ids = g.input('input_ids', 'int64', ['batch_size', 'decoder_sequence_length']);
  const memory = g.input('encoder_hidden_states', 'float', [...sourceAxes, c.dModel]);
  const memoryMask = paddingMask(b, g.input('encoder_attention_mask', 'int64', sourceAxes));
  const cacheName = (kind: string, n: number, side: Stack, part: string) => `${kind}.${n}.${side}.${part}`;
  const cacheShape = (axis: string) => ['batch_size', heads, axis, headWidth];
  const past = (n: number, side: Stack) =>
    ['key', 'value'].map((part) =>
      g.input(
        cacheName('past_key_values', n, side, part),
        'float',
        cacheShape(side === 'decoder' ? 'past_decoder_sequence_length' : 'past_encoder_sequence_length'),
      ),
    );
  const layers = Array.from({ length: c.decoderLayers }, (_, n) => ({
    name: `transformer.decoder.layers.${n}`,
    self: past(n, 'decoder'),
    cross: past(n, 'encoder'),
  }));
  const position = axisSize(b, layers[0]?.self[0] ?? '', 2); // [1]: P
  const added = axisSize(b, ids, 1); // [1]: T
  const selfMask = withPositionBias(b, 'decoder', causalMask(b, position, added), position, added);
  const cached = axisSize(b, layers[0]?.cross[0] ?? '', 2); // [1]: S, or 0 at the first step
  // The rows of the memory without cached keys and values: all at the first step, none later.
  const end = g.integers(2 ** 31 - 1);
  const rest = g.op('Slice', [memory, cached, end, g.integers(1)]);
  const present = (n: number, side: Stack, values: readonly Name[]) => {
    const axis = side === 'decoder' ? 'decoder_sequence_length + past' : 'encoder_sequence_length';
    for (const [i, part] of ['key', 'value'].entries())
      g.output(cacheName('present', n, side, part), 'float', cacheShape(axis), values[i] ?? '');
  };
  const append = (old: readonly Name[], fresh: readonly Name[]) =>
    old.map((name, i) => g.op('Concat', [name, fresh[i] ?? ''], { axis: 2 }));

  let x = embed(b, 'tgt', ids, position); // [B, T, D]
  for (const [n, { name: layer, ...old }] of layers.entries()) {
    const self = (y: Name) => {
      const [q = '', ...fresh] = selfHeads(b, layer, 'decoder', y);
      const [k = '', v = ''] = append(old.self, fresh);
      present(n, 'decoder', [k, v]);
      return project(b, `${layer}.self_attn.out_proj.`, attention(b, 'decoder', q, k, v, selfMask));
    };
    const cross = (y: Name) => {
      const q = splitHeads(b, 'decoder', project(b, `${layer}.multihead_attn.q_proj.`, y));
      const kv = g.ops('Split', [project(b, `${layer}.multihead_attn.kv_proj.`, rest)], 2, { axis: 2 });
      const fresh = kv.map((part) => splitHeads(b, 'decoder', part));
      const [k = '', v = ''] = append(old.cross, fresh);
      present(n, 'encoder', [k, v]);
      return project(b, `${layer}.multihead_attn.out_proj.`, attention(b, 'decoder', q, k, v, memoryMask));
    };
    x = residual(b, `${layer}.norm1`, x, self);
    x = residual(b, `${layer}.norm2`, x, cross);
    x = residual(b, `${layer}.norm3`, x, (y) => feedForward(b, layer, y));
  }
  const last = c.finalNorm ? norm(b, 'transformer.decoder.norm', x) : x;
  const scaled = c.scaleOutput ? g.op('Mul', [last, g.scalar(1 / Math.sqrt(c.dModel))]) : last;
  const own = c.tie === 'none' || c.tie === 'embeddings';
  const table = own
    ? matrix(b, 'generator.weight')
    : transposedTable(b, c.tie === 'all' ? 'src_embed.weight' : 'tgt_embed.weight');
  const logits = forceEnd(b, multiply(b, scaled, table, 'generator.bias'), ids, position, added);
  g.output('logits', 'float', ['batch_size', 'decoder_sequence_length', c.tgtVocab], logits);
  return g;
}

/** Token embeddings times sqrt(D), plus positions; the first is `past` [1]: ids [B, T] -> [B, T, D]. */
function embed(b: Builder, side: 'src' | 'tgt', ids: Name, past: Name): Name {
  const { graph: g, config: c } = b;
  const tokens = lookUp(b, side === 'src' || sharesEmbeddings(c) ? 'src_embed.weight' : 'tgt_embed.weight', ids);
  const scaled = c.scaleEmbedding ? g.op('Mul', [tokens, g.scalar(Math.sqrt(c.dModel))]) : tokens;
  const positions = positionRows(b, side, ids, past);
  const x = positions ? g.op('Add', [scaled, positions]) : scaled;
  return c.embeddingNorm ? norm(b, `${side}_embed_norm`, x) : x;
}

/** The position embeddings of `ids`, [T, D] or [B, T, D]; undefined if the model has none. */
function positionRows(b: Builder, side: 'src' | 'tgt', ids: Name, past: Name): Name | undefined {
  const { graph: g, config: c } = b;
  const learned = c.positions === 'learned';
  const fixed = fixedPositions(c);
  const table = learned
    ? vector(b, `${side}_pos.weight`)
    : fixed && floats(b, 'positions', [fixed.length / c.dModel, c.dModel], fixed);
  if (table === undefined) return undefined;
  const offset = learned ? c.positionOffset : c.positions === 'fairseq-sinusoidal' ? c.padId : 0;
  let places = positionsFrom(b, past, axisSize(b, ids, 1)); // [T]
  let last = c.maxLength - 1;
  if (c.positions === 'fairseq-sinusoidal') {
    // The k-th token of a row that is not padding has the position k, from 1; padding has 0.
    const visible = g.op('Cast', [g.op('Not', [g.op('Equal', [ids, g.integers(c.padId)])])], { to: 7 });
    const counted = g.op('Add', [g.op('CumSum', [visible, g.integers(1)]), past]);
    places = g.op('Mul', [counted, visible]); // [B, T]
    last = c.maxLength;
  }
  return g.op('Gather', [table, g.op('Add', [g.op('Min', [places, g.integers(last)]), g.integers(offset)])]);
}

/** A mask plus the relative position bias of a stack, [.., H, T, P + T]; only the mask if the model has none. */
function withPositionBias(b: Builder, stack: Stack, mask: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  if (c.positions !== 'relative') return mask;
  const bidirectional = stack === 'encoder';
  const { values, shape } = parameter(b, `transformer.${stack}.relative_bias.weight`); // [buckets, H]
  const [buckets = 0, heads = 0] = shape;
  const far = c.relativeMaxDistance;
  const rule = relativeBuckets(buckets, { maxDistance: far, bidirectional });
  const rows = new Float32Array((2 * far + 1) * heads); // by distance from -far to far
  for (let d = -far; d <= far; d++)
    rows.set(values.subarray(bucketOf(rule, d) * heads, (bucketOf(rule, d) + 1) * heads), (d + far) * heads);
  const table = floats(b, 'relative_bias', [2 * far + 1, heads], rows);
  const keys = g.op('Unsqueeze', [positionsFrom(b, g.integers(0), g.op('Add', [past, added])), g.integers(0)]);
  const queries = g.op('Unsqueeze', [positionsFrom(b, past, added), g.integers(1)]);
  const distance = g.op('Max', [g.op('Min', [g.op('Sub', [keys, queries]), g.integers(far)]), g.integers(-far)]);
  const bias = g.op('Gather', [table, g.op('Add', [distance, g.integers(far)])]); // [T, P + T, H]
  return g.op('Add', [mask, g.op('Transpose', [bias], { perm: [2, 0, 1] })]);
}

/** A residual connection: LN(x + f(x)) (post-norm) or x + f(LN(x)) (pre-norm). */
function residual(b: Builder, normName: string, x: Name, f: (x: Name) => Name): Name {
  if (b.config.norm === 'pre') return b.graph.op('Add', [x, f(norm(b, normName, x))]);
  return norm(b, normName, b.graph.op('Add', [x, f(x)]));
}

/** Queries, keys and values of self-attention: [B, T, D] -> three of [B, H, T, W]. */
function selfHeads(b: Builder, layer: string, stack: Stack, x: Name): Name[] {
  const qkv = b.graph.ops('Split', [project(b, `${layer}.self_attn.in_proj_`, x)], 3, { axis: 2 });
  return qkv.map((part) => splitHeads(b, stack, part));
}

/** [B, T, HW] -> [B, H, T, W]. T may be 0. */
function splitHeads(b: Builder, stack: Stack, x: Name): Name {
  const { graph: g } = b;
  const { heads, headWidth } = stackSizes(b.config, stack);
  const sizes = g.op('Slice', [g.op('Shape', [x]), g.integers(0), g.integers(2)]); // [2]: B, T
  const shape = g.op('Concat', [sizes, g.integers(heads, headWidth)], { axis: 0 });
  return g.op('Transpose', [g.op('Reshape', [x, shape], { allowzero: 1 })], { perm: [0, 2, 1, 3] });
}

/** Attention of all heads: q [B, H, T, W], k and v [B, H, K, W], `mask` added to the scores -> [B, T, HW]. */
function attention(b: Builder, stack: Stack, q: Name, k: Name, v: Name, mask: Name): Name {
  const { graph: g } = b;
  const { heads, headWidth } = stackSizes(b.config, stack);
  const scaled = b.config.attentionScale ? g.op('Mul', [q, g.scalar(1 / Math.sqrt(headWidth))]) : q;
  const scores = g.op('MatMul', [scaled, g.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const weights = g.op('Softmax', [g.op('Add', [scores, mask])], { axis: 3 });
  const perHead = g.op('Transpose', [g.op('MatMul', [weights, v])], { perm: [0, 2, 1, 3] }); // [B, T, H, W]
  return g.op('Reshape', [perHead, g.integers(0, 0, heads * headWidth)]);
}

/** From attention_mask [B, S]: 0 for its keys, `masked` for padding: [B, 1, 1, S]. */
function paddingMask({ graph: g }: Builder, mask: Name): Name {
  const padding = g.op('Sub', [g.scalar(1), g.op('Cast', [mask], { to: 1 })]);
  return g.op('Unsqueeze', [g.op('Mul', [padding, g.scalar(masked)]), g.integers(1, 2)]);
}

/** The positions of `added` [1] tokens after `past` [1] tokens: [T]. */
function positionsFrom({ graph: g }: Builder, past: Name, added: Name): Name {
  const number = (name: Name) => g.op('Squeeze', [name, g.integers(0)]);
  return g.op('Range', [number(past), number(g.op('Add', [past, added])), number(g.integers(1))]);
}

/** 0 for keys up to the query, `masked` for later keys: [1, 1, T, P + T]. `past` and `added` [1] are P and T. */
function causalMask(b: Builder, past: Name, added: Name): Name {
  const { graph: g } = b;
  const all = positionsFrom(b, g.integers(0), g.op('Add', [past, added]));
  const keys = g.op('Unsqueeze', [all, g.integers(0, 1, 2)]);
  const queries = g.op('Unsqueeze', [positionsFrom(b, past, added), g.integers(0, 1, 3)]);
  return g.op('Where', [g.op('Greater', [keys, queries]), g.scalar(masked), g.scalar(0)]);
}

/**
 * Makes the end token the most probable one after an end token, and from `endPosition` on, if tokens are decoded one by
 * one: logits [B, T, V]. transformers.js generates up to 256 tokens by default, and continues finished rows until all
 * rows of the batch are finished.
 */
function forceEnd(b: Builder, logits: Name, ids: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  const places = positionsFrom(b, past, added); // [T]
  const isEnd = g.op('Equal', [ids, g.integers(c.endId)]); // [B, T]
  const ended = g.op('And', [isEnd, g.op('Greater', [places, g.integers(0)])]); // BART starts with the end token
  const over = g.op('Or', [ended, g.op('Greater', [places, g.integers(b.endPosition - 1)])]);
  const forced = g.op('And', [over, g.op('Equal', [added, g.integers(1)])]);
  const end = Float32Array.from({ length: c.tgtVocab }, (_, id) => (id === c.endId ? -masked : 0));
  const bias = [g.op('Unsqueeze', [forced, g.integers(-1)]), floats(b, 'end_token', [c.tgtVocab], end), g.scalar(0)];
  return g.op('Add', [logits, g.op('Where', bias)]);
}

/** The feed-forward network: [B, T, D] -> [B, T, D]. */
function feedForward(b: Builder, layer: string, x: Name): Name {
  const h = project(b, `${layer}.linear1.`, x); // [B, T, F], or [B, T, 2F] if it is gated
  if (b.config.feedForwardType === 'plain') return project(b, `${layer}.linear2.`, activation(b, h));
  const [a = '', gate = ''] = b.graph.ops('Split', [h], 2, { axis: 2 });
  return project(b, `${layer}.linear2.`, b.graph.op('Mul', [activation(b, a), gate]));
}

function activation({ graph: g, config }: Builder, x: Name): Name {
  const half = (y: Name) => g.op('Mul', [g.op('Mul', [x, g.scalar(0.5)]), g.op('Add', [y, g.scalar(1)])]); // x/2 · (1 + y)
  switch (config.activation) {
    case 'relu':
      return g.op('Relu', [x]);
    case 'silu':
      return g.op('Mul', [x, g.op('Sigmoid', [x])]);
    case 'gelu':
      return half(g.op('Erf', [g.op('Mul', [x, g.scalar(Math.SQRT1_2)])]));
    case 'gelu-tanh': {
      const cube = g.op('Mul', [g.op('Mul', [x, x]), g.op('Mul', [x, g.scalar(0.044715)])]);
      return half(g.op('Tanh', [g.op('Mul', [g.op('Add', [x, cube]), g.scalar(Math.sqrt(2 / Math.PI))])]));
    }
  }
}

/** LayerNorm or RMSNorm over the last axis. */
function norm(b: Builder, name: string, x: Name): Name {
  const { graph: g, config: c } = b;
  const gamma = vector(b, `${name}.weight`);
  if (c.normType === 'layer') {
    const attributes = { axis: -1, epsilon: { float: c.layerNormEps } };
    return g.op('LayerNormalization', [x, gamma, vector(b, `${name}.bias`)], attributes);
  }
  const square = g.op('ReduceMean', [g.op('Mul', [x, x])], { axes: [-1], keepdims: 1 });
  const root = g.op('Sqrt', [g.op('Add', [square, g.scalar(c.layerNormEps)])]);
  return g.op('Mul', [g.op('Div', [x, root]), gamma]);
}

/** A linear layer, x · weightᵀ + bias if the model has one: [.., in] -> [.., out]. */
const project = (b: Builder, prefix: string, x: Name): Name =>
  multiply(b, x, matrix(b, `${prefix}weight`), `${prefix}bias`);

/** x · w, plus the parameter `bias` if the model has it. */
function multiply(b: Builder, x: Name, w: Name, bias: string): Name {
  const product = b.graph.op('MatMul', [x, w]);
  return b.parameters.byName.has(bias) ? b.graph.op('Add', [product, vector(b, bias)]) : product;
}

/** The size of an axis as a tensor [1]. */
const axisSize = ({ graph: g }: Builder, x: Name, axis: number): Name =>
  g.op('Slice', [g.op('Shape', [x]), g.integers(axis), g.integers(axis + 1)]);

/** The values and the shape of a parameter. */
function parameter(b: Builder, name: string): { values: Float32Array; shape: Shape } {
  const p = b.parameters.byName.get(name);
  if (!p) throw new Error(`onnx: there is no parameter ${name}`);
  return { values: b.weights.subarray(p.offset, p.offset + sizeOf(p.shape)), shape: p.shape };
}

/** A constant, which is added to the graph once. `data` is called only then. */
function constant(b: Builder, name: string, type: OnnxType, shape: Shape, data: () => ArrayBufferView): Name {
  if (b.stored.has(name)) return name;
  b.stored.add(name);
  return b.graph.constant(name, type, shape, bytesOf(data()));
}

/** A float32 constant. */
const floats = (b: Builder, name: string, shape: Shape, values: Float32Array): Name =>
  constant(b, name, 'float', shape, () => values);

/** A parameter in float32: norms, biases, positions. */
function vector(b: Builder, name: string): Name {
  const { values, shape } = parameter(b, name);
  return floats(b, name, shape, values);
}

/** The weight of a linear layer, stored as [in, out] since ONNX has no product with a transposed matrix. */
function matrix(b: Builder, name: string): Name {
  const { values, shape } = parameter(b, name);
  const [out = 0, inner = 0] = shape;
  if (b.dtype !== 'q8') return floatMatrix(b, `${name}.T`, [inner, out], transposed(values, out, inner));
  const { rows, scales } = int8Rows(values, inner);
  const inputs = int8Matrix(b, `${name}.T`, [inner, out], () => ({ rows: transposed(rows, out, inner), scales }));
  return b.graph.op('DequantizeLinear', inputs, { axis: 1 });
}

/** The embedding table [V, D] as the matrix [D, V] of the output projection. It is stored once. */
function transposedTable(b: Builder, name: string): Name {
  const { values, shape } = parameter(b, name);
  const transpose = (rows: Name) => b.graph.op('Transpose', [rows], { perm: [1, 0] });
  if (b.dtype !== 'q8') return transpose(floatMatrix(b, name, shape, values));
  const [rows = '', scales = ''] = int8Matrix(b, name, shape, () => int8Rows(values, shape[1] ?? 0));
  return b.graph.op('DequantizeLinear', [transpose(rows), scales], { axis: 1 });
}

/** Rows of an embedding table: ids [B, T] -> [B, T, D]. */
function lookUp(b: Builder, name: string, ids: Name): Name {
  const { graph: g } = b;
  const { values, shape } = parameter(b, name);
  if (b.dtype !== 'q8') return g.op('Gather', [floatMatrix(b, name, shape, values), ids]);
  const [rows = '', scales = ''] = int8Matrix(b, name, shape, () => int8Rows(values, shape[1] ?? 0));
  const found = g.op('Cast', [g.op('Gather', [rows, ids])], { to: 1 });
  return g.op('Mul', [found, g.op('Unsqueeze', [g.op('Gather', [scales, ids]), g.integers(-1)])]);
}

/** A matrix in float32 or float16; the runtime converts float16 to float32 when it loads the model. */
function floatMatrix(b: Builder, name: string, shape: Shape, values: Float32Array): Name {
  if (b.dtype === 'fp32') return floats(b, name, shape, values);
  return b.graph.op('Cast', [constant(b, name, 'float16', shape, () => toFloat16(values))], { to: 1 });
}

/** A matrix in int8 and its scales, one per row of `quantized`. */
function int8Matrix(b: Builder, name: string, shape: Shape, quantized: () => ReturnType<typeof int8Rows>): Name[] {
  if (!b.stored.has(name)) {
    const { rows, scales } = quantized();
    constant(b, name, 'int8', shape, () => rows);
    floats(b, `${name}.scale`, [scales.length], scales);
  }
  return [name, `${name}.scale`];
}

/** Constant ids [n] in int64. */
const idTable = (g: OnnxGraph, ids: readonly number[]): Name =>
  g.constant('source_ids', 'int64', [ids.length], bytesOf(BigInt64Array.from(ids, BigInt)));

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

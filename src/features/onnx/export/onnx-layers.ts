// The layers of a transformer as ONNX operators: embeddings, attention and its masks, norms, linear layers.
// They mirror src/model/transformer.ts and scope.ts, and src/features/onnx/engine/onnx-activations.ts those of
// src/engine/ops/elementwise/; tests/features/pytorch/twins.test.ts checks that no field of a model is forgotten.

import { bucketOf, relativeBuckets } from '../../../engine/ops/attention/relative-position-bias.ts';
import { fairseqFrequencies } from '../../../engine/ops/embedding/sinusoids.ts';
import { type Stack, sharesEmbeddings, stackSizes } from '../../../model/model-config.ts';
import { fixedPositions, positionKind } from '../../../model/positions.ts';
import { onnxActivation } from '../engine/onnx-activations.ts';
import type { Name } from '../engine/onnx-graph.ts';
import { axisSize, type Builder, floats, lookUp, parameter, product, vector } from './onnx-builder.ts';

/**
 * Token embeddings, scaled if the model does so, plus positions from `past` [1] on: ids [B, T] -> [B, T, D].
 */
export function embed(b: Builder, side: 'src' | 'tgt', ids: Name, past: Name): Name {
  const { graph: g, config: c } = b;
  const tokens = lookUp(
    b,
    side === 'src' || sharesEmbeddings(c) ? 'src_embed.weight' : 'tgt_embed.weight',
    ids,
  );
  const scaled = c.scaleEmbedding ? g.op('Mul', [tokens, g.scalar(Math.sqrt(c.dModel))]) : tokens;
  const positions = positionRows(b, side, ids, past);
  const x = positions ? g.op('Add', [scaled, positions]) : scaled;
  return c.embeddingNorm ? norm(b, `${side}_embed_norm`, x) : x;
}

/** The stem of Whisper with its positions: features [B, mels, T] -> [B, S, D]. */
export function speechStem(b: Builder, frames: Name): Name {
  const { graph: g } = b;
  const convolve = (name: string, x: Name, stride: number) => {
    const inputs = [x, vector(b, `${name}.weight`), vector(b, `${name}.bias`)];
    const shape = { kernel_shape: [3], pads: [1, 1], strides: [stride] };
    return onnxActivation(g, 'gelu', g.op('Conv', inputs, shape));
  };
  const y = convolve('stem.conv2', convolve('stem.conv1', frames, 1), 2); // [B, D, S]
  const x = g.op('Transpose', [y], { perm: [0, 2, 1] });
  const positions = tableRows(b, vector(b, 'src_pos.weight'), g.integers(0), axisSize(b, x, 1));
  return g.op('Add', [x, positions]);
}

/** The position embeddings of `ids`, [T, D] or [B, T, D]; undefined if the model has none. */
function positionRows(b: Builder, side: 'src' | 'tgt', ids: Name, past: Name): Name | undefined {
  const { graph: g, config: c } = b;
  const { isLearned, skipsPadding } = positionKind(c);
  const fixed = fixedPositions(c);
  const table = isLearned
    ? vector(b, `${side}_pos.weight`)
    : fixed && floats(b, 'positions', [fixed.length / c.dModel, c.dModel], fixed);
  if (table === undefined) return undefined;
  if (skipsPadding) return fairseqRows(b, table, ids, past);
  // After the last position the logits of a text allow only the end token (`forceEnd`), so any row will do.
  const place = c.source === 'frames' ? past : g.op('Min', [past, g.integers(c.maxLength - 1)]);
  const first = isLearned ? g.op('Add', [place, g.integers(c.positionOffset)]) : place;
  return tableRows(b, table, first, axisSize(b, ids, 1));
}

/**
 * `count` [1] rows of a table of positions from `first` [1] on: [T, D]. As in transformers, a text longer than the
 * table is an error when the model runs: the slice is shorter than the text, so the sum of both fails. (Gather would
 * not check its indices on WebGPU.)
 */
const tableRows = ({ graph: g }: Builder, table: Name, first: Name, count: Name): Name =>
  g.op('Slice', [table, first, g.op('Add', [first, count]), g.integers(0)]);

/**
 * The positions of fairseq, [B, T, D]: the k-th token of a row that is not padding has the position k, from 1;
 * padding has 0. As in transformers, positions have no limit: those after the table are computed.
 */
function fairseqRows(b: Builder, table: Name, ids: Name, past: Name): Name {
  const { graph: g, config: c } = b;
  const half = Math.floor(c.dModel / 2);
  const visible = g.op('Cast', [g.op('Not', [g.op('Equal', [ids, g.integers(c.padId)])])], { to: 7 });
  const counted = g.op('Add', [g.op('CumSum', [visible, g.integers(1)]), past]);
  const places = g.op('Mul', [counted, visible]); // [B, T]
  const rowsFrom = (at: Name) => g.op('Add', [at, g.integers(c.padId)]);
  const last = g.integers(c.maxLength);
  const listed = g.op('Gather', [table, rowsFrom(g.op('Min', [places, last]))]);

  const frequencies = floats(b, 'position_frequencies', [half], fairseqFrequencies(c.dModel));
  const rows = g.op('Cast', [g.op('Unsqueeze', [rowsFrom(places), g.integers(-1)])], { to: 1 });
  const angles = g.op('Mul', [rows, frequencies]); // [B, T, D/2]
  const parts = [g.op('Sin', [angles]), g.op('Cos', [angles])];
  const odd = c.dModel % 2 === 1 ? [g.op('Mul', [rows, g.scalar(0)])] : [];
  const computed = g.op('Concat', [...parts, ...odd], { axis: -1 });
  const isPast = g.op('Unsqueeze', [g.op('Greater', [places, last]), g.integers(-1)]);
  return g.op('Where', [isPast, computed, listed]);
}

/** The positions of `added` [1] tokens after `past` [1] tokens: [T]. */
export function positionsFrom({ graph: g }: Builder, past: Name, added: Name): Name {
  const number = (name: Name) => g.op('Squeeze', [name, g.integers(0)]);
  return g.op('Range', [number(past), number(g.op('Add', [past, added])), number(g.integers(1))]);
}

/** Added to the attention scores of masked keys before the softmax. */
const masked = -1e9;

/** Queries, keys and values of self-attention: [B, T, D] -> three of [B, H, T, W]. */
export function selfHeads(b: Builder, layer: string, stack: Stack, x: Name): Name[] {
  const qkv = b.graph.ops('Split', [project(b, `${layer}.self_attn.in_proj_`, x)], 3, { axis: 2 });
  return qkv.map((part) => splitHeads(b, stack, part));
}

/** [B, T, HW] -> [B, H, T, W]. T may be 0. */
export function splitHeads(b: Builder, stack: Stack, x: Name): Name {
  const { graph: g } = b;
  const { heads, headWidth } = stackSizes(b.config, stack);
  const sizes = g.op('Slice', [g.op('Shape', [x]), g.integers(0), g.integers(2)]); // [2]: B, T
  const shape = g.op('Concat', [sizes, g.integers(heads, headWidth)], { axis: 0 });
  return g.op('Transpose', [g.op('Reshape', [x, shape], { allowzero: 1 })], { perm: [0, 2, 1, 3] });
}

/** Attention of all heads: q [B, H, T, W], k and v [B, H, K, W], `mask` added to the scores -> [B, T, HW]. */
export function attention(b: Builder, stack: Stack, q: Name, k: Name, v: Name, mask: Name): Name {
  const { graph: g } = b;
  const { heads, headWidth } = stackSizes(b.config, stack);
  const scaled = b.config.attentionScale ? g.op('Mul', [q, g.scalar(1 / Math.sqrt(headWidth))]) : q;
  const scores = g.op('MatMul', [scaled, g.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const weights = g.op('Softmax', [g.op('Add', [scores, mask])], { axis: 3 });
  const perHead = g.op('Transpose', [g.op('MatMul', [weights, v])], { perm: [0, 2, 1, 3] }); // [B, T, H, W]
  return g.op('Reshape', [perHead, g.integers(0, 0, heads * headWidth)]);
}

/** Additive mask [B, 1, 1, S] from attention_mask [B, S]: 0 for tokens, `masked` for padding. */
export function paddingMask({ graph: g }: Builder, mask: Name): Name {
  const padding = g.op('Sub', [g.scalar(1), g.op('Cast', [mask], { to: 1 })]);
  return g.op('Unsqueeze', [g.op('Mul', [padding, g.scalar(masked)]), g.integers(1, 2)]);
}

/** Additive mask [B, 1, 1, K] from `hidden` [B, 1, K, 1], which is 1 for hidden keys, else 0. */
export const maskOf = ({ graph: g }: Builder, hidden: Name): Name =>
  g.op('Mul', [g.op('Transpose', [hidden], { perm: [0, 1, 3, 2] }), g.scalar(masked)]);

/**
 * Additive causal mask [1, 1, T, P + T]: `masked` for keys after the query, else 0. `past` and `added` [1]
 * are P and T.
 */
export function causalMask(b: Builder, past: Name, added: Name): Name {
  const { graph: g } = b;
  const all = positionsFrom(b, g.integers(0), g.op('Add', [past, added]));
  const keys = g.op('Unsqueeze', [all, g.integers(0, 1, 2)]);
  const queries = g.op('Unsqueeze', [positionsFrom(b, past, added), g.integers(0, 1, 3)]);
  return g.op('Where', [g.op('Greater', [keys, queries]), g.scalar(masked), g.scalar(0)]);
}

/**
 * A mask plus the relative position bias of a stack, [.., H, T, P + T]; only the mask if the model has none.
 */
export function withPositionBias(b: Builder, stack: Stack, mask: Name, past: Name, added: Name): Name {
  const { graph: g, config: c } = b;
  if (!positionKind(c).isRelative) return mask;
  const bidirectional = stack === 'encoder';
  const { values, shape } = parameter(b, `transformer.${stack}.relative_bias.weight`); // [buckets, H]
  const [buckets = 0, heads = 0] = shape;
  const far = c.relativeMaxDistance;
  const rule = relativeBuckets(buckets, { maxDistance: far, bidirectional });
  const rows = new Float32Array((2 * far + 1) * heads); // by distance from -far to far
  for (let d = -far; d <= far; d++)
    rows.set(values.subarray(bucketOf(rule, d) * heads, (bucketOf(rule, d) + 1) * heads), (d + far) * heads);
  const table = floats(b, 'relative_bias', [2 * far + 1, heads], rows);
  const keys = g.op('Unsqueeze', [
    positionsFrom(b, g.integers(0), g.op('Add', [past, added])),
    g.integers(0),
  ]);
  const queries = g.op('Unsqueeze', [positionsFrom(b, past, added), g.integers(1)]);
  const distance = g.op('Max', [
    g.op('Min', [g.op('Sub', [keys, queries]), g.integers(far)]),
    g.integers(-far),
  ]);
  const bias = g.op('Gather', [table, g.op('Add', [distance, g.integers(far)])]); // [T, P + T, H]
  return g.op('Add', [mask, g.op('Transpose', [bias], { perm: [2, 0, 1] })]);
}

/** A residual connection: LN(x + f(x)) (post-norm) or x + f(LN(x)) (pre-norm). */
export function residual(b: Builder, normName: string, x: Name, f: (x: Name) => Name): Name {
  if (b.config.norm === 'pre') return b.graph.op('Add', [x, f(norm(b, normName, x))]);
  return norm(b, normName, b.graph.op('Add', [x, f(x)]));
}

/** The feed-forward network: [B, T, D] -> [B, T, D]. */
export function feedForward(b: Builder, layer: string, x: Name): Name {
  const h = project(b, `${layer}.linear1.`, x); // [B, T, F], or [B, T, 2F] if it is gated
  if (b.config.feedForwardType === 'plain') return project(b, `${layer}.linear2.`, activation(b, h));
  const [a = '', gate = ''] = b.graph.ops('Split', [h], 2, { axis: 2 });
  return project(b, `${layer}.linear2.`, b.graph.op('Mul', [activation(b, a), gate]));
}

const activation = ({ graph, config }: Builder, x: Name): Name => onnxActivation(graph, config.activation, x);

/** LayerNorm or RMSNorm over the last axis. */
export function norm(b: Builder, name: string, x: Name): Name {
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
export const project = (b: Builder, prefix: string, x: Name): Name =>
  addBias(b, product(b, x, `${prefix}weight`), `${prefix}bias`);

/** y plus the parameter `bias` if the model has it. */
export const addBias = (b: Builder, y: Name, bias: string): Name =>
  b.parameters.byName.has(bias) ? b.graph.op('Add', [y, vector(b, bias)]) : y;

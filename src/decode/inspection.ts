// Inspection of a model: a forward pass over one pair with teacher forcing that returns what the fused
// kernels never store: attention of all layers and heads, logits, and on request every tensor between the
// layers.

import { check } from '../core/errors.ts';
import { dim, type Shape, sizeOf } from '../core/tensor.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../engine/graph/graph.ts';
import { fuseLayers } from '../engine/graph/layer-rewrites.ts';
import { crossAttentionOp, selfAttentionOp } from '../engine/ops/attention/attention.ts';
import type { AttentionAttrs } from '../engine/ops/attention/attention-layout.ts';
import { attentionWeights } from '../engine/ops/attention/attention-weights.ts';
import { embedding } from '../engine/ops/embedding/embedding.ts';
import type { Node, Value } from '../engine/ops/op.ts';
import { applicationOf } from '../engine/ops/op-nodes.ts';
import { writeStep } from '../engine/ops/step-scalars.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { openTransformer, weight } from '../model/open-transformer.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { decode, encode, project } from '../model/transformer.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';

/**
 * Kind of attention: self-attention of the encoder, causal self-attention of the decoder, or cross-attention.
 */
export type AttentionKind = 'encoder' | 'decoder' | 'cross';

/** Attention of one layer. */
export interface AttentionMap {
  readonly kind: AttentionKind;
  readonly layer: number;
  readonly heads: number;
  /** Numbers of queries Q and keys K: tokens of the pair, without padding. */
  readonly queries: number;
  readonly keys: number;
  /** Probabilities [heads, Q, K]; each row sums to 1. */
  readonly weights: Float32Array;
  /** Scaled scores [heads, Q, K] before mask and softmax; only with `tensors`. */
  readonly scores?: Float32Array;
}

/** A tensor between the layers, by its place in the model. */
export interface InspectedTensor {
  /** For example `encoder.layers.0.norm1.layer_norm`; a repeated name has a number. */
  readonly name: string;
  /** [tokens, columns], without the batch axis and padding. */
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Results of a forward pass over one pair. */
export interface RawInspection {
  readonly attention: readonly AttentionMap[];
  /** Logits [T, V] for the token after each target token; empty with `crossOnly`. */
  readonly logits: Float32Array;
  readonly tensors: readonly InspectedTensor[];
  /** Learned position vectors of the encoder [max(S, T), D], with `tensors`, if the model has them. */
  readonly positions?: Float32Array;
}

/**
 * Inspects a pair. `source`: ids with the end token; `target`: ids without start and end token; `startId`: id
 * that the decoder reads first, default: the start token of the model. Throws a HeddleError for an invalid id
 * or a side that is too long.
 */
export type Inspect = (
  source: readonly number[],
  target: readonly number[],
  startId?: number,
) => Promise<RawInspection>;

/** Options of `createInspector`. */
export interface InspectorOptions {
  /** Maximum numbers of source and target tokens. */
  readonly source: number;
  readonly target: number;
  /** Also return scores and all tensors. */
  readonly tensors?: boolean;
  /** Compute only cross-attention: no other attention and no logits. */
  readonly crossOnly?: boolean;
}

/** Place of an attention in the model. */
type AttentionPlace = Pick<AttentionMap, 'kind' | 'layer' | 'heads'>;

/** Adds the attention weights of the layers to the outputs of a graph, and the scores with `tensors`. */
function outputAttention(
  graph: Graph,
  nodes: readonly Node[],
  { tensors, crossOnly }: InspectorOptions,
): AttentionPlace[] {
  const places: AttentionPlace[] = [];
  const add = (
    kind: AttentionKind,
    { heads, headWidth, scale }: AttentionAttrs,
    { q, kv, lens, bias }: { q: Value; kv: Value; lens: Value; bias?: Value | undefined },
  ) => {
    const self = kind !== 'cross';
    const attrs = {
      heads,
      headWidth,
      ...(scale !== undefined && { scale }),
      self,
      causal: kind === 'decoder',
    };
    const output = (name: string, scores: boolean) =>
      graph.output(
        `${name}.${places.length}`,
        attentionWeights(graph, q, kv, lens, { ...attrs, scores }, bias),
      );
    output('weights', false);
    if (tensors) output('scores', true);
    places.push({ kind, layer: places.filter((place) => place.kind === kind).length, heads });
  };
  for (const node of nodes) {
    const self = crossOnly ? undefined : applicationOf(node, selfAttentionOp);
    const cross = applicationOf(node, crossAttentionOp);
    if (cross) add('cross', cross.attrs, cross.inputs);
    if (self)
      add(self.attrs.causal ? 'decoder' : 'encoder', self.attrs, {
        ...self.inputs,
        q: self.inputs.qkv,
        kv: self.inputs.qkv,
      });
  }
  return places;
}

/** A tensor between the layers: its unique name, and whether it has a row for each source token. */
interface TensorOutput {
  readonly name: string;
  readonly value: Value;
  readonly ofSource: boolean;
}

/** Adds the tensors between the layers to the outputs of a graph. */
function outputTensors(graph: Graph, nodes: readonly Node[]): TensorOutput[] {
  const keysValues = new Set(nodes.map((node) => applicationOf(node, crossAttentionOp)?.inputs.kv));
  const tensors: TensorOutput[] = [];
  for (const { stack, outputs } of nodes) {
    const [value] = outputs;
    if (value?.dtype !== 'f32' || value.shape[0] !== 1 || value.shape.length !== 3 || graph.isOutput(value))
      continue;
    const repeated = tensors.filter((tensor) => tensor.value.name === value.name).length;
    const name = repeated > 0 ? `${value.name} ${repeated + 1}` : value.name;
    tensors.push({ name, value, ofSource: stack === 'encoder' || keysValues.has(value) });
    graph.output(`tensor ${name}`, value);
  }
  return tensors;
}

function inspectionGraph(c: ModelConfig, p: ParameterList, options: InspectorOptions) {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const tokens = (side: string, size: number) => ({
    ids: graph.input(side, 'i32', [1, size]),
    lengths: graph.input(`${side}Lens`, 'u32', [1]),
  });
  const [source, target] = [tokens('src', options.source), tokens('tgt', options.target)];
  const memory = encode(m, source);
  const hidden = decode(m, target, memory, source.lengths);
  if (!options.crossOnly) graph.output('logits', project(m, hidden));
  const nodes = [...graph.nodes];
  // Nothing reads the results of the last cross-attention and of the nodes after it.
  if (options.crossOnly) graph.nodes.length = nodes.findLastIndex(({ op }) => op === crossAttentionOp);
  const attention = outputAttention(graph, nodes, options);
  if (options.tensors && c.positions === 'learned') {
    const rows = graph.input('rows', 'i32', [1, Math.max(options.source, options.target)]);
    graph.output('positions', embedding(graph, rows, weight(m, 'src_pos.weight')));
  }
  const tensors = options.tensors ? outputTensors(graph, nodes) : [];
  if (!options.tensors) fuseLayers(graph);
  return { graph, attention, tensors };
}

/** Removes the padding from attention weights [heads, Q, K]. */
function withoutPadding(
  padded: Float32Array,
  [Q, K]: readonly [number, number],
  { heads, queries, keys }: Pick<AttentionMap, 'heads' | 'queries' | 'keys'>,
): Float32Array {
  const out = new Float32Array(heads * queries * keys);
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < queries; i++) {
      const start = (h * Q + i) * K;
      out.set(padded.subarray(start, start + keys), (h * queries + i) * keys);
    }
  return out;
}

/** Creates an inspector on an engine that has the weights, or receives them before the first call. */
export async function createInspector(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  options: InspectorOptions,
): Promise<Inspect> {
  const { graph, attention, tensors } = inspectionGraph(c, p, options);
  const [program] = (await engine.prepare([graph])) as [Program];
  writeStep(program.inputs.step as Uint32Array);
  const task = options.crossOnly ? 'align' : 'inspect';
  const writeInputs = (source: readonly number[], target: readonly number[]) => {
    for (const [side, ids, vocab, size] of [
      ['src', source, c.srcVocab, options.source],
      ['tgt', target, c.tgtVocab, options.target],
    ] as const) {
      check(ids.length <= size, `${task}: ${side} has ${ids.length} tokens, the maximum is ${size}`);
      const wrong = ids.find((id) => !(id >= 0 && id < vocab));
      check(wrong === undefined, `${task}: ${side} has the id ${wrong}, the vocabulary has ${vocab} tokens`);
      (program.inputs[side] as Int32Array).fill(c.padId).set(ids);
      (program.inputs[`${side}Lens`] as Uint32Array)[0] = ids.length;
    }
    const rows = program.inputs.rows as Int32Array | undefined;
    rows?.set(rows.map((_, i) => Math.min(i, c.maxLength - 1) + c.positionOffset));
  };
  return async (source, targetIds, startId = c.startId) => {
    const target = [startId, ...targetIds];
    writeInputs(source, target);
    const outputs = await program.run();
    const output = (name: string) => outputs[name] as Float32Array;
    const [S, T] = [source.length, target.length];
    const positions = outputs.positions as Float32Array | undefined;
    return {
      attention: attention.map((place, n): AttentionMap => {
        const [queries, Q] = place.kind === 'encoder' ? [S, options.source] : [T, options.target];
        const [keys, K] = place.kind === 'decoder' ? [T, options.target] : [S, options.source];
        const sizes = { ...place, queries, keys };
        const read = (name: string) => withoutPadding(output(`${name}.${n}`), [Q, K], sizes);
        return { ...sizes, weights: read('weights'), ...(options.tensors && { scores: read('scores') }) };
      }),
      logits: options.crossOnly ? new Float32Array() : output('logits').slice(0, T * c.tgtVocab),
      tensors: tensors.map(({ name, value, ofSource }): InspectedTensor => {
        const shape = [ofSource ? S : T, dim(value, 2)];
        return { name, shape, data: output(`tensor ${name}`).slice(0, sizeOf(shape)) };
      }),
      ...(positions && { positions: positions.slice(0, Math.max(S, T) * c.dModel) }),
    };
  };
}

/**
 * The `count` most likely tokens after each of the target tokens, from logits [T, V] divided by the
 * temperature; softmax in float64.
 */
export const likelyTokens = (
  logits: Float32Array,
  vocabulary: number,
  count = 5,
  temperature = 1,
): { id: number; probability: number }[][] =>
  Array.from({ length: logits.length / vocabulary }, (_, t) => {
    const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, x) => sum + Math.exp((x - max) / temperature), 0);
    const best: number[] = [];
    for (let id = 0; id < vocabulary; id++) {
      const at = best.findIndex((other) => (row[id] as number) > (row[other] as number));
      if (at >= 0) best.splice(at, 0, id);
      else if (best.length < count) best.push(id);
      if (best.length > count) best.pop();
    }
    return best.map((id) => ({
      id,
      probability: Math.exp(((row[id] as number) - max) / temperature) / total,
    }));
  });

/** Settings of `Model.inspect`. */
export interface InspectOptions {
  /**
   * Text, or ids without start and end token, that the decoder reads (teacher forcing). [the greedy
   * translation]
   */
  readonly target?: string | readonly number[];
  /** Whether to return scores and the tensors between the layers. [false] */
  readonly tensors?: boolean;
  /** Number of likely next tokens. [5] */
  readonly likely?: number;
  /**
   * Temperature of the probabilities of likely next tokens: logits are divided by it before the softmax. [1]
   */
  readonly temperature?: number;
}

/** A token and its label. */
export interface InspectedToken {
  readonly id: number;
  readonly label: string;
  /** Whether its text begins with a space: it begins a word. */
  readonly spaced: boolean;
}

/** A likely next token. */
export interface LikelyToken extends InspectedToken {
  readonly probability: number;
}

/** Results of a forward pass over one pair, with labels of the tokens. */
export interface Inspection {
  /** S source tokens, with the end token. */
  readonly source: readonly InspectedToken[];
  /** T tokens that the decoder reads: the start token and the target. */
  readonly target: readonly InspectedToken[];
  /** Text of the target. */
  readonly targetText: string;
  /** Self-attention of the encoder and of the decoder and cross-attention, each of all layers. */
  readonly attention: readonly AttentionMap[];
  /** The most likely tokens after each of the target tokens, best first. */
  readonly next: readonly (readonly LikelyToken[])[];
  /**
   * Negative log-likelihood of the token that follows each target token, the end token after the last: T
   * values.
   */
  readonly loss: readonly number[];
  /** Tensors between the layers in the order in which they are computed, with `tensors`. */
  readonly tensors: readonly InspectedTensor[];
  /**
   * Position vectors [max(S, T), D] that the embedding of the encoder adds, with `tensors`: sines, or rows of
   * a learned table. Absent if the model has other positions.
   */
  readonly positions?: Float32Array;
  /** Whether `positions` are learned. */
  readonly learnedPositions?: boolean;
}

const padded = (n: number, max: number): number => Math.min(max, 8 * Math.ceil(n / 8));

/**
 * Creates a function that inspects pairs of ids on an engine; its plans are made at the first use of each
 * shape.
 */
export function createModelInspector(
  engine: Engine,
  {
    config,
    source,
    target,
  }: { readonly config: ModelConfig; readonly source: Tokenizer; readonly target: Tokenizer },
  p: ParameterList,
) {
  const inspectors = new Map<string, Promise<Inspect>>();
  return async (
    sourceIds: readonly number[],
    targetIds: readonly number[],
    { tensors = false, likely = 5, temperature = 1 }: Omit<InspectOptions, 'target'> = {},
  ): Promise<Inspection> => {
    check(temperature > 0, `inspect: temperature is ${temperature}; it must be above 0`);
    const { maxLength } = config;
    const shape = {
      source: padded(sourceIds.length, maxLength),
      target: padded(targetIds.length + 1, maxLength),
      tensors,
    };
    const key = JSON.stringify(shape);
    let inspector = inspectors.get(key);
    if (!inspector) {
      inspector = createInspector(engine, config, p, shape);
      inspectors.set(key, inspector);
      inspector.catch(() => inspectors.delete(key));
    }
    const raw = await (await inspector)(sourceIds, targetIds);
    const label = (tokenizer: Tokenizer) => (id: number) => ({
      id,
      label: tokenLabel(tokenizer, id),
      spaced: /^[▁Ġ ]./su.test(tokenizer.token(id)), // marks of SentencePiece and of byte-level BPE
    });
    const next = likelyTokens(raw.logits, config.tgtVocab, likely, temperature);
    const followers = [...targetIds, config.endId];
    const rows = Math.max(sourceIds.length, targetIds.length + 1);
    return {
      source: sourceIds.map(label(source)),
      target: [config.startId, ...targetIds].map(label(target)),
      targetText: target.decode(targetIds),
      attention: raw.attention,
      next: next.map((list) => list.map(({ id, probability }) => ({ ...label(target)(id), probability }))),
      loss: followers.map((id, t) =>
        lossOf(raw.logits.subarray(t * config.tgtVocab, (t + 1) * config.tgtVocab), id),
      ),
      tensors: raw.tensors,
      ...(tensors &&
        config.positions === 'sinusoidal' && {
          positions: ((await engine.read('positions')).data as Float32Array).slice(
            config.positionOffset * config.dModel,
            (config.positionOffset + rows) * config.dModel,
          ),
        }),
      ...(raw.positions && { positions: raw.positions, learnedPositions: true }),
    };
  };
}

/** Cross-entropy of one row of logits [V] with the target `id`, in nats. */
function lossOf(row: Float32Array, id: number): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) - (row[id] as number);
}

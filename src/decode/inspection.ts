// Inspection of a model: a forward pass over one pair with teacher forcing that returns what the fused kernels never
// store: attention of all layers and heads, logits, and on request every tensor between the layers.

import { check } from '../core/errors.ts';
import type { Shape } from '../core/tensor.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { fuseLayers } from '../graph/layer-rewrites.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { decode, encode, openTransformer, project, weight } from '../model/transformer.ts';
import { crossAttentionOp, selfAttentionOp } from '../ops/attention/attention.ts';
import { attentionWeights } from '../ops/attention/attention-weights.ts';
import { embedding } from '../ops/embedding/embedding.ts';
import { applicationOf } from '../ops/op-nodes.ts';
import { writeStep } from '../ops/step-scalars.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';

/** Kind of attention: self-attention of the encoder, causal self-attention of the decoder, or cross-attention. */
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
  /** [tokens, columns], or [] and more for others; without the batch axis and padding. */
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Results of a forward pass over one pair. */
export interface RawInspection {
  /** Ids that the encoder and the decoder read: source with its end token, target after the start token. */
  readonly source: readonly number[];
  readonly target: readonly number[];
  readonly attention: readonly AttentionMap[];
  /** Logits [T, V] for the token after each target token; empty with `crossOnly`. */
  readonly logits: Float32Array;
  readonly tensors: readonly InspectedTensor[];
  /** Learned position vectors of the encoder [max(S, T), D], with `tensors`, if the model has them. */
  readonly positions?: Float32Array;
}

/** Inspects a model, one pair at a time. */
export interface Inspector {
  /**
   * `target` is without start and end token; it started with `startId`, by default that of the model. Throws a HeddleError
   * for an invalid id or a side that is too long.
   */
  inspect(source: readonly number[], target: readonly number[], startId?: number): Promise<RawInspection>;
}

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

interface MapOutput {
  readonly kind: AttentionKind;
  readonly layer: number;
  readonly heads: number;
}

function inspectionGraph(c: ModelConfig, p: ParameterList, options: InspectorOptions) {
  const { source: S, target: T, tensors, crossOnly } = options;
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const tokens = (side: string, size: number) => ({
    ids: graph.input(side, 'i32', [1, size]),
    lengths: graph.input(`${side}Lens`, 'u32', [1]),
  });
  const [source, target] = [tokens('src', S), tokens('tgt', T)];
  const memory = encode(m, source);
  const hidden = decode(m, target, memory, source.lengths);
  if (!crossOnly) graph.output('logits', project(m, hidden));
  const maps: MapOutput[] = [];
  /** Values with a row for each source token. */
  const ofSource = new Set<string>();
  const keysValues = new Set<unknown>();
  const nodes = [...graph.nodes];
  // Nothing reads the results of the last cross-attention and of the nodes after it.
  if (crossOnly) graph.nodes.length = nodes.findLastIndex(({ op }) => op === crossAttentionOp);
  for (const node of nodes) {
    const self = crossOnly ? undefined : applicationOf(node, selfAttentionOp);
    const cross = applicationOf(node, crossAttentionOp);
    const found = self ?? cross;
    const [q, kv] = self ? [self.inputs.qkv, self.inputs.qkv] : cross ? [cross.inputs.q, cross.inputs.kv] : [];
    if (!found || !q || !kv) continue;
    const kind = cross ? 'cross' : self?.attrs.causal ? 'decoder' : 'encoder';
    const layer = maps.filter((each) => each.kind === kind).length;
    const { heads, headWidth, scale } = found.attrs;
    const attrs = { heads, headWidth, ...(scale !== undefined && { scale }), self: !cross, causal: kind === 'decoder' };
    const { lens } = found.inputs;
    const bias = self?.inputs.bias;
    if (cross) keysValues.add(kv);
    graph.output(`weights.${maps.length}`, attentionWeights(graph, q, kv, lens, attrs, bias));
    if (tensors)
      graph.output(`scores.${maps.length}`, attentionWeights(graph, q, kv, lens, { ...attrs, scores: true }, bias));
    maps.push({ kind, layer, heads });
  }
  const names: string[] = [];
  if (tensors && c.positions === 'learned') {
    const rows = graph.input('rows', 'i32', [1, Math.max(S, T)]);
    graph.output('positions', embedding(graph, rows, weight(m, 'src_pos.weight')));
  }
  if (tensors)
    for (const node of nodes) {
      const [value] = node.outputs;
      if (value?.dtype !== 'f32' || value.shape[0] !== 1 || value.shape.length !== 3) continue;
      const repeated = names.filter((name) => name.replace(/ \d+$/, '') === value.name).length;
      const name = repeated > 0 ? `${value.name} ${repeated + 1}` : value.name;
      names.push(name);
      if (node.scope.startsWith('encoder') || keysValues.has(value)) ofSource.add(name);
      if (!graph.isOutput(value)) graph.output(`tensor ${name}`, value);
    }
  else fuseLayers(graph);
  return { graph, maps, names, ofSource };
}

/** Creates an inspector on an engine that has the weights, or receives them before the first call. */
export async function createInspector(
  engine: Engine,
  c: ModelConfig,
  p: ParameterList,
  options: InspectorOptions,
): Promise<Inspector> {
  const { graph, maps, names, ofSource } = inspectionGraph(c, p, options);
  const [program] = (await engine.prepare([graph])) as [Program];
  writeStep(program.inputs.step as Uint32Array);
  const task = options.crossOnly ? 'align' : 'inspect';
  return {
    async inspect(source, target, startId = c.startId) {
      const read = [startId, ...target];
      for (const [side, ids, vocab, size] of [
        ['src', source, c.srcVocab, options.source],
        ['tgt', read, c.tgtVocab, options.target],
      ] as const) {
        check(ids.length <= size, `${task}: ${side} has ${ids.length} tokens, the maximum is ${size}`);
        const wrong = ids.find((id) => !(id >= 0 && id < vocab));
        check(wrong === undefined, `${task}: ${side} has the id ${wrong}, the vocabulary has ${vocab} tokens`);
        (program.inputs[side] as Int32Array).fill(c.padId).set(ids);
        (program.inputs[`${side}Lens`] as Uint32Array)[0] = ids.length;
      }
      const rows = program.inputs.rows as Int32Array | undefined;
      rows?.forEach((_, i) => {
        rows[i] = Math.min(i, c.maxLength - 1) + c.positionOffset;
      });
      const outputs = await program.run();
      const output = (name: string) => outputs[name] as Float32Array;
      const [S, T] = [source.length, read.length];
      const attention = maps.map(({ kind, layer, heads }, n): AttentionMap => {
        const [queries, Q] = kind === 'encoder' ? [S, options.source] : [T, options.target];
        const [keys, K] = kind === 'decoder' ? [T, options.target] : [S, options.source];
        const cut = (all: Float32Array) => {
          const out = new Float32Array(heads * queries * keys);
          for (let h = 0; h < heads; h++)
            for (let i = 0; i < queries; i++)
              out.set(all.subarray((h * Q + i) * K, (h * Q + i) * K + keys), (h * queries + i) * keys);
          return out;
        };
        const weights = cut(output(`weights.${n}`));
        return {
          kind,
          layer,
          heads,
          queries,
          keys,
          weights,
          ...(options.tensors && { scores: cut(output(`scores.${n}`)) }),
        };
      });
      const tensors = names.flatMap((name): InspectedTensor[] => {
        const value = graph.outputs.get(`tensor ${name}`);
        if (!value) return [];
        const [, , cols = 0] = value.shape;
        const kept = ofSource.has(name) ? S : T;
        return [{ name, shape: [kept, cols], data: output(`tensor ${name}`).slice(0, kept * cols) }];
      });
      const logits = options.crossOnly ? new Float32Array() : output('logits').slice(0, T * c.tgtVocab);
      const positions = outputs.positions as Float32Array | undefined;
      return {
        source: [...source],
        target: read,
        attention,
        logits,
        tensors,
        ...(positions && { positions: positions.slice(0, Math.max(S, T) * c.dModel) }),
      };
    },
  };
}

/** A likely next token, and its probability. */
export interface NextToken {
  readonly id: number;
  readonly probability: number;
}

/**
 * The `count` most likely tokens after each of the target tokens, from logits [T, V] divided by the temperature; softmax
 * in float64.
 */
export function likelyTokens(logits: Float32Array, vocabulary: number, count = 5, temperature = 1): NextToken[][] {
  return Array.from({ length: logits.length / vocabulary }, (_, t) => {
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
    return best.map((id) => ({ id, probability: Math.exp(((row[id] as number) - max) / temperature) / total }));
  });
}

/** Settings of `Model.inspect`. */
export interface InspectOptions {
  /** Text, or ids without start and end token, that the decoder reads (teacher forcing). [the greedy translation] */
  readonly target?: string | readonly number[];
  /** Whether to return scores and the tensors between the layers. [false] */
  readonly tensors?: boolean;
  /** Number of likely next tokens. [5] */
  readonly likely?: number;
  /** Temperature of the probabilities of likely next tokens: logits are divided by it before the softmax. [1] */
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
  /** Negative log-likelihood of the token that follows each target token, the end token after the last: T values. */
  readonly loss: readonly number[];
  /** Tensors between the layers in the order in which they are computed, with `tensors`. */
  readonly tensors: readonly InspectedTensor[];
  /**
   * Position vectors [max(S, T), D] that the embedding of the encoder adds, with `tensors`: sines, or rows of a learned
   * table. Absent if the model has other positions.
   */
  readonly positions?: Float32Array;
  /** Whether `positions` are learned. */
  readonly learnedPositions?: boolean;
}

const padded = (n: number, max: number): number => Math.min(max, 8 * Math.ceil(n / 8));

/** Creates a function that inspects pairs of ids on an engine; its plans are made at the first use of each shape. */
export function createModelInspector(
  engine: Engine,
  { config, source, target }: { readonly config: ModelConfig; readonly source: Tokenizer; readonly target: Tokenizer },
  p: ParameterList,
) {
  const inspectors = new Map<string, Promise<Inspector>>();
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
    const raw = await (await inspector).inspect(sourceIds, targetIds);
    const label = (tokenizer: Tokenizer) => (id: number) => ({
      id,
      label: tokenLabel(tokenizer, id),
      spaced: /^[▁Ġ ]./su.test(tokenizer.token(id)), // marks of SentencePiece and of byte-level BPE
    });
    const next = likelyTokens(raw.logits, config.tgtVocab, likely, temperature);
    const followers = [...targetIds, config.endId];
    const rows = Math.max(sourceIds.length, targetIds.length + 1);
    return {
      source: raw.source.map(label(source)),
      target: raw.target.map(label(target)),
      targetText: target.decode(targetIds),
      attention: raw.attention,
      next: next.map((list) => list.map(({ id, probability }) => ({ ...label(target)(id), probability }))),
      loss: followers.map((id, t) => lossOf(raw.logits.subarray(t * config.tgtVocab, (t + 1) * config.tgtVocab), id)),
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

/** Cross-entropy of one row of logits. */
function lossOf(row: Float32Array, id: number): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) - (row[id] as number);
}

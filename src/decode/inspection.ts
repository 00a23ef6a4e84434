// Inspection of a model at work: a forward pass over one pair with teacher forcing that returns what the fused kernels
// never store: attention of all layers and heads, logits, and on request every tensor between the layers.

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
import { applicationOf } from '../ops/op.ts';
import { writeStep } from '../ops/step-scalars.ts';

/** Which attention: of source tokens to each other, of target tokens to those before them, of target to source. */
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

/** What a model computes for one pair. */
export interface RawInspection {
  /** Ids that the encoder and the decoder read: source with its end token, target after the start token. */
  readonly source: readonly number[];
  readonly target: readonly number[];
  readonly attention: readonly AttentionMap[];
  /** Logits [T, V] for the token after each target token. */
  readonly logits: Float32Array;
  readonly tensors: readonly InspectedTensor[];
  /** Learned position vectors of the encoder [max(S, T), D], with `tensors`, if the model has them. */
  readonly positions?: Float32Array;
}

/** Inspects a model, one pair at a time. */
export interface Inspector {
  /** `target` is without start and end token. Throws a HeddleError for an invalid id or a side that is too long. */
  inspect(source: readonly number[], target: readonly number[]): Promise<RawInspection>;
}

/** Maximum numbers of source and target tokens, and whether to return scores and all tensors. */
export interface InspectorOptions {
  readonly source: number;
  readonly target: number;
  readonly tensors?: boolean;
}

interface MapOutput {
  readonly kind: AttentionKind;
  readonly layer: number;
  readonly heads: number;
}

function inspectionGraph(c: ModelConfig, p: ParameterList, { source: S, target: T, tensors }: InspectorOptions) {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const tokens = (side: string, size: number) => ({
    ids: graph.input(side, 'i32', [1, size]),
    lengths: graph.input(`${side}Lens`, 'u32', [1]),
  });
  const [source, target] = [tokens('src', S), tokens('tgt', T)];
  const memory = encode(m, source);
  graph.output('logits', project(m, decode(m, target, memory, source.lengths)));
  const maps: MapOutput[] = [];
  /** Values with a row for each source token. */
  const ofSource = new Set<string>();
  const keysValues = new Set<unknown>();
  const nodes = [...graph.nodes];
  for (const node of nodes) {
    const self = applicationOf(node, selfAttentionOp);
    const cross = applicationOf(node, crossAttentionOp);
    const found = self ?? cross;
    if (!found) continue;
    const kind = cross ? 'cross' : self?.attrs.causal ? 'decoder' : 'encoder';
    const layer = maps.filter((each) => each.kind === kind).length;
    const { heads, headWidth, scale } = found.attrs;
    const attrs = { heads, headWidth, ...(scale !== undefined && { scale }), self: !cross, causal: kind === 'decoder' };
    const q = self ? self.inputs.qkv : (cross?.inputs.q as never);
    const kv = self ? self.inputs.qkv : (cross?.inputs.kv as never);
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
  return {
    async inspect(source, target) {
      const read = [c.startId, ...target];
      for (const [side, ids, vocab, size] of [
        ['src', source, c.srcVocab, options.source],
        ['tgt', read, c.tgtVocab, options.target],
      ] as const) {
        check(ids.length <= size, `inspect: ${side} has ${ids.length} tokens, the maximum is ${size}`);
        const wrong = ids.find((id) => !(id >= 0 && id < vocab));
        check(wrong === undefined, `inspect: ${side} has the id ${wrong}, the vocabulary has ${vocab} tokens`);
        (program.inputs[side] as Int32Array).fill(c.padId).set(ids);
        (program.inputs[`${side}Lens`] as Uint32Array)[0] = ids.length;
      }
      const rows = program.inputs.rows as Int32Array | undefined;
      rows?.forEach((_, i) => {
        rows[i] = Math.min(i, c.maxLength - 1) + c.positionOffset;
      });
      const outputs = await program.run();
      const of = (name: string) => outputs[name] as Float32Array;
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
        const weights = cut(of(`weights.${n}`));
        return {
          kind,
          layer,
          heads,
          queries,
          keys,
          weights,
          ...(options.tensors && { scores: cut(of(`scores.${n}`)) }),
        };
      });
      const tensors = names.flatMap((name): InspectedTensor[] => {
        const value = graph.outputs.get(`tensor ${name}`);
        if (!value) return [];
        const [, , cols = 0] = value.shape;
        const kept = ofSource.has(name) ? S : T;
        return [{ name, shape: [kept, cols], data: of(`tensor ${name}`).slice(0, kept * cols) }];
      });
      const logits = of('logits').slice(0, T * c.tgtVocab);
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

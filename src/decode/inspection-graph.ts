// The graph of an inspector: the forward pass of a pair, with what an inspection reads as outputs.

import { dim } from '../core/tensor.ts';
import { Graph } from '../engine/graph/graph.ts';
import { fuseLayers } from '../engine/graph/layer-rewrites.ts';
import { crossAttentionOp, selfAttentionOp } from '../engine/ops/attention/attention.ts';
import type { AttentionAttrs } from '../engine/ops/attention/attention-layout.ts';
import { attentionWeights } from '../engine/ops/attention/attention-weights.ts';
import { type WeightedValuesAttrs, weightedValuesOp } from '../engine/ops/attention/weighted-values.ts';
import { takeColumns } from '../engine/ops/elementwise/columns.ts';
import { interveneOp } from '../engine/ops/elementwise/intervene.ts';
import { embedding } from '../engine/ops/embedding/embedding.ts';
import { softmaxOp } from '../engine/ops/norm/softmax.ts';
import type { Node, Value } from '../engine/ops/op.ts';
import { type Application, applicationOf } from '../engine/ops/op-nodes.ts';
import { ssruOp } from '../engine/ops/recurrence/ssru.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { openTransformer } from '../model/open-transformer.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { Scope, weight } from '../model/scope.ts';
import { tokenInput } from '../model/source-kind.ts';
import { decode, encode, finishDecoder, project } from '../model/transformer.ts';
import { InspectionPoints, type PointLevels } from './inspection-points.ts';

/**
 * Kind of attention: self-attention of the encoder, causal self-attention of the decoder, or cross-attention.
 */
export type AttentionKind = 'encoder' | 'decoder' | 'cross';

/** Options of an inspector. */
export interface InspectorOptions {
  /** Maximum numbers of source tokens and of target tokens. */
  readonly source: number;
  readonly target: number;
  /** Also return scores and all tensors. */
  readonly tensors?: boolean;
  /** Compute only cross-attention: no other attention, and logits only with `withLogits`. */
  readonly crossOnly?: boolean;
  /** With `crossOnly`: compute the logits too. */
  readonly withLogits?: boolean;
  /** What is replaced and recorded. [nothing] */
  readonly points?: PointLevels;
  /** Also return the logits of the residual stream after each layer of the decoder. */
  readonly lens?: boolean;
}

/** Whether the graph computes the logits. */
export const hasLogits = ({ crossOnly, withLogits }: InspectorOptions): boolean =>
  !crossOnly || withLogits === true;

/** An attention in the model. */
export interface AttentionPlace {
  readonly kind: AttentionKind;
  readonly layer: number;
  readonly heads: number;
}

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
    { q, kv, lens, bias }: { q: Value; kv: Value; lens: Value; bias?: Value },
  ) => {
    const self = kind !== 'cross';
    const attrs = { heads, headWidth, scale, self, causal: kind === 'decoder' };
    const output = (name: string, scores: boolean) =>
      graph.output(
        `${name}.${places.length}`,
        attentionWeights(graph, q, kv, lens, { ...attrs, scores }, bias),
      );
    output('weights', false);
    if (tensors) output('scores', true);
    place(kind, heads);
  };
  const place = (kind: AttentionKind, heads: number) =>
    places.push({ kind, layer: places.filter((one) => one.kind === kind).length, heads });
  // Attention in parts, whose weights an intervention may have changed, has them already.
  const addOpen = ({ node, attrs, inputs }: Application<'p' | 'kv', 'out', WeightedValuesAttrs>) => {
    const changed = applicationOf(inputs.p.node, softmaxOp)?.inputs.x.node;
    const scores = applicationOf(changed, interveneOp)?.inputs.x;
    graph.output(`weights.${places.length}`, inputs.p);
    if (tensors && scores) graph.output(`scores.${places.length}`, scores);
    place(attrs.self ? (node.stack as 'encoder' | 'decoder') : 'cross', attrs.heads);
  };
  for (const node of nodes) {
    const open = applicationOf(node, weightedValuesOp);
    if (open && !(crossOnly && open.attrs.self)) addOpen(open);
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

/** Adds what the gates of SSRUs are computed from to the outputs of a graph. Returns the number of SSRUs. */
function outputGates(graph: Graph, nodes: readonly Node[]): number {
  const units = nodes.flatMap((node) => applicationOf(node, ssruOp) ?? []);
  for (const [n, { inputs }] of units.entries()) {
    const count = dim(inputs.bias, 0);
    graph.output(`cells.${n}`, takeColumns(graph, inputs.x, { first: 0, count, scale: 1 }));
    graph.output(`gates.${n}`, takeColumns(graph, inputs.x, { first: count, count, scale: 1 }));
    graph.output(`gate bias.${n}`, takeColumns(graph, inputs.bias, { first: 0, count, scale: 1 }));
  }
  return units.length;
}

/** A tensor between the layers: its unique name, and whether it has a row for each source token. */
export interface TensorOutput {
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

/** Nothing is replaced or recorded. */
const noPoints: PointLevels = { replaced: [], recorded: [] };

/** The graph of a forward pass, and what its outputs are. */
export function inspectionGraph(c: ModelConfig, p: ParameterList, options: InspectorOptions) {
  const graph = new Graph();
  const { points: levels, lens } = options;
  const points = levels || lens ? new InspectionPoints(graph, levels ?? noPoints) : undefined;
  const m = openTransformer(graph, c, p, false, points);
  const source = p.source.input(graph, c, 1, options.source);
  const target = tokenInput(graph, 'tgt', 'tgt', 1, options.target);
  const memory = encode(m, p.source, source);
  const hidden = decode(m, target, memory, source.lengths);
  if (hasLogits(options)) graph.output('logits', project(m, hidden));
  for (const { place, value } of lens ? (points?.stream ?? []) : []) {
    const normed = new Scope(m).stack('decoder', (decoder) => finishDecoder(decoder, value));
    graph.output(`lens ${place}`, project(m, normed));
  }
  const nodes = [...graph.nodes];
  // Nothing reads the results of the last cross-attention and of the nodes after it.
  if (!hasLogits(options)) graph.nodes.length = nodes.findLastIndex(({ op }) => op === crossAttentionOp);
  const attention = outputAttention(graph, nodes, options);
  if (options.tensors && c.positions === 'learned') {
    const rows = graph.input('rows', 'i32', [1, Math.max(options.source, options.target)]);
    graph.output('positions', embedding(graph, rows, weight(m, 'src_pos.weight')));
  }
  const tensors = options.tensors ? outputTensors(graph, nodes) : [];
  const units = options.crossOnly ? 0 : outputGates(graph, nodes);
  if (!options.tensors) fuseLayers(graph);
  return { graph, attention, tensors, units, points };
}

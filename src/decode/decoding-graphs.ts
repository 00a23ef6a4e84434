// The two graphs of decoding: the source, run once a batch, leaves the keys and values of every cross-attention; the step, run once
// a token, reads the last token of each row, keeps its keys and values, and leaves the next token. All steps replay one plan.
// A sentence may have several rows, its beams or samples: B sentences of K rows are R = B · K rows, those of a sentence together.

import type { DType, Shape } from '../core/tensor.ts';
import { Graph } from '../graph/graph.ts';
import { fuseForward } from '../graph/rewrites.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import {
  crossAttentionBlock,
  crossKeysValues,
  decoderLayer,
  embed,
  encode,
  finishDecoder,
  openTransformer,
  project,
  selfAttentionBlock,
} from '../model/transformer.ts';
import { beamSelect } from '../ops/decoding/beam-select.ts';
import { bestTokens } from '../ops/decoding/best-tokens.ts';
import { cacheSlots } from '../ops/decoding/cache-slots.ts';
import { cachedCrossAttention, cachedSelfAttention } from '../ops/decoding/cached-attention.ts';
import { greedyToken } from '../ops/decoding/greedy-token.ts';
import { rulesSize } from '../ops/decoding/next-token.ts';
import { sampleToken, samplingSize } from '../ops/decoding/sample-token.ts';
import { takeRows } from '../ops/elementwise/take-rows.ts';
import type { Value } from '../ops/op.ts';

/** Sizes of a decoding: sentences that decode together, rows of each, source positions, most target positions. */
export interface DecodeShape {
  readonly batch: number;
  /** Default 1. */
  readonly beams?: number;
  readonly source: number;
  readonly target: number;
}

/** How a step chooses: `rules` whether some tokens may be forbidden, `banned` how many by name at most. */
export interface DecodeMode {
  readonly method: 'greedy' | 'beam' | 'sample';
  readonly rules: boolean;
  readonly banned: number;
}

/** Greedy decoding among all tokens. */
export const plainGreedy: DecodeMode = { method: 'greedy', rules: false, banned: 0 };

/** One state of a decoding. */
export interface DecodeState {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** The states of a decoding. Those of different sizes live side by side, so their names carry the size. */
export interface DecodeStates {
  /** Keys and values of the sources, f32 [B,S,2HW], a layer. */
  readonly cross: readonly DecodeState[];
  /** Keys and values kept, f32 [R,T,2HW], a layer. */
  readonly self: readonly DecodeState[];
  /** What each row reads next, i32 [R,1], and the row of its sentence that it goes on from, i32 [R]. */
  readonly token: DecodeState;
  readonly parent: DecodeState;
  /** Where the keys of each row's positions lie, u32 [R,T], and its tokens, i32 [R,T]; see `cacheSlotsOp`. */
  readonly slots: DecodeState;
  readonly history: DecodeState;
  /** Sums of log-probabilities of the beams, f32 [R]. */
  readonly scores: DecodeState;
}

/** The states that the graphs of a shape share. */
export function decodeStates(c: ModelConfig, { batch: B, beams = 1, source: S, target: T }: DecodeShape): DecodeStates {
  const R = B * beams;
  const width = 2 * c.decoderHeads * c.decoderHeadWidth;
  const state = (name: string, dtype: DType, shape: Shape): DecodeState => ({
    name: `${name}.${shape.slice(0, 2).join('x')}`,
    dtype,
    shape,
  });
  const layers = Array.from({ length: c.decoderLayers }, (_, n) => n);
  return {
    cross: layers.map((n) => state(`cross.${n}`, 'f32', [B, S, width])),
    self: layers.map((n) => state(`self.${n}`, 'f32', [R, T, width])),
    token: state('token', 'i32', [R, 1]),
    parent: state('parent', 'i32', [R]),
    slots: state('slots', 'u32', [R, T]),
    history: state('history', 'i32', [R, T]),
    scores: state('scores', 'f32', [R]),
  };
}

/** A state as a value of a graph. */
export const stateOf = (graph: Graph, { name, dtype, shape }: DecodeState): Value => graph.state(name, dtype, shape);

/** Inputs src [B,S], srcLens [B]; leaves keys and values of the source, [B,S,2HW] a layer, in states. `noFuse`: rewrites left out. */
export function sourceGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
  noFuse: readonly string[] = [],
): Graph {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const { batch: B, source: S } = shape;
  const lengths = graph.input('srcLens', 'u32', [B]);
  const memory = encode(m, { ids: graph.input('src', 'i32', [B, S]), lengths }); // [B, S, D]
  for (const [n, state] of decodeStates(c, shape).cross.entries()) {
    const kv = graph.scope(`decoder.layers.${n}`, () => crossKeysValues(m, `transformer.decoder.layers.${n}`, memory));
    graph.place(kv, stateOf(graph, state), 0);
  }
  fuseForward(graph, noFuse);
  return graph;
}

/**
 * Inputs srcLens [B], rules i32 [4+N] and step, whose position is that of the token read; sampling f32 [4] and streams u32 [R] too
 * where tokens are drawn. Outputs `token` i32 [R,1] and `logProb` f32 [R]; of beam search `token`, `parent` i32 [R], `total` f32 [R]
 * and `ended` f32 [R], as `beamSelectOp` says. Whether padding that the model chose is seen later, the configuration says (hidePadding).
 * `noFuse`: rewrites left out.
 */
export function stepGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
  mode = plainGreedy,
  noFuse: readonly string[] = [],
): Graph {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const { batch: B, beams = 1 } = shape;
  const states = decodeStates(c, shape);
  const [token, parent] = [stateOf(graph, states.token), stateOf(graph, states.parent)];
  const [slots, history] = [stateOf(graph, states.slots), stateOf(graph, states.history)];
  const lengths = graph.input('srcLens', 'u32', [B]);
  const attrs = { heads: c.decoderHeads, headWidth: c.decoderHeadWidth, beams };
  const logits = graph.scope('decoder', () => {
    cacheSlots(graph, token, parent, slots, history, m.step, { beams, padId: c.hidePadding ? c.padId : -1 });
    let x = embed(m, 'tgt', { ids: token }, true); // [R, 1, D]
    for (let n = 0; n < c.decoderLayers; n++) {
      const layer = `transformer.decoder.layers.${n}`;
      const kept = stateOf(graph, states.self[n] as DecodeState);
      const source = stateOf(graph, states.cross[n] as DecodeState); // [B, S, 2HW]
      const self = (y: Value) =>
        selfAttentionBlock(m, layer, y, (qkv) => cachedSelfAttention(graph, qkv, kept, slots, m.step, attrs));
      const cross = (y: Value) =>
        crossAttentionBlock(m, layer, y, (q) => cachedCrossAttention(graph, q, source, lengths, attrs));
      x = graph.scope(`layers.${n}`, () => decoderLayer(m, layer, x, self, cross));
    }
    return project(m, finishDecoder(m, x)); // [R, 1, V]
  });
  const rules = graph.input('rules', 'i32', [rulesSize(mode.banned)]);
  const choice = { endId: c.endId, rules: mode.rules };
  if (mode.method === 'beam') {
    const best = bestTokens(graph, logits, history, rules, m.step, { ...choice, wanted: beams });
    const { tokens, parents, totals, ended } = beamSelect(graph, best, stateOf(graph, states.scores), m.step);
    graph.place(tokens, token, 0);
    graph.place(parents, parent, 0);
    for (const [name, v] of Object.entries({ token: tokens, parent: parents, total: totals, ended }))
      graph.output(name, v);
  } else {
    const draw = () => ({
      sampling: graph.input('sampling', 'f32', [samplingSize]),
      streams: graph.input('streams', 'u32', [B * beams]),
    });
    const { tokens, logProbs } =
      mode.method === 'sample'
        ? sampleToken(graph, logits, history, rules, m.step, draw(), choice)
        : greedyToken(graph, logits, history, rules, m.step, choice);
    graph.place(tokens, token, 0);
    graph.output('token', tokens);
    graph.output('logProb', logProbs);
  }
  fuseForward(graph, noFuse);
  return graph;
}

/**
 * Input picks u32 [b], of a batch of `from` sentences those that go on; copies all that a decoding has of them into the states of `to`, a
 * shape of b sentences that is otherwise the same. What is left takes less of each step.
 */
export function shrinkGraph(c: ModelConfig, from: DecodeShape, to: DecodeShape): Graph {
  const graph = new Graph();
  const picks = graph.input('picks', 'u32', [to.batch]);
  const [before, after] = [decodeStates(c, from), decodeStates(c, to)];
  const take = (a: DecodeState, b: DecodeState, group: number) =>
    graph.place(takeRows(graph, stateOf(graph, a), picks, group), stateOf(graph, b), 0);
  const { beams = 1 } = from;
  for (let n = 0; n < c.decoderLayers; n++) {
    take(before.cross[n] as DecodeState, after.cross[n] as DecodeState, 1);
    take(before.self[n] as DecodeState, after.self[n] as DecodeState, beams);
  }
  for (const name of ['token', 'parent', 'slots', 'history', 'scores'] as const) take(before[name], after[name], beams);
  return graph;
}

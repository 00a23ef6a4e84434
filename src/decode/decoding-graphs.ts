// The two graphs of decoding. The source graph runs once per batch: encoder, and keys and values of every
// cross-attention. The step graph runs once per token: it reads the last token of each row, appends to the KV
// cache and chooses the next token. All steps replay one plan. Each of B sentences has K rows (beams or
// samples): R = B · K rows, those of a sentence adjacent.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type DType, dim, type Shape } from '../core/tensor.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../engine/graph/graph.ts';
import { fuseLayers } from '../engine/graph/layer-rewrites.ts';
import { cacheSlots } from '../engine/ops/decoding/cache-slots.ts';
import { cachedCrossAttention, canPackHeads } from '../engine/ops/decoding/cached-attention.ts';
import {
  greedyToken,
  type NextTokenAttrs,
  rulesSize,
  sampleToken,
  samplingSize,
} from '../engine/ops/decoding/next-token.ts';
import { packF16 } from '../engine/ops/decoding/pack-f16.ts';
import { penalizeRepeats } from '../engine/ops/decoding/penalize-repeats.ts';
import type { Value } from '../engine/ops/op.ts';
import { embed } from '../model/embed-tokens.ts';
import type { ModelConfig } from '../model/model-config.ts';
import {
  attentionOptions,
  crossAttentionBlock,
  crossKeysValues,
  positionBias,
} from '../model/multi-head-attention.ts';
import { openTransformer } from '../model/open-transformer.ts';
import {
  type EnsembleMember,
  ensembleLogits,
  membersOf,
  type ParameterList,
} from '../model/parameter-layout.ts';
import { Scope } from '../model/scope.ts';
import type { SourceKind } from '../model/source-kind.ts';
import { decoderSelfAttention } from '../model/sublayers.ts';
import { decoderLayer, decoderLayerOf, encode, finishDecoder, project } from '../model/transformer.ts';
import type { TokenRules } from './token-rules.ts';

/** Sizes of a decoder. */
export interface DecodeShape {
  /** Number of sentences, B. */
  readonly batch: number;
  /** Rows per sentence, K. Default 1. */
  readonly beams?: number;
  /** Source tokens, S. */
  readonly source: number;
  /** Maximum number of target positions, T. */
  readonly target: number;
  /** Storage of keys and values. Default f32. */
  readonly cacheType?: 'f32' | 'f16';
}

/** How a step graph chooses the next token. */
export interface DecodeMode {
  readonly method: 'greedy' | 'beam' | 'sample';
  /** Whether rules may exclude tokens. */
  readonly rules: boolean;
  /** Maximum of numbers for suppressed tokens and sequences. */
  readonly banned: number;
  /** Maximum number of tokens of a forced prefix. Default 0. */
  readonly forced?: number;
  /** Whether a hypothesis that ends takes the place of a beam. Default false. */
  readonly shrinks?: boolean;
  /** Whether tokens that a row has so far are penalized. Default false. */
  readonly penalizes?: boolean;
  /** Further rules, which a guest brings. */
  readonly tokenRules?: TokenRules;
}

/** What the choice of the next tokens reads; see `stepGraph`. */
export interface StepChoice {
  readonly graph: Graph;
  /** f32 [R,1,V]. */
  readonly logits: Value;
  readonly history: Value;
  readonly rules: Value;
  readonly step: Value;
  readonly attrs: NextTokenAttrs;
  /** The states of the rows. */
  readonly states: RowStates;
  /** What further rules do with the log-probabilities of chosen tokens. */
  readonly shifted: (logProbs: Value) => Value;
}

/** Greedy decoding without rules. */
export const plainGreedy: DecodeMode = { method: 'greedy', rules: false, banned: 0 };

/** A state of a decoder: a buffer that persists between steps. */
export interface DecodeState {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * The states of the rows of a decoder. Names of states contain their sizes, since decoders of several shapes share an
 * engine.
 */
export interface RowStates {
  /** Next input token of each row, i32 [R,1]. */
  readonly token: DecodeState;
  /** For each row, the row of its sentence (0 to K - 1) that it extends, i32 [R]. */
  readonly parent: DecodeState;
  /** Row of the KV cache for each position of each row, u32 [R,T]; see `cacheSlotsOp`. */
  readonly slots: DecodeState;
  /** Tokens of each row, i32 [R,T]. */
  readonly history: DecodeState;
  /** Log-probabilities of the beams, f32 [R]. */
  readonly scores: DecodeState;
}

/** The states of the layers of a decoder. */
export interface LayerStates {
  /** Cross-attention keys and values of each layer, f32 [B,S,2HW], or as f16 in words u32 [B,S,HW]. */
  readonly cross: readonly DecodeState[];
  /**
   * What each layer remembers of the tokens before: its KV cache, f32 [R,T,2HW] or u32 [R,T,HW], or the state of
   * its SSRU, f32 [R,2,D]. Beams permute rows of either: `slots` those of caches, `parent` those of SSRUs.
   */
  readonly self: readonly DecodeState[];
}

const decodeState = (name: string, dtype: DType, shape: Shape): DecodeState => ({
  name: `${name}.${shape.slice(0, 2).join('x')}`,
  dtype,
  shape,
});

/** The states of rows that the graphs of a shape share. */
export function rowStates({ batch: B, beams = 1, target: T }: DecodeShape): RowStates {
  const R = B * beams;
  return {
    token: decodeState('token', 'i32', [R, 1]),
    parent: decodeState('parent', 'i32', [R]),
    slots: decodeState('slots', 'u32', [R, T]),
    history: decodeState('history', 'i32', [R, T]),
    scores: decodeState('scores', 'f32', [R]),
  };
}

/** The states of the layers of a model that the graphs of a shape share. */
export function layerStates(
  c: ModelConfig,
  { source, stateSuffix = '' }: ParameterList,
  { batch: B, beams = 1, source: S, target: T, cacheType }: DecodeShape,
): LayerStates {
  const R = B * beams;
  const width = 2 * c.decoderHeads * c.decoderHeadWidth;
  const isPacked = cacheType === 'f16' && canPackHeads(c.decoderHeadWidth);
  const keys = (name: string, rows: number, positions: number) =>
    isPacked
      ? decodeState(`${name}.f16`, 'u32', [rows, positions, width / 2])
      : decodeState(name, 'f32', [rows, positions, width]);
  const layers = Array.from({ length: c.decoderLayers }, (_, n) => n);
  const { state: remembered } = decoderSelfAttention(c);
  return {
    cross: layers.map((n) => keys(`cross.${n}${stateSuffix}`, B, source.positions(c, S))),
    self: layers.map((n) =>
      remembered
        ? decodeState(`${remembered.name}.${n}${stateSuffix}`, 'f32', remembered.shape(c, R))
        : keys(`self.${n}${stateSuffix}`, R, T),
    ),
  };
}

/** A state as a value of a graph. */
export const stateOf = (graph: Graph, { name, dtype, shape }: DecodeState): Value =>
  graph.state(name, dtype, shape);

/**
 * Source graph: the inputs of the source, src i32 [B,S] and srcLens u32 [B] for tokens; writes the states `cross`. `noFuse`
 * names rewrites to skip. `S` (default: that of the states) may be smaller if B is 1.
 */
export function sourceGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
  noFuse: readonly string[] = [],
  S = shape.source,
): Graph {
  const graph = new Graph();
  const { batch: B } = shape;
  const source = p.source.input(graph, c, B, S);
  for (const { config, parameters } of membersOf(c, p)) {
    const m = openTransformer(graph, config, parameters, false);
    const memory = encode(m, p.source, source); // [B, positions, D]
    for (const [n, state] of layerStates(config, parameters, shape).cross.entries()) {
      const kv = new Scope(m).stack('decoder', (decoder) =>
        decoderLayerOf(decoder, n, (layer) => crossKeysValues(layer, memory)),
      );
      graph.place(state.dtype === 'u32' ? packF16(graph, kv) : kv, stateOf(graph, state), 0);
    }
  }
  fuseLayers(graph, noFuse);
  return graph;
}

/**
 * Step graph. Inputs: srcLens u32 [B], rules i32 [5 + mode.banned + R · mode.forced], step (with the position of the
 * input token), penalty f32 [1] if `mode.penalizes`, and for sampling: sampling f32 [4], streams u32 [R]. Outputs: `token` i32 [R,1], `logProb` f32 [R];
 * for beam search `token`, `parent` i32 [R], `total` f32 [R], `ended` f32 [R], see `beamSelectOp`.
 * `choose` chooses the tokens; beam search needs that of beam-step.ts. `hidePadding` of the configuration masks generated padding. `noFuse` names rewrites to skip.
 */
export function stepGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
  mode = plainGreedy,
  noFuse: readonly string[] = [],
  choose?: (choice: StepChoice) => void,
): Graph {
  const graph = new Graph();
  const { step } = openTransformer(graph, c, p, false);
  const { batch: B, beams = 1 } = shape;
  const states = rowStates(shape);
  const [token, parent] = [stateOf(graph, states.token), stateOf(graph, states.parent)];
  const [slots, history] = [stateOf(graph, states.slots), stateOf(graph, states.history)];
  const lengths = graph.input('srcLens', 'u32', [B]);
  const next = ({ config, parameters }: EnsembleMember): Value => {
    const m = openTransformer(graph, config, parameters, false);
    const attrs = { ...attentionOptions(m, 'decoder'), beams };
    const own = layerStates(config, parameters, shape);
    let x = embed(m, 'tgt', { ids: token }, history); // [R, 1, D]
    const decoder = new Scope(m).in('decoder');
    const bias = positionBias(decoder, 'decoder');
    const kind = decoderSelfAttention(config);
    for (let n = 0; n < config.decoderLayers; n++) {
      const state = stateOf(graph, own.self[n] as DecodeState);
      const source = stateOf(graph, own.cross[n] as DecodeState); // [B, S, 2HW]
      const cross = (q: Value) => cachedCrossAttention(graph, q, source, lengths, attrs);
      x = decoderLayerOf(decoder, n, (layer) => {
        const self = kind.step(layer, state, { slots, parents: parent, beams, bias });
        return decoderLayer(layer, x, self, (y) => crossAttentionBlock(layer, y, cross));
      });
    }
    return project(m, finishDecoder(decoder, x), !p.ensemble); // [R, 1, V], padded to whole vectors in a single model
  };
  const logits = graph.scope({ stack: 'decoder' }, () => {
    cacheSlots(graph, token, parent, slots, history, step, { beams, padId: c.hidePadding ? c.padId : -1 });
    return ensembleLogits(graph, p, membersOf(c, p).map(next));
  });
  const rules = graph.input('rules', 'i32', [rulesSize(mode.banned, B * beams * (mode.forced ?? 0))]);
  const vocab = dim(logits, -1) > c.tgtVocab ? c.tgtVocab : undefined;
  const areLogProbs = mode.penalizes && mode.method === 'beam' ? true : undefined;
  if (mode.penalizes)
    penalizeRepeats(graph, logits, history, graph.input('penalty', 'f32', [1]), step, {
      ofLogProbs: areLogProbs === true,
      vocab,
    });
  const restored = mode.tokenRules?.apply?.({ graph, logits, history, step, vocab }) ?? ((v: Value) => v);
  const choice = { endId: c.endId, rules: mode.rules, forced: mode.forced, vocab, areLogProbs };
  const shifted = areLogProbs ? (logProbs: Value) => logProbs : restored;
  if (choose) choose({ graph, logits, history, rules, step, attrs: choice, states, shifted });
  else {
    const draw = () => ({
      sampling: graph.input('sampling', 'f32', [samplingSize]),
      streams: graph.input('streams', 'u32', [B * beams]),
    });
    const { tokens, logProbs } =
      mode.method === 'sample'
        ? sampleToken(graph, logits, history, rules, step, draw(), choice)
        : greedyToken(graph, logits, history, rules, step, choice);
    graph.place(tokens, token, 0);
    graph.output('token', tokens);
    graph.output('logProb', shifted(logProbs));
  }
  fuseLayers(graph, noFuse);
  return graph;
}

/** An encoder for sources of up to `length` tokens. */
export interface SourceEncoder {
  readonly length: number;
  readonly program: Program;
}

/** Encodes the sources of a batch, and writes the first tokens of its rows; returns the lengths of the sources. */
export function encodeSources(
  engine: Engine,
  c: ModelConfig,
  kind: SourceKind,
  shape: DecodeShape,
  encoders: readonly SourceEncoder[],
  { sources }: { readonly sources: readonly ArrayLike<number>[] },
  startId: number,
): Uint32Array {
  const { batch: B, beams: K = 1, source: S } = shape;
  check(sources.length <= B, msg`${sources.length} sources for a batch of ${B}`, { area: 'decode' });
  const longest = sources.reduce((max, source) => Math.max(max, kind.lengthOf(c, source)), 0);
  const encoder = encoders.find(({ length }) => longest <= length);
  check(encoder, msg`a source of ${longest} tokens, at most ${S} fit`, { area: 'decode' });
  const { inputs } = encoder.program;
  kind.fill(c, inputs, sources);
  encoder.program.submit();
  const { token, parent } = rowStates(shape);
  engine.write(token.name, new Int32Array(B * K).fill(startId));
  engine.write(
    parent.name,
    Int32Array.from({ length: B * K }, (_, r) => r % K),
  );
  return inputs.srcLens as Uint32Array;
}

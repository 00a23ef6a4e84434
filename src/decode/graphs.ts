// The two graphs of decoding: the source, run once a batch, leaves the keys and values of every cross-attention; the step, run once
// a token, reads the last token, keeps its keys and values, and leaves the next token. All steps replay one plan.

import { Graph } from '../graph/graph.ts';
import { fuseForward } from '../graph/rewrites.ts';
import type { ModelConfig } from '../model/config.ts';
import type { ParameterList } from '../model/parameters.ts';
import {
  affine,
  crossAttend,
  crossKeys,
  decoderLayer,
  embed,
  encode,
  finishDecoder,
  heads,
  type Model,
  openModel,
  project,
} from '../model/transformer.ts';
import { argmax } from '../ops/argmax.ts';
import { crossAttention } from '../ops/attention.ts';
import { cacheRows, kvWrite } from '../ops/kv-write.ts';
import type { Value } from '../ops/op.ts';
import { slice } from '../ops/slice.ts';

/** Sizes of a decoding: rows that decode together, source positions, most target positions. */
export interface DecodeShape {
  readonly batch: number;
  readonly source: number;
  readonly target: number;
}

/** States of different sizes live side by side, so their names carry the size. */
const stateNames = ({ batch, source, target }: DecodeShape) => ({
  cross: (layer: number) => `cross.${layer}.${batch}x${source}`,
  self: (layer: number) => `self.${layer}.${batch}x${target}`,
  token: `token.${batch}`,
  used: `used.${batch}`,
});

/** Name of the state i32 [B,1] that holds the token each row reads next. */
export const tokenState = (shape: DecodeShape): string => stateNames(shape).token;

/** Inputs src [B,S], srcLens [B]; leaves keys and values of the source, [B,S,2HW] a layer, in states. */
export function sourceGraph(c: ModelConfig, p: ParameterList, shape: DecodeShape): Graph {
  const graph = new Graph();
  const m = openModel(graph, c, p, false);
  const { batch: B, source: S } = shape;
  const lengths = graph.input('srcLens', 'u32', [B]);
  const memory = encode(m, { ids: graph.input('src', 'i32', [B, S]), lengths }); // [B, S, D]
  for (let n = 0; n < c.decoderLayers; n++) {
    const kv = graph.scope(`decoder.layers.${n}`, () => crossKeys(m, `transformer.decoder.layers.${n}`, memory));
    graph.place(kv, graph.state(stateNames(shape).cross(n), 'f32', kv.shape), 0);
  }
  fuseForward(graph);
  return graph;
}

/**
 * Inputs srcLens [B] and step, whose position is that of the token read; reads and writes the state `token`. Output `token` [B,1],
 * or `logits` [B,1,V] too where asked. A token of padding that the model chose is hidden from later ones, as in training.
 */
export function stepGraph(
  c: ModelConfig,
  p: ParameterList,
  shape: DecodeShape,
  options: { logits?: boolean } = {},
): Graph {
  const graph = new Graph();
  const m = openModel(graph, c, p, false);
  const { batch: B, source: S, target: T } = shape;
  const names = stateNames(shape);
  const inner = c.heads * c.headWidth;
  const token = graph.state(names.token, 'i32', [B, 1]);
  const lengths = graph.input('srcLens', 'u32', [B]);
  const used = graph.state(names.used, 'u32', [B]);
  const logits = graph.scope('decoder', () => {
    let x = embed(m, 'tgt', { ids: token }, true); // [B, 1, D]
    const rows = cacheRows(graph, token, used, m.step, c.padId); // [B]
    for (let n = 0; n < c.decoderLayers; n++) {
      const layer = `transformer.decoder.layers.${n}`;
      const kept = graph.state(names.self(n), 'f32', [B, T, 2 * inner]);
      const source = graph.state(names.cross(n), 'f32', [B, S, 2 * inner]);
      const self = (y: Value) => cachedSelfAttend(m, `${layer}.self_attn`, y, { kept, rows, used });
      const cross = (y: Value) => crossAttend(m, `${layer}.multihead_attn`, y, source, lengths);
      x = graph.scope(`layers.${n}`, () => decoderLayer(m, layer, x, self, cross));
    }
    return project(m, finishDecoder(m, x)); // [B, 1, V]
  });
  if (options.logits) graph.output('logits', logits);
  const next = argmax(graph, logits);
  graph.place(next, token, 0);
  graph.output('token', next);
  fuseForward(graph);
  return graph;
}

/** Keys and values kept so far, [B,T,2HW], the row of each that the new token takes, and how many are in use then. */
interface Cache {
  readonly kept: Value;
  readonly rows: Value;
  readonly used: Value;
}

/** Self-attention of one new token a row, x [B,1,D], to the keys and values kept so far, its own included. */
function cachedSelfAttend(m: Model, name: string, x: Value, { kept, rows, used }: Cache): Value {
  const { graph } = m;
  const inner = m.config.heads * m.config.headWidth;
  return graph.scope('self_attn', () => {
    const qkv = affine(m, `${name}.in_proj_`, x); // [B, 1, 3HW]
    kvWrite(graph, kept, qkv, rows, inner);
    const out = crossAttention(graph, slice(graph, qkv, 0, inner), kept, used, m.step, heads(m)); // [B, 1, HW]
    return affine(m, `${name}.out_proj.`, out);
  });
}

// The graph that moves the unfinished sentences of a batch to a smaller one.

import { Graph } from '../engine/graph/graph.ts';
import { takeRows } from '../engine/ops/elementwise/take-rows.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { membersOf, type ParameterList } from '../model/parameter-layout.ts';
import { type DecodeShape, type DecodeState, layerStates, rowStates, stateOf } from './decoding-graphs.ts';

/**
 * Graph that moves unfinished sentences to a smaller batch: copies their states from shape `from` to shape
 * `to`. Input: indices u32 [to.batch], their indices in the larger batch.
 */
export function shrinkGraph(c: ModelConfig, p: ParameterList, from: DecodeShape, to: DecodeShape): Graph {
  const graph = new Graph();
  const indices = graph.input('indices', 'u32', [to.batch]);
  const take = (a: DecodeState, b: DecodeState, group: number) =>
    graph.place(takeRows(graph, stateOf(graph, a), indices, group), stateOf(graph, b), 0);
  const { beams = 1 } = from;
  for (const { config, parameters } of membersOf(c, p)) {
    const [before, after] = [from, to].map((shape) => layerStates(config, parameters, shape));
    for (let n = 0; n < config.decoderLayers; n++) {
      take(before?.cross[n] as DecodeState, after?.cross[n] as DecodeState, 1);
      take(before?.self[n] as DecodeState, after?.self[n] as DecodeState, beams);
    }
  }
  const [before, after] = [rowStates(from), rowStates(to)];
  for (const name of ['token', 'parent', 'slots', 'history', 'scores'] as const)
    take(before[name], after[name], beams);
  return graph;
}

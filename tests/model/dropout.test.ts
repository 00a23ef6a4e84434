// Where dropout is in the model: each place with its own rate and its own random numbers, and none in
// evaluation.

import { expect, it } from 'vitest';
import { Graph } from '../../src/engine/graph/graph.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { openTransformer } from '../../src/model/open-transformer.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { tokenInput, tokens } from '../../src/model/source-kind.ts';
import { decode, encode, project } from '../../src/model/transformer.ts';

const dropout = { embedding: 0.1, attention: 0.2, feedForward: 0.3, residual: 0.4, memory: 0.6, output: 0.5 };
const sizes = {
  srcVocab: 9,
  tgtVocab: 9,
  dModel: 8,
  heads: 2,
  feedForward: 16,
  encoderLayers: 1,
  decoderLayers: 1,
};

/** Op, scope, rate and site of all that drops. */
function drops(training: boolean, norm: 'pre' | 'post') {
  const c = modelConfig({ ...sizes, norm, dropout });
  const graph = new Graph();
  const m = openTransformer(graph, c, parameterList(c), training);
  const source = tokens.input(graph, c, 2, 5);
  project(m, decode(m, tokenInput(graph, 'tgt', 'tgt', 2, 5), encode(m, tokens, source), source.lengths));
  return graph.nodes.flatMap(({ op, scope, attrs }) => {
    const {
      rate = 0,
      dropout: inside = 0,
      site,
    } = attrs as { rate?: number; dropout?: number; site?: number };
    return rate + inside > 0 ? [{ what: `${op.name} ${scope} ${rate + inside}`, site }] : [];
  });
}

it.each(['pre', 'post'] as const)('acts at the places of the paper, each with its rate: %s-norm', (norm) => {
  const found = drops(true, norm);
  expect(found.map(({ what }) => what).sort()).toMatchInlineSnapshot(`
    [
      "cross_attention decoder.layers.0.multihead_attn 0.2",
      "dropout decoder 0.5",
      "dropout decoder.layers.0 0.4",
      "dropout decoder.layers.0 0.4",
      "dropout decoder.layers.0 0.4",
      "dropout decoder.layers.0.linear2 0.3",
      "dropout encoder 0.6",
      "dropout encoder.layers.0 0.4",
      "dropout encoder.layers.0 0.4",
      "dropout encoder.layers.0.linear2 0.3",
      "embedding decoder.embed 0.1",
      "embedding encoder.embed 0.1",
      "self_attention decoder.layers.0.self_attn 0.2",
      "self_attention encoder.layers.0.self_attn 0.2",
    ]
  `);
  expect(new Set(found.map(({ site }) => site)).size).toBe(found.length);
  expect(drops(false, norm)).toEqual([]);
});

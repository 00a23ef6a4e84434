// Token embeddings and positions as ONNX operators.

import { sharesEmbeddings } from '../../model/model-config.ts';
import { fixedPositions } from '../../model/parameters.ts';
import { axisSize, type Builder, floats, lookUp, vector } from './onnx-builder.ts';
import type { Name } from './onnx-graph.ts';
import { norm } from './onnx-layers.ts';

/** Token embeddings times sqrt(D), plus positions; the first is `past` [1]: ids [B, T] -> [B, T, D]. */
export function embed(b: Builder, side: 'src' | 'tgt', ids: Name, past: Name): Name {
  const { graph: g, config: c } = b;
  const tokens = lookUp(b, side === 'src' || sharesEmbeddings(c) ? 'src_embed.weight' : 'tgt_embed.weight', ids);
  const scaled = c.scaleEmbedding ? g.op('Mul', [tokens, g.scalar(Math.sqrt(c.dModel))]) : tokens;
  const positions = positionRows(b, side, ids, past);
  const x = positions ? g.op('Add', [scaled, positions]) : scaled;
  return c.embeddingNorm ? norm(b, `${side}_embed_norm`, x) : x;
}

/** The position embeddings of `ids`, [T, D] or [B, T, D]; undefined if the model has none. */
function positionRows(b: Builder, side: 'src' | 'tgt', ids: Name, past: Name): Name | undefined {
  const { graph: g, config: c } = b;
  const learned = c.positions === 'learned';
  const fixed = fixedPositions(c);
  const table = learned
    ? vector(b, `${side}_pos.weight`)
    : fixed && floats(b, 'positions', [fixed.length / c.dModel, c.dModel], fixed);
  if (table === undefined) return undefined;
  const offset = learned ? c.positionOffset : c.positions === 'fairseq-sinusoidal' ? c.padId : 0;
  let places = positionsFrom(b, past, axisSize(b, ids, 1)); // [T]
  let last = c.maxLength - 1;
  if (c.positions === 'fairseq-sinusoidal') {
    // The k-th token of a row that is not padding has the position k, from 1; padding has 0.
    const visible = g.op('Cast', [g.op('Not', [g.op('Equal', [ids, g.integers(c.padId)])])], { to: 7 });
    const counted = g.op('Add', [g.op('CumSum', [visible, g.integers(1)]), past]);
    places = g.op('Mul', [counted, visible]); // [B, T]
    last = c.maxLength;
  }
  return g.op('Gather', [table, g.op('Add', [g.op('Min', [places, g.integers(last)]), g.integers(offset)])]);
}

/** The positions of `added` [1] tokens after `past` [1] tokens: [T]. */
export function positionsFrom({ graph: g }: Builder, past: Name, added: Name): Name {
  const number = (name: Name) => g.op('Squeeze', [name, g.integers(0)]);
  return g.op('Range', [number(past), number(g.op('Add', [past, added])), number(g.integers(1))]);
}

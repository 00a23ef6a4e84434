// Embeddings of tokens with their positions (sections 3.4 and 3.5 of the paper), on both sides of a model.

import { embedding } from '../engine/ops/embedding/embedding.ts';
import { tokenPositions } from '../engine/ops/embedding/token-positions.ts';
import type { Value } from '../engine/ops/op.ts';
import { sharesEmbeddings } from './model-config.ts';
import { fixedPositionRows, grownPositions, positionKind } from './positions.ts';
import { Scope, type Transformer } from './scope.ts';

/** Token ids i32 [B, S or T] and true lengths u32 [B]. */
export interface Tokens {
  readonly ids: Value;
  readonly lengths: Value;
  /**
   * In training, the positions sorted by token id, for the gradient of the embedding; see fillTokenIndex in
   * src/text.
   */
  readonly index?: { readonly rowStart: Value; readonly occurrences: Value };
}

/** The state of a table of fixed positions [rows, D]. */
function positionTable({ graph, config: c, stateSuffix, grownFrom }: Transformer, rows: number): Value {
  // With more positions there is the table of the configuration, too, which is written with the weights.
  const own = `positions${stateSuffix}`;
  const stateOf = (name: string, length: number) => graph.state(name, 'f32', [length, c.dModel]);
  if (grownFrom) stateOf(own, fixedPositionRows(grownFrom));
  return stateOf(grownFrom ? grownPositions(own, rows) : own, rows);
}

/**
 * Token embeddings times sqrt(D) plus positions (sections 3.4 and 3.5): ids [B, T] -> [B, T, D]. In decoding
 * T is 1, the position is that of `step`, and `history` [B, Tmax] has the tokens so far.
 */
export function embed(
  m: Transformer,
  side: 'src' | 'tgt',
  tokens: Pick<Tokens, 'ids' | 'index'>,
  history?: Value,
): Value {
  const { config: c, graph: g } = m;
  const model = new Scope(m);
  const { isLearned = false, skipsPadding } = positionKind(c);
  const rows = fixedPositionRows(c);
  const fixed = rows > 0 ? positionTable(m, rows) : undefined;
  const positions = isLearned ? model.weight(`${side}_pos.weight`) : fixed; // [L, D]
  const positionIds = skipsPadding
    ? g.scope('embed', () => tokenPositions(g, history ?? tokens.ids, { padId: c.padId }, history && m.step))
    : undefined; // [B, T]
  const table = side === 'src' || sharesEmbeddings(c) ? 'src_embed.weight' : 'tgt_embed.weight'; // [V, D]
  const options = {
    scale: c.scaleEmbedding ? Math.sqrt(c.dModel) : 1,
    offset: c.positionOffset,
    decode: history !== undefined,
    step: m.step,
    positions,
    positionIds,
  };
  const rate = c.dropout.embedding;
  const quantized = m.quantized?.has(table) && m.quantized;
  const dropsItself = m.training && !quantized && !c.embeddingNorm;
  const x = g.scope('embed', () =>
    quantized
      ? quantized.embedding(tokens.ids, table, { ...options, width: c.dModel })
      : embedding(g, tokens.ids, model.weight(table), {
          ...options,
          learned: isLearned,
          frozenId: c.trainPadding || c.padId < 0 ? undefined : c.padId,
          index: tokens.index,
          rate: dropsItself ? rate : 0,
          site: dropsItself ? m.nextSite() : 0,
        }),
  );
  const y = c.embeddingNorm ? model.norm(`${side}_embed_norm`, x) : x;
  return dropsItself ? y : model.dropout(y, rate); // [B, T, D]
}

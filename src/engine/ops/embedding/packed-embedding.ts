// Token embedding from a table stored in 16, 8 or 4 bits, with its scale and positions. The table is not trained.

import { dim, sizeOf } from '../../../core/tensor.ts';
import type { PackedValue } from '../matmul/packed-linear.ts';
import {
  expectPacked,
  type PackedFormat,
  packedBlocks,
  packedConstants,
  packedShader,
  scalesPerRow,
  vecsOf,
} from '../matmul/packed-weights.ts';
import { applyOp, attrsOf, type Builder, defineOp, sampleIds, type Value } from '../op.ts';
import { expectOptions } from '../type-checks.ts';
import { gridOf, rowConstants, rowGroupsFor, shaderFor } from '../work-division.ts';
import { type LookupAttrs, lookupType } from './embedding.ts';

/**
 * ids [B,T], words u32 [V, words of D], the scales of the format, positions [L,D], positionIds as in
 * `embeddingOp`, step if decoding; out [B,T,D] = table[ids] * scale + positions.
 */
export const packedEmbeddingOp = defineOp({
  name: 'packed_embedding',
  inputs: ['ids', 'words', 'scales?', 'positions?', 'positionIds?', 'step?'],
  outputs: ['out'],
  /** Attributes of a packed embedding. */
  attrs: attrsOf<LookupAttrs & { readonly format: PackedFormat; readonly width: number }>({
    scale: 'number',
    offset: 'number',
    decode: 'boolean',
    format: 'string',
    width: 'number',
  }),
  shape({ ids, words, scales, positions, positionIds, step }, attrs) {
    expectPacked('packed_embedding', attrs.format, words, scales, attrs.width);
    return { out: lookupType('packed_embedding', attrs.width, { ids, positions, positionIds, step }, attrs) };
  },
  variants: (_inputs: unknown, { width }: { readonly width: number }) => rowGroupsFor(width),
  sample: ({ words }) => ({ ids: sampleIds(dim(words, 0)) }),
  launch({ ids, words, scales, positions, positionIds, step }, { out }, attrs, { variant, traits }) {
    const { format, scale, offset, decode } = attrs;
    const [batch = 0, length = 0, width = 0] = out.shape;
    const vecs = vecsOf(format, width);
    return packedBlocks(words, scales, traits.maxBindingBytes).map(({ first, weights, ...block }) => ({
      shader: shaderFor(packedShader('packed-embedding', format), width),
      entry: 'embedding',
      constants: {
        ...rowConstants(variant),
        ...packedConstants(format),
        POSITIONS: positions ? 1 : 0,
        POSITION_IDS: positionIds ? 1 : 0,
        DECODE: decode ? 1 : 0,
      },
      params: {
        tokens: batch * length,
        length,
        width,
        vecs,
        scale_words: scalesPerRow(format, width),
        first,
        rows: block.rows,
        last: dim(words, 0) - 1,
        position_rows: positions ? dim(positions, 0) : 0,
        offset,
        scale,
      },
      bind: {
        ids,
        ...weights,
        positions,
        position_ids: positionIds,
        out,
        step,
      },
      grid: gridOf(batch * length, variant.rows),
      flops: 2 * sizeOf(out.shape),
    }));
  },
});

/** Options of `packedEmbedding`; as `EmbeddingOptions`. */
export interface PackedEmbeddingOptions extends Partial<LookupAttrs> {
  readonly width: number;
  readonly positions?: Value;
  readonly positionIds?: Value;
  readonly step?: Value;
}

const optionNames = ['width', 'scale', 'offset', 'decode', 'positions', 'positionIds', 'step'];

/**
 * table[ids] * scale + positions for ids [B,T] and a packed table: [B,T,width].
 *
 * @example
 * const words = graph.state('table', 'u32', [8000, wordsOf('f16', 64)]);
 * const y = packedEmbedding(graph, graph.input('ids', 'i32', [32, 1]), { format: 'f16', words }, { width: 64 });
 */
export function packedEmbedding(
  builder: Builder,
  ids: Value,
  table: PackedValue,
  options: PackedEmbeddingOptions,
): Value {
  expectOptions('packed_embedding', options, optionNames);
  const { format, ...stored } = { ...table };
  const { width, scale = 1, positions, positionIds, offset = 0, decode = false, step } = options;
  const inputs = { ...stored, ids, positions, positionIds, step: decode ? step : undefined };
  return applyOp(builder, packedEmbeddingOp, inputs, { format, width, scale, offset, decode }).out;
}

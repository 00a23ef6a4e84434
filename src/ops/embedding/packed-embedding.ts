// Token embedding of a table that is kept as f16 or int8, with its scale and positions; for inference, without a gradient.

import { check } from '../../core/errors.ts';
import { show, sizeOf } from '../../core/tensor.ts';
import { expectStep, expectType } from '../expect.ts';
import type { PackedValue } from '../matmul/packed-linear.ts';
import { cellsOf, expectPacked, type PackedFormat, unpacked } from '../matmul/packed-weights.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';

/** Settings of a packed embedding; as those of `embedding`. */
export type PackedEmbeddingAttrs = {
  readonly format: PackedFormat;
  readonly width: number;
  readonly scale: number;
  /** Whether a table of positions is added. */
  readonly positions: boolean;
  /** Row of position 0 in it. */
  readonly offset: number;
  /** Whether the first column of ids is at step.position instead of 0. */
  readonly decode: boolean;
};

const shaders = { f16: 'packed-embedding-f16', int8: 'packed-embedding-int8' } as const;

/** The inputs by name. */
function named<T>(inputs: readonly T[], { format, positions, decode }: PackedEmbeddingAttrs) {
  const [ids, words, ...rest] = inputs;
  return {
    ids,
    words,
    scales: format === 'int8' ? rest.shift() : undefined,
    positions: positions ? rest.shift() : undefined,
    step: decode ? rest.shift() : undefined,
  };
}

/**
 * Inputs ids [B,T], words u32 [V, words of D], scales f32 [V] where the format is int8, then as the attributes say positions [L,D] and
 * step; out [B,T,D] = table[ids] * scale + positions.
 */
export const packedEmbeddingOp = defineOp<PackedEmbeddingAttrs>({
  name: 'packed_embedding',
  shape(inputs, attrs) {
    const { ids, words, scales, positions, step } = named(inputs, attrs);
    const { width, offset } = attrs;
    check(ids?.shape.length === 2, 'packed_embedding: needs ids [B,T]');
    check(ids.dtype === 'i32' || ids.dtype === 'u32', `packed_embedding: ids are ${ids.dtype}, must be i32 or u32`);
    expectPacked('packed_embedding', attrs.format, words, scales, width);
    const [B = 0, T = 0] = ids.shape;
    if (attrs.positions) {
      const L = positions?.shape[0] ?? 0;
      expectType('packed_embedding', 'positions', positions, 'f32', [L, width], 'as wide as the table');
      check(
        offset + T <= L,
        () => `packed_embedding: ids ${show(ids.shape)} need ${offset + T} positions, the table has ${L}`,
      );
    }
    if (attrs.decode) expectStep('packed_embedding', step);
    return [{ dtype: 'f32', shape: [B, T, width] }];
  },
  launch({ attrs, inputs, outputs }) {
    const { ids, words, scales, positions, step } = named(inputs, attrs);
    const out = outputs[0]!;
    const [batch = 0, length = 0, width = 0] = out.shape;
    const cells = cellsOf(width);
    return [
      {
        shader: shaders[attrs.format],
        entry: 'embedding',
        constants: { POSITIONS: attrs.positions ? 1 : 0, DECODE: attrs.decode ? 1 : 0 },
        params: {
          places: batch * length,
          length,
          width,
          vecs: cells,
          rows: words!.shape[0]!,
          position_rows: positions?.shape[0] ?? 0,
          offset: attrs.offset,
          scale: attrs.scale,
        },
        bind: {
          ids: ids!,
          w: words!,
          ...(scales && { scales }),
          positions: positions ?? words!,
          out,
          ...(step && { step }),
        },
        grid: gridOf(batch * length * cells, 64),
        flops: 2 * sizeOf(out.shape),
      },
    ];
  },
  reference({ attrs, inputs, outputs: [out] }) {
    const { ids, words, scales, positions, step } = named(inputs, attrs);
    const [, T = 0, D = 0] = out!.shape;
    const first = attrs.offset + (attrs.decode ? readStep(step!.data).position : 0);
    for (let i = 0; i < out!.data.length; i++) {
      const place = Math.floor(i / D);
      const id = ids!.data[place]!;
      let value = unpacked(attrs.format, words!.data, words!.shape[1]!, scales?.data, id, i % D) * attrs.scale;
      if (positions) value += positions.data[((place % T) + first) * D + (i % D)]!;
      out!.data[i] = value;
    }
  },
});

/** What `packedEmbedding` takes beside ids and table; as `EmbeddingOptions`. */
export interface PackedEmbeddingOptions {
  readonly width: number;
  readonly scale?: number;
  readonly positions?: Value;
  readonly offset?: number;
  readonly decode?: boolean;
  readonly step?: Value;
}

/** table[ids] * scale + positions for ids [B,T] and a packed table: [B,T,width]. */
export function packedEmbedding(
  builder: Builder,
  ids: Value,
  { format, words, scales }: PackedValue,
  { width, scale = 1, positions, offset = 0, decode = false, step }: PackedEmbeddingOptions,
): Value {
  const inputs = [ids, words, ...(scales ? [scales] : []), ...(positions ? [positions] : [])];
  if (decode && step) inputs.push(step);
  const attrs = { format, width, scale, positions: positions !== undefined, offset, decode };
  return builder.apply(packedEmbeddingOp, inputs, attrs)[0]!;
}

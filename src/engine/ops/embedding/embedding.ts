// Token embedding with its scale, positions and dropout in one kernel.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { type DropoutAttrs, dropoutFields } from '../elementwise/elementwise-ops.ts';
import {
  applyOp,
  attrsOf,
  type Builder,
  defineOp,
  type Launch,
  sampleIds,
  type TensorTypes,
  type Value,
} from '../op.ts';
import { expectDropout, expectOptions, expectStep, expectType } from '../type-checks.ts';
import { gridOf, type RowGroup, rowConstants, rowGroupsFor, shaderFor } from '../work-division.ts';

/** Row number that means no row, for kernels. */
export const noId = 0xffffffff;

/** Attributes that all embeddings have. */
export type LookupAttrs = {
  /** Factor of the table's rows: 1, or sqrt(D). */
  readonly scale: number;
  /** Row of position 0 in the table of positions (BART: 2). */
  readonly offset: number;
  /** Whether the first column of ids is at step.position instead of 0. */
  readonly decode: boolean;
};

/**
 * Id of the row of the table that look-ups do not train (PyTorch's padding_idx). Default: all rows are
 * trained.
 */
export type FrozenId = { readonly frozenId?: number };

/** Attributes of an embedding; the builder function `embedding` sets them. */
export type EmbeddingAttrs = LookupAttrs &
  DropoutAttrs &
  FrozenId & { readonly positions: 'none' | 'fixed' | 'learned' };

/**
 * Output type of an embedding of width D. Throws a HeddleError if an input, or the step of decoding, does not
 * fit.
 */
export function lookupType(
  op: string,
  D: number,
  {
    ids,
    positions,
    positionIds,
    step,
  }: {
    readonly ids: TensorType;
    readonly positions?: TensorType;
    readonly positionIds?: TensorType;
    readonly step?: TensorType;
  },
  { offset, decode }: LookupAttrs,
): TensorType {
  check(ids.shape.length === 2, () => msg`ids are ${show(ids.shape)}, must be [B,T]`, { area: op });
  check(ids.dtype === 'i32' || ids.dtype === 'u32', msg`ids are ${ids.dtype}, must be i32 or u32`, {
    area: op,
  });
  const [B = 0, T = 0] = ids.shape;
  if (positions) {
    const L = dim(positions, 0);
    expectType(op, 'positions', positions, 'f32', [L, D], 'as wide as the table');
    check(
      offset + T <= L,
      () =>
        msg`ids ${show(ids.shape)} need ${offset + T} positions, the table has ${L}; use shorter sequences`,
      { area: op },
    );
  }
  if (positionIds) expectType(op, 'positionIds', positionIds, 'u32', [B, T], 'one for each id');
  if (decode) expectStep(op, step);
  return tensorType('f32', [B, T, D]);
}

/**
 * ids [B,T] (-1: no token, a zero row), table [V,D], positions [L,D], position ids [B,T] (default: the column of the
 * id), step for decoding or dropout and, if the table is trained, the sorted positions of each id: rowStart [V+1],
 * occurrences [B*T]; out [B,T,D].
 */
export const embeddingOp = defineOp({
  name: 'embedding',
  inputs: ['ids', 'table', 'positions?', 'positionIds?', 'step?', 'rowStart?', 'occurrences?'],
  outputs: ['out'],
  attrs: attrsOf<EmbeddingAttrs>({
    scale: 'number',
    offset: 'number',
    decode: 'boolean',
    rate: 'number',
    site: 'number',
    frozenId: 'number?',
    positions: 'string',
  }),
  shape({ ids, table, positions, positionIds, step, rowStart, occurrences }, attrs) {
    check(table.shape.length === 2, () => msg`table is ${show(table.shape)}, must be [V,D]`, {
      area: 'embedding',
    });
    expectType('embedding', 'table', table, 'f32');
    const [V = 0, D = 0] = table.shape;
    expectDropout('embedding', attrs.rate, step);
    const out = lookupType('embedding', D, { ids, positions, positionIds, step }, attrs);
    if (rowStart) expectType('embedding', 'rowStart', rowStart, 'u32', [V + 1]);
    if (occurrences) expectType('embedding', 'occurrences', occurrences, 'u32', [sizeOf(ids.shape)]);
    return { out };
  },
  f16Storage: ['out'],
  variants: ({ table }: TensorTypes<'table'>) => rowGroupsFor(dim(table, 1)),
  sample: ({ table }) => ({ ids: sampleIds(dim(table, 0)) }),
  launch(
    { ids, table, positions, positionIds, step },
    { out },
    { scale, offset, decode, ...mask },
    { variant },
  ) {
    const [batch = 0, length = 0, width = 0] = out.shape;
    const position_rows = positions ? dim(positions, 0) : 0;
    const params = { batch, length, width, rows: dim(table, 0), position_rows, scale, offset, frozen: noId };
    const constants = {
      POSITIONS: positions ? 1 : 0,
      POSITION_IDS: positionIds ? 1 : 0,
      DECODE: decode ? 1 : 0,
    };
    const bind = { ids, table, positions, position_ids: positionIds, out, step };
    const launch = embeddingLaunch('embedding', batch * length, mask, params, constants, bind, variant);
    return [{ ...launch, flops: 2 * sizeOf(out.shape) }];
  },
});

/** A dispatch of embedding.wgsl with a row group for each of `rows` rows. */
export function embeddingLaunch(
  entry: string,
  rows: number,
  mask: DropoutAttrs,
  sizes: Record<'batch' | 'length' | 'width' | 'rows' | 'scale' | 'offset' | 'frozen', number>,
  constants: Record<string, number>,
  bind: Launch['bind'],
  variant: RowGroup,
): Launch {
  return {
    shader: shaderFor('embedding', sizes.width),
    entry,
    constants: { ...rowConstants(variant), ...constants, DROPOUT: mask.rate > 0 ? 1 : 0 },
    params: { position_rows: 0, ...sizes, ...dropoutFields(mask) },
    bind,
    grid: gridOf(rows, variant.rows),
    flops: sizes.batch * sizes.length * sizes.width,
  };
}

/** Options of `embedding`. */
export interface EmbeddingOptions extends Partial<LookupAttrs & DropoutAttrs>, FrozenId {
  /** Table [L,D] added by position: a state filled by `sinusoids`, or a weight. */
  readonly positions?: Value;
  /**
   * Position ids u32 [B,T], the row of `positions` for each id, from `tokenPositions`. Default: the column of
   * the id.
   */
  readonly positionIds?: Value;
  /** Whether the table of positions is trained. */
  readonly learned?: boolean;
  /** The graph's step input; needed for decoding and for dropout. */
  readonly step?: Value;
  /** Positions where each id occurs, as `fillTokenIndex` writes them; needed if the table is trained. */
  readonly index?: { readonly rowStart: Value; readonly occurrences: Value };
}

const optionNames = [
  'scale',
  'offset',
  'decode',
  'rate',
  'site',
  'frozenId',
  'positions',
  'positionIds',
  'learned',
  'step',
  'index',
] satisfies (keyof EmbeddingOptions)[];

/**
 * dropout(table[ids] * scale + positions) for ids [B,T]: [B,T,D].
 *
 * @example
 * const ids = graph.input('ids', 'i32', [32, 20]);
 * const y = embedding(graph, ids, graph.state('table', 'f32', [8000, 64]), { scale: 8 }); // [32, 20, 64]
 */
export function embedding(builder: Builder, ids: Value, table: Value, options: EmbeddingOptions = {}): Value {
  expectOptions('embedding', options, optionNames);
  const { scale = 1, positions, learned = false, offset = 0, decode = false } = options;
  const { step, rate = 0, site = 0, index, positionIds, frozenId } = options;
  const inputs = {
    ids,
    table,
    positions,
    positionIds,
    step: decode || rate > 0 ? step : undefined,
    ...index,
  };
  const kind = positions ? (learned ? 'learned' : 'fixed') : 'none';
  return applyOp(builder, embeddingOp, inputs, {
    scale,
    positions: kind,
    offset,
    decode,
    rate,
    site,
    frozenId,
  }).out;
}

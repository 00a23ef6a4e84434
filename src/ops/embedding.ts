// Token embedding with its scale, positions and dropout in one kernel, and the gradients of both tables.

import { check, HeddleError } from '../errors.ts';
import { show, sizeOf } from '../tensor.ts';
import { dropoutFields } from './dropout.ts';
import { dropoutMask } from './dropout-mask.ts';
import { expectRate, expectStep, expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Launch, type Value } from './op.ts';
import { readStep } from './step.ts';

/** Settings of an embedding; the builder function `embedding` sets them. */
export type EmbeddingAttrs = {
  /** What the table's rows are multiplied by: 1, or sqrt(D). */
  readonly scale: number;
  /** `fixed` positions have no gradient. */
  readonly positions: 'none' | 'fixed' | 'learned';
  /** Row of position 0 in the table of positions (BART: 2). */
  readonly offset: number;
  /** Whether the first column of ids is at step.position instead of 0. */
  readonly decode: boolean;
  readonly rate: number;
  readonly site: number;
  /** Whether the places of each id are among the inputs, which the table's gradient needs. */
  readonly indexed: boolean;
};

/** The inputs by name; the optional ones stand in this order and are there as the attributes say. */
function named<T>(inputs: readonly T[], a: Omit<EmbeddingAttrs, 'scale' | 'offset' | 'site'>) {
  const rest = inputs.slice(2);
  return {
    ids: inputs[0],
    table: inputs[1],
    positions: a.positions === 'none' ? undefined : rest.shift(),
    step: a.decode || a.rate > 0 ? rest.shift() : undefined,
    rowStart: a.indexed ? rest.shift() : undefined,
    occurrences: a.indexed ? rest.shift() : undefined,
  };
}

/** Inputs ids [B,T], table [V,D], then as the attributes say positions [L,D], step, rowStart [V+1], occurrences [B*T]; out [B,T,D]. */
export const embeddingOp = defineOp<EmbeddingAttrs>({
  name: 'embedding',
  shape(inputs, attrs) {
    const { ids, table, positions, step, rowStart, occurrences } = named(inputs, attrs);
    check(
      ids && table && ids.shape.length === 2 && table.shape.length === 2,
      'embedding: needs ids [B,T] and table [V,D]',
    );
    expectType('embedding', 'table', table, 'f32');
    check(ids.dtype === 'i32' || ids.dtype === 'u32', `embedding: ids are ${ids.dtype}, must be i32 or u32`);
    const [B = 0, T = 0] = ids.shape;
    const [V = 0, D = 0] = table.shape;
    expectRate('embedding', attrs.rate);
    if (attrs.positions !== 'none') {
      const L = positions?.shape[0] ?? 0;
      expectType('embedding', 'positions', positions, 'f32', [L, D], 'as wide as the table');
      check(
        attrs.offset + T <= L,
        () =>
          `embedding: ids ${show(ids.shape)} need ${attrs.offset + T} positions, the table has ${L}; use shorter sequences`,
      );
    }
    if (attrs.decode || attrs.rate > 0) expectStep('embedding', step);
    if (attrs.indexed) {
      expectType('embedding', 'rowStart', rowStart, 'u32', [V + 1]);
      expectType('embedding', 'occurrences', occurrences, 'u32', [B * T]);
    }
    return [{ dtype: 'f32', shape: [B, T, D] }];
  },
  launch({ inputs, outputs, attrs }) {
    const { ids, table, positions, step } = named(inputs, attrs);
    const out = outputs[0]!;
    const [batch = 0, length = 0, width = 0] = out.shape;
    return [
      {
        shader: 'embedding',
        entry: 'embedding',
        constants: { POSITIONS: positions ? 1 : 0, DECODE: attrs.decode ? 1 : 0, DROPOUT: attrs.rate > 0 ? 1 : 0 },
        params: {
          batch,
          length,
          width,
          rows: table!.shape[0]!,
          position_rows: positions?.shape[0] ?? 0,
          offset: attrs.offset,
          scale: attrs.scale,
          ...dropoutFields(attrs),
        },
        bind: { ids: ids!, table: table!, positions: positions ?? table!, out, ...(step && { step }) },
        grid: gridOf(sizeOf(out.shape), 256),
        flops: 2 * sizeOf(out.shape),
      },
    ];
  },
  grad(builder, { inputs, attrs }, [dy]) {
    if (!dy) return [];
    const { table, positions, step, rowStart, occurrences } = named(inputs, attrs);
    if (attrs.decode) throw new HeddleError('embedding: decoding at step.position has no gradient');
    const mask = { rate: attrs.rate, site: attrs.site };
    const random = attrs.rate > 0 ? [step!] : [];
    let dtable: Value | undefined;
    if (builder.needs(table!)) {
      if (!rowStart || !occurrences)
        throw new Error('embedding: the gradient of the table needs rowStart and occurrences');
      dtable = builder.apply(embeddingBackwardOp, [dy, rowStart, occurrences, ...random], {
        ...mask,
        scale: attrs.scale,
        onto: false,
      })[0];
    }
    if (attrs.positions !== 'learned' || !builder.needs(positions!)) return [undefined, dtable];
    const rows = positions!.shape[0]!;
    const dpositions = builder.apply(positionBackwardOp, [dy, ...random], { ...mask, rows, offset: attrs.offset })[0];
    return [undefined, dtable, dpositions];
  },
  reference({ attrs, inputs, outputs: [out] }) {
    const { ids, table, positions, step } = named(inputs, attrs);
    const [, T = 0, D = 0] = out!.shape;
    const scalars = step && readStep(step.data);
    const factor = attrs.rate > 0 ? dropoutMask(scalars!, attrs.site, attrs.rate) : () => 1;
    for (let i = 0; i < out!.data.length; i++) {
      const place = Math.floor(i / D);
      const row = (place % T) + attrs.offset + (attrs.decode ? scalars!.position : 0);
      let x = table!.data[ids!.data[place]! * D + (i % D)]! * attrs.scale;
      if (positions) x += positions.data[row * D + (i % D)]!;
      out!.data[i] = x * factor(i);
    }
  },
});

/** Settings of `embeddingBackwardOp`. */
export type EmbeddingBackwardAttrs = {
  readonly scale: number;
  readonly rate: number;
  readonly site: number;
  /** Whether there is a gradient `base` to add to. */
  readonly onto: boolean;
};

/**
 * Inputs dy [B,T,D], rowStart [V+1], occurrences [B*T], step where rate > 0, base [V,D] where `onto`; dtable [V,D], which may take
 * the memory of base. Sums go over the occurrences in their order, so the same batch gives the same bits.
 */
export const embeddingBackwardOp = defineOp<EmbeddingBackwardAttrs>({
  name: 'embedding_backward',
  shape(inputs, { rate, onto }) {
    const dy = inputAt('embedding_backward', inputs, 0, 'dy');
    const rowStart = inputAt('embedding_backward', inputs, 1, 'rowStart');
    const D = dy.shape[dy.shape.length - 1] ?? 0;
    const shape = [sizeOf(rowStart.shape) - 1, D];
    expectType('embedding_backward', 'occurrences', inputs[2], 'u32', [sizeOf(dy.shape) / D], 'rows of dy');
    if (rate > 0) expectStep('embedding_backward', inputs[3]);
    if (onto)
      expectType('embedding_backward', 'base', inputs[inputs.length - 1], 'f32', shape, 'V of rowStart, D of dy');
    return [{ dtype: 'f32', shape }];
  },
  inPlace: ({ inputs, attrs }) => (attrs.onto ? [[inputs.length - 1, 0]] : []),
  launch({ inputs, outputs, attrs }, { shared }) {
    const [dy, rowStart, occurrences] = inputs as [Value, Value, Value];
    const dtable = outputs[0]!;
    const base = inputs[inputs.length - 1]!;
    const [batch, length] = [1, sizeOf(occurrences.shape)];
    const [rows = 0, width = 0] = dtable.shape;
    const inPlace = attrs.onto && shared(inputs.length - 1, 0);
    const form = inPlace ? '_in_place' : attrs.onto ? '_onto' : '';
    return [
      backwardLaunch(
        `embedding_backward${form}`,
        attrs,
        { batch, length, width, rows, scale: attrs.scale, offset: 0 },
        dtable,
        {
          dy,
          row_start: rowStart,
          occurrences,
          ...(form === '_onto' && { base }),
          dtable,
          ...(attrs.rate > 0 && { step: inputs[3]! }),
        },
      ),
    ];
  },
  reference({ attrs, inputs, outputs: [dtable] }) {
    const [dy, rowStart, occurrences] = inputs;
    const [V = 0, D = 0] = dtable!.shape;
    const factor = attrs.rate > 0 ? dropoutMask(readStep(inputs[3]!.data), attrs.site, attrs.rate) : () => 1;
    for (let v = 0; v < V; v++)
      for (let c = 0; c < D; c++) {
        let sum = 0;
        for (let k = rowStart!.data[v]!; k < rowStart!.data[v + 1]!; k++) {
          const i = occurrences!.data[k]! * D + c;
          sum += dy!.data[i]! * factor(i);
        }
        const base = attrs.onto ? inputs[inputs.length - 1]!.data[v * D + c]! : 0;
        dtable!.data[v * D + c] = base + sum * attrs.scale;
      }
  },
});

/** Settings of `positionBackwardOp`: `rows` of the table, `offset` the row of position 0. */
export type PositionBackwardAttrs = {
  readonly rows: number;
  readonly offset: number;
  readonly rate: number;
  readonly site: number;
};

/** Inputs dy [B,T,D], step where rate > 0; dpositions [rows,D], the sum over the batch, zero where no position reaches. */
export const positionBackwardOp = defineOp<PositionBackwardAttrs>({
  name: 'position_backward',
  shape(inputs, { rows, rate }) {
    const dy = inputAt('position_backward', inputs, 0, 'dy');
    check(dy.shape.length === 3, () => `position_backward: dy is ${show(dy.shape)}, must be [B,T,D]`);
    if (rate > 0) expectStep('position_backward', inputs[1]);
    return [{ dtype: 'f32', shape: [rows, dy.shape[2]!] }];
  },
  launch({ inputs, outputs, attrs }) {
    const dy = inputs[0]!;
    const dtable = outputs[0]!;
    const [batch = 0, length = 0, width = 0] = dy.shape;
    const sizes = { batch, length, width, rows: attrs.rows, scale: 1, offset: attrs.offset };
    return [
      backwardLaunch('position_backward', attrs, sizes, dtable, { dy, dtable, ...(inputs[1] && { step: inputs[1] }) }),
    ];
  },
  reference({ attrs, inputs: [dy, step], outputs: [dpositions] }) {
    const [, T = 0, D = 0] = dy!.shape;
    const factor = attrs.rate > 0 ? dropoutMask(readStep(step!.data), attrs.site, attrs.rate) : () => 1;
    for (let i = 0; i < dy!.data.length; i++) {
      const row = (Math.floor(i / D) % T) + attrs.offset;
      dpositions!.data[row * D + (i % D)]! += dy!.data[i]! * factor(i);
    }
  },
});

type Sizes = Record<'batch' | 'length' | 'width' | 'rows' | 'scale' | 'offset', number>;

function backwardLaunch(
  entry: string,
  mask: { rate: number; site: number },
  sizes: Sizes,
  out: Value,
  bind: Launch['bind'],
): Launch {
  return {
    shader: 'embedding',
    entry,
    constants: { DROPOUT: mask.rate > 0 ? 1 : 0 },
    params: { ...sizes, position_rows: 0, ...dropoutFields(mask) },
    bind,
    grid: gridOf(sizeOf(out.shape), 256),
    flops: sizes.batch * sizes.length * sizes.width,
  };
}

/** What `embedding` takes beside ids and table. */
export interface EmbeddingOptions {
  readonly scale?: number;
  /** Table [L,D] added by position: a state filled by `sinusoids`, or a weight. */
  readonly positions?: Value;
  /** Whether the table of positions is trained. */
  readonly learned?: boolean;
  readonly offset?: number;
  readonly decode?: boolean;
  /** The graph's step input; needed for decoding and for dropout. */
  readonly step?: Value;
  readonly rate?: number;
  readonly site?: number;
  /** Places of the ids, `embeddingIndex` of the batch; needed where the table is trained. */
  readonly index?: { readonly rowStart: Value; readonly occurrences: Value };
}

/** dropout(table[ids] * scale + positions) for ids [B,T]: [B,T,D]. */
export function embedding(builder: Builder, ids: Value, table: Value, options: EmbeddingOptions = {}): Value {
  const {
    scale = 1,
    positions,
    learned = false,
    offset = 0,
    decode = false,
    step,
    rate = 0,
    site = 0,
    index,
  } = options;
  const inputs = [ids, table];
  if (positions) inputs.push(positions);
  if (decode || rate > 0) inputs.push(...(step ? [step] : []));
  if (index) inputs.push(index.rowStart, index.occurrences);
  return builder.apply(embeddingOp, inputs, {
    scale,
    positions: positions ? (learned ? 'learned' : 'fixed') : 'none',
    offset,
    decode,
    rate,
    site,
    indexed: index !== undefined,
  })[0]!;
}

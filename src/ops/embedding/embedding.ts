// Token embedding with its scale, positions and dropout in one kernel, and the gradients of both tables.

import { check, HeddleError } from '../../core/errors.ts';
import { show, sizeOf } from '../../core/tensor.ts';
import { dropoutMask } from '../dropout-mask.ts';
import { dropoutFields } from '../elementwise/dropout.ts';
import { cellsPerThread, elementwiseVariants } from '../elementwise-launch.ts';
import { expectRate, expectStep, expectType } from '../expect.ts';
import { type Builder, defineOp, gridOf, sampleIds, type Value } from '../op.ts';
import { cellOf, shaderFor } from '../row-groups.ts';
import { readStep } from '../step-scalars.ts';
import { embeddingBackwardOp, positionBackwardOp } from './embedding-backward.ts';

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
  half: () => ({ inputs: [], outputs: [0] }),
  variants: elementwiseVariants,
  sample: ({ inputs }) => ({ 0: sampleIds(inputs[1]!.shape[0]!) }),
  launch({ inputs, outputs, attrs }, { variant }) {
    const PER = cellsPerThread(variant);
    const { ids, table, positions, step } = named(inputs, attrs);
    const out = outputs[0]!;
    const [batch = 0, length = 0, width = 0] = out.shape;
    return [
      {
        shader: shaderFor('embedding', width),
        entry: 'embedding',
        constants: {
          PER,
          POSITIONS: positions ? 1 : 0,
          DECODE: attrs.decode ? 1 : 0,
          DROPOUT: attrs.rate > 0 ? 1 : 0,
        },
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
        grid: gridOf(sizeOf(out.shape) / cellOf(width), 256 * PER),
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
  /** Places of the ids, as `fillTokenIndex` writes them; needed where the table is trained. */
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

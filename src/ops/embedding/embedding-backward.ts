// The gradients of the embedding's tables: of tokens, by the places of each id, and of positions, by sums over the batch.

import { check } from '../../core/errors.ts';
import { show, sizeOf } from '../../core/tensor.ts';
import { dropoutMask } from '../dropout-mask.ts';
import { dropoutFields } from '../elementwise/dropout.ts';
import { cellsPerThread, elementwiseVariants } from '../elementwise-launch.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { defineOp, gridOf, type Launch, type Value } from '../op.ts';
import { cellOf, shaderFor } from '../row-groups.ts';
import { readStep } from '../step-scalars.ts';

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
  half: () => ({ inputs: [0], outputs: [] }),
  variants: elementwiseVariants,
  // The places spread evenly over the tokens, those of a token far apart.
  sample({ inputs: [, rowStart, occurrences] }) {
    const [rows, places] = [sizeOf(rowStart!.shape) - 1, sizeOf(occurrences!.shape)];
    return { 1: (v) => Math.floor((v * places) / rows), 2: (k) => (k * 7919) % places };
  },
  launch({ inputs, outputs, attrs }, { shared, variant }) {
    const [dy, rowStart, occurrences] = inputs as [Value, Value, Value];
    const dtable = outputs[0]!;
    const PER = cellsPerThread(variant);
    const [rows = 0, width = 0] = dtable.shape;
    const length = sizeOf(occurrences.shape);
    const sizes = { batch: 1, length, width, rows, scale: attrs.scale, offset: 0 };
    const bind = { dy, row_start: rowStart, occurrences, dtable, ...(attrs.rate > 0 && { step: inputs[3]! }) };
    const inPlace = attrs.onto && shared(inputs.length - 1, 0);
    if (attrs.onto && !inPlace) {
      const onto = { ...bind, base: inputs[inputs.length - 1]! };
      const launch = backwardLaunch('embedding_backward_onto', attrs, sizes, {}, onto);
      return [{ ...launch, grid: gridOf(sizeOf(dtable.shape) / cellOf(width), 256) }];
    }
    const launch = backwardLaunch('embedding_backward', attrs, sizes, { PER, IN_PLACE: inPlace ? 1 : 0 }, bind);
    const grid = gridOf(length * Math.ceil(width / cellOf(width) / PER), 256);
    return [{ ...launch, grid, ...(!inPlace && { clear: [dtable] }) }];
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
  half: () => ({ inputs: [0], outputs: [] }),
  launch({ inputs, outputs, attrs }) {
    const dy = inputs[0]!;
    const dtable = outputs[0]!;
    const [batch = 0, length = 0, width = 0] = dy.shape;
    const sizes = { batch, length, width, rows: attrs.rows, scale: 1, offset: attrs.offset };
    const bind = { dy, dtable, ...(inputs[1] && { step: inputs[1] }) };
    const launch = backwardLaunch('position_backward', attrs, sizes, {}, bind);
    return [{ ...launch, grid: gridOf(sizeOf(dtable.shape) / cellOf(width), 256) }];
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
  constants: Record<string, number>,
  bind: Launch['bind'],
): Omit<Launch, 'grid'> {
  return {
    shader: shaderFor('embedding', sizes.width),
    entry,
    constants: { ...constants, DROPOUT: mask.rate > 0 ? 1 : 0 },
    params: { ...sizes, position_rows: 0, ...dropoutFields(mask) },
    bind,
    flops: sizes.batch * sizes.length * sizes.width,
  };
}

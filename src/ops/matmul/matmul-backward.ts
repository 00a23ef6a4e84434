// The kernels and launches of all gradients of a linear layer: dx, dw and db in one dispatch.

import type { DeviceTraits } from '../device-traits.ts';
import type { Launch, LaunchContext, Value } from '../op.ts';
import { gridOf } from '../work-division.ts';
import { kernelOf, type Operands, productKernels, type Sizes, splitsK, tilesOf } from './matmul-kernels.ts';
import {
  type Epilogue,
  type EpilogueDropout,
  epilogueParams,
  type Product,
  productLaunches,
  productShader,
  readConstants,
  sliceKernel,
  unusedParams,
} from './matmul-launches.ts';

/**
 * Variants worth timing for all gradients of a linear layer, of operands dy, x and w: one dispatch each, except those
 * that split K.
 */
export function backwardKernels(
  rows: number,
  ins: number,
  outs: number,
  operands: Operands,
  traits: DeviceTraits,
): string[] {
  const sizes = backwardSizes(rows, ins, outs);
  const split = productKernelsOf(sizes).filter(splitsK);
  const tiles = sizes.reduce((sum, p) => sum + tilesOf(p), 0);
  const larger: Sizes = { form: 'TN', m: Math.max(rows, outs), n: ins, k: Math.min(rows, outs) };
  const others = productKernelsOf([larger]).filter((name) => !splitsK(name) && !name.startsWith('dots'));
  // dx and dw are one dispatch, so their tiles count together. With few tiles split K is timed first.
  return tiles < 32 ? [...split, ...others] : [...others, ...split];

  function productKernelsOf(all: readonly Sizes[]): string[] {
    return [...new Set(all.flatMap((p) => productKernels(p, operands, traits)))];
  }
}

/** The products of a linear layer's backward pass. */
const backwardSizes = (rows: number, ins: number, outs: number): [Sizes, Sizes] => [
  { form: 'NN', m: rows, n: ins, k: outs }, // dx
  { form: 'TN', m: outs, n: ins, k: rows }, // dw
];

/**
 * The gradients of y = x·wᵀ + b, any of which may be absent: dx = dy·w and its epilogue, dw = dyᵀ·x, db = column sums
 * of dy.
 */
export interface BackwardProducts {
  readonly rows: number;
  readonly ins: number;
  readonly outs: number;
  /** [rows, outs] with a row stride of `dyWidth`; elements past `outs` are 0. */
  readonly dy: Value;
  readonly dyWidth?: number;
  readonly x: Value; // [rows, ins]
  readonly w: Value; // [outs, ins]
  readonly dx?: Value | undefined;
  readonly dw?: Value | undefined;
  readonly db?: Value | undefined;
  readonly epilogue?: Epilogue | undefined;
  readonly dropout?: EpilogueDropout | undefined;
  /** Add to the content of dw and db; variants that split K do not support it. */
  readonly accumulate?: boolean;
}

/** The gradients by a variant: one dispatch, except those that split K in each product. */
export function backwardLaunches(g: BackwardProducts, context: LaunchContext, variant = context.variant): Launch[] {
  const { rows, ins, outs, dy, x, w, dx, dw, db, epilogue, dropout, accumulate = false, dyWidth = outs } = g;
  if (splitsK(variant)) {
    const [dxSize, dwSize] = backwardSizes(rows, ins, outs);
    return [
      ...(dx ? splitIfFew({ ...dxSize, a: dy, lda: dyWidth, b: w, c: dx, epilogue, dropout }, context, variant) : []),
      ...(dw ? splitIfFew({ ...dwSize, a: dy, lda: dyWidth, b: x, c: dw }, context, variant) : []),
      ...(db ? backwardLaunches({ ...g, dx: undefined, dw: undefined }, context, 'tiled-64x64') : []),
    ];
  }
  const kernel = kernelOf(variant, [dy, x, w], context.traits);
  const columns = Math.ceil(ins / kernel.columns);
  const dxTiles = dx ? columns * Math.ceil(rows / kernel.rows) : 0;
  const dwTiles = dw ? columns * Math.ceil(outs / kernel.rows) : 0;
  const dbGroups = db ? Math.ceil(outs / (4 * kernel.threads)) : 0;
  const unused = () => context.scratch('f32', [64]);
  return [
    {
      shader: productShader(kernel, ins, [dy, x, w]),
      entry: 'linear_backward',
      constants: { ...kernel.constants, ...readConstants(kernel, dyWidth, ins, outs, rows) },
      params: {
        ...unusedParams,
        ...{ m: rows, n: ins, k: outs, lda: dyWidth, ldb: ins, ldc: ins, dx_tiles: dxTiles, dw_tiles: dwTiles },
        ...epilogueParams({ epilogue, dropout }),
        accumulate: accumulate ? 1 : 0,
      },
      bind: {
        a: dy,
        b: w,
        bias: x,
        epilogue: epilogue?.operand ?? dy,
        y: dx ?? unused(),
        y2: dw ?? unused(),
        db: db ?? unused(),
        ...(dropout && { step: dropout.step }),
      },
      grid: gridOf(dxTiles + dwTiles + dbGroups, 1),
      flops: 2 * rows * ins * outs * ((dx ? 1 : 0) + (dw ? 1 : 0)) + (db ? rows * outs : 0),
    },
  ];
}

/** Launches a product by split K if it has few tiles, otherwise by the kernel of the slices, without a split. */
const splitIfFew = (p: Product, context: LaunchContext, variant: string): Launch[] => {
  const usesSplitK = productKernels(p, [p.a, p.b], context.traits).some(splitsK);
  return productLaunches(p, context, usesSplitK ? variant : sliceKernel(variant));
};

// Adds to columns of a matrix, and takes columns out of it: LoRA adapts one projection of a packed layer.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { matrixOf, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Launch, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { type ElementwiseVariant, elementwise, elementwiseVariants } from '../work-division.ts';

/** The first of the columns, and a factor. */
export type AddColumnsAttrs = { readonly first: number; readonly scale: number };

/**
 * x [..,N], u [..,n]; y [..,N] = x, with scale·u added to n columns from `first`. y may take the memory of x.
 */
export const addColumnsOp = defineOp({
  name: 'add_columns',
  inputs: ['x', 'u'],
  outputs: ['y'],
  attrs: attrsOf<AddColumnsAttrs>({ first: 'number', scale: 'number' }),
  shape({ x, u }, { first }) {
    expectType('add_columns', 'x', x, 'f32');
    expectType('add_columns', 'u', u, 'f32');
    checkColumns('add_columns', x, first, matrixOf(u.shape).cols);
    check(
      matrixOf(x.shape).rows === matrixOf(u.shape).rows,
      () => msg`rows differ, x ${show(x.shape)} and u ${show(u.shape)}`,
      { area: 'add_columns' },
    );
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  variants: elementwiseVariants,
  launch: ({ x, u }, { y }, attrs, { variant, shared }) =>
    shared('x', 'y')
      ? [launch('add_columns_in_place', variant, y, u, attrs, { u, y }, sizeOf(u.shape))]
      : [launch('add_columns', variant, y, u, attrs, { x, u, y }, sizeOf(y.shape))],
});

/** The columns first .. first + count - 1, and a factor. */
export type TakeColumnsAttrs = AddColumnsAttrs & { readonly count: number };

/** x [..,N]; y [..,count] = scale·x of the columns. */
export const takeColumnsOp = defineOp({
  name: 'take_columns',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<TakeColumnsAttrs>({ first: 'number', scale: 'number', count: 'number' }),
  shape({ x }, { first, count }) {
    expectType('take_columns', 'x', x, 'f32');
    checkColumns('take_columns', x, first, count);
    return { y: tensorType('f32', [...x.shape.slice(0, -1), count]) };
  },
  variants: elementwiseVariants,
  launch: ({ x }, { y }, attrs, { variant }) => [
    launch('take_columns', variant, x, y, attrs, { x, y }, sizeOf(y.shape)),
  ],
});

/**
 * x with scale·u added from column `first` on.
 *
 * @example
 * const u = graph.input('u', 'f32', [8, 64]);
 * const y = addColumns(graph, graph.input('qkv', 'f32', [8, 192]), u, { first: 128, scale: 1 });
 */
export const addColumns = (builder: Builder, x: Value, u: Value, attrs: AddColumnsAttrs): Value =>
  applyOp(builder, addColumnsOp, { x, u }, attrs).y;

/**
 * scale·x of some columns.
 *
 * @example
 * const v = takeColumns(graph, graph.input('qkv', 'f32', [8, 192]), { first: 128, count: 64, scale: 1 });
 */
export const takeColumns = (builder: Builder, x: Value, attrs: TakeColumnsAttrs): Value =>
  applyOp(builder, takeColumnsOp, { x }, attrs).y;

function checkColumns(op: string, x: TensorType, first: number, count: number): void {
  check(
    Number.isInteger(first) && first >= 0 && count >= 1 && first + count <= matrixOf(x.shape).cols,
    () => msg`columns ${first} to ${first + count - 1} are not in x ${show(x.shape)}`,
    { area: op },
  );
}

function launch(
  entry: string,
  variant: ElementwiseVariant,
  wide: Value,
  narrow: Value,
  { first, scale }: AddColumnsAttrs,
  bind: Launch['bind'],
  count: number,
): Launch {
  return {
    shader: 'columns',
    entry,
    params: { count, wide: matrixOf(wide.shape).cols, narrow: matrixOf(narrow.shape).cols, first, scale },
    bind,
    ...elementwise(variant, count),
    flops: 2 * sizeOf(narrow.shape),
  };
}

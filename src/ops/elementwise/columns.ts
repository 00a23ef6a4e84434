// Some columns of a matrix: added to, where a low-rank adapter stands beside a part of a layer, and taken out for its gradient.

import { check } from '../../core/errors.ts';
import { matrixOf, show, sizeOf, type TensorType } from '../../core/tensor.ts';
import { cellsPerThread, elementwiseVariants } from '../elementwise-launch.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Launch, type Value } from '../op.ts';

/** The first of the columns, and what the numbers are multiplied by. */
export type AddColumnsAttrs = { readonly first: number; readonly scale: number };

/** Inputs x [..,N], u [..,n]; y [..,N] = x, with scale·u added in columns first .. first + n - 1. y may take the memory of x. */
export const addColumnsOp = defineOp<AddColumnsAttrs>({
  name: 'add_columns',
  shape(inputs, { first }) {
    const x = inputAt('add_columns', inputs, 0, 'x');
    const u = inputAt('add_columns', inputs, 1, 'u');
    expectType('add_columns', 'x', x, 'f32');
    expectType('add_columns', 'u', u, 'f32');
    checkColumns('add_columns', x, first, matrixOf(u.shape).cols);
    check(
      matrixOf(x.shape).rows === matrixOf(u.shape).rows,
      () => `add_columns: rows differ, x ${show(x.shape)} and u ${show(u.shape)}`,
    );
    return [{ dtype: 'f32', shape: x.shape }];
  },
  inPlace: () => [[0, 0]],
  variants: elementwiseVariants,
  launch({ inputs, outputs, attrs }, { variant, shared }) {
    const [x, u] = inputs as [Value, Value];
    const y = outputs[0]!;
    if (shared(0, 0)) return [launchOf('add_columns_in_place', variant, y, u, attrs, { u, y }, sizeOf(u.shape))];
    return [launchOf('add_columns', variant, y, u, attrs, { x, u, y }, sizeOf(y.shape))];
  },
  grad(builder, { inputs: [x, u], attrs }, [dy]) {
    if (!dy) return [];
    const columns = { ...attrs, count: matrixOf(u!.shape).cols };
    return [builder.needs(x!) ? dy : undefined, builder.needs(u!) ? takeColumns(builder, dy, columns) : undefined];
  },
  reference({ attrs: { first, scale }, inputs: [x, u], outputs: [y] }) {
    const [N, n] = [matrixOf(x!.shape).cols, matrixOf(u!.shape).cols];
    y!.data.set(x!.data);
    for (let i = 0; i < u!.data.length; i++) y!.data[Math.floor(i / n) * N + first + (i % n)]! += scale * u!.data[i]!;
  },
});

/** The columns first .. first + count - 1. */
export type TakeColumnsAttrs = AddColumnsAttrs & { readonly count: number };

/** Input x [..,N]; y [..,count] = scale·x of the columns. It stands in backward passes alone, and has no gradient. */
export const takeColumnsOp = defineOp<TakeColumnsAttrs>({
  name: 'take_columns',
  shape(inputs, { first, count }) {
    const x = inputAt('take_columns', inputs, 0, 'x');
    expectType('take_columns', 'x', x, 'f32');
    checkColumns('take_columns', x, first, count);
    return [{ dtype: 'f32', shape: [...x.shape.slice(0, -1), count] }];
  },
  variants: elementwiseVariants,
  launch({ inputs: [x], outputs: [y], attrs }, { variant }) {
    return [launchOf('take_columns', variant, x!, y!, attrs, { x: x!, y: y! }, sizeOf(y!.shape))];
  },
  reference({ attrs: { first, scale, count }, inputs: [x], outputs: [y] }) {
    const N = matrixOf(x!.shape).cols;
    for (let i = 0; i < y!.data.length; i++)
      y!.data[i] = scale * x!.data[Math.floor(i / count) * N + first + (i % count)]!;
  },
});

/** x with scale·u added from column `first` on. */
export const addColumns = (builder: Builder, x: Value, u: Value, attrs: AddColumnsAttrs): Value =>
  builder.apply(addColumnsOp, [x, u], attrs)[0]!;

/** scale·x of some columns. */
export const takeColumns = (builder: Builder, x: Value, attrs: TakeColumnsAttrs): Value =>
  builder.apply(takeColumnsOp, [x], attrs)[0]!;

function checkColumns(op: string, x: TensorType, first: number, count: number): void {
  check(
    Number.isInteger(first) && first >= 0 && count >= 1 && first + count <= matrixOf(x.shape).cols,
    () => `${op}: columns ${first} to ${first + count - 1} are not in x ${show(x.shape)}`,
  );
}

function launchOf(
  entry: string,
  variant: string,
  wide: Value,
  narrow: Value,
  { first, scale }: AddColumnsAttrs,
  bind: Launch['bind'],
  count: number,
): Launch {
  const PER = cellsPerThread(variant);
  return {
    shader: 'columns',
    entry,
    constants: { PER },
    params: { count, wide: matrixOf(wide.shape).cols, narrow: matrixOf(narrow.shape).cols, first, scale },
    bind,
    grid: gridOf(count, 256 * PER),
    flops: 2 * sizeOf(narrow.shape),
  };
}

// Replaces parts of a tensor by other numbers while a model computes: the op of interventions (ablation, activation
// patching). Which parts is data of a run, so one plan serves all of them.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { applyOp, type Builder, defineOp, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { elementwise, elementwiseVariants } from '../work-division.ts';

/** A matrix of the example. */
const matrix = (rows: number, width: number): TensorType => tensorType('f32', [rows, width]);

/**
 * x [..,C] with R rows, amount [R,G], value [..,C] as x; y = (1 - amount)·x + amount·value. G divides C: a row of
 * `amount` has a number for each group of C / G columns, such as those of a head. An amount of 0 gives x to the bit, an
 * amount of 1 the value. No gradient.
 */
export const interveneOp = defineOp({
  name: 'intervene',
  inputs: ['x', 'amount', 'value'],
  outputs: ['y'],
  shape({ x, amount, value }) {
    expectType('intervene', 'x', x, 'f32');
    expectType('intervene', 'amount', amount, 'f32');
    const { rows, cols } = matrixOf(x.shape);
    const fits = amount.shape.length === 2 && dim(amount, 0) === rows && cols % dim(amount, 1) === 0;
    check(
      fits,
      () =>
        msg`amount is ${show(amount.shape)}; x ${show(x.shape)} needs ${rows} rows of numbers whose count divides ${cols}`,
      { area: 'intervene' },
    );
    expectType('intervene', 'value', value, 'f32', x.shape, 'as x');
    return { y: tensorType('f32', x.shape) };
  },
  variants: elementwiseVariants,
  example: (rows, width) => ({
    inputs: { x: matrix(rows, width), amount: matrix(rows, 1), value: matrix(rows, width) },
    attrs: {},
  }),
  launch: ({ x, amount, value }, { y }, _attrs, { variant }) => [
    {
      shader: 'intervene',
      entry: 'intervene',
      params: { count: sizeOf(x.shape), group: sizeOf(x.shape) / sizeOf(amount.shape) },
      bind: { x, amount, value, y },
      ...elementwise(variant, sizeOf(x.shape)),
      flops: 3 * sizeOf(x.shape),
    },
  ],
  reference({ x, amount, value }, { y }) {
    const group = x.size / amount.size;
    for (let i = 0; i < y.size; i++) {
      const a = amount.at(Math.floor(i / group));
      y.set(i, (1 - a) * x.at(i) + a * value.at(i));
    }
  },
});

/**
 * (1 - amount)·x + amount·value.
 *
 * @example
 * const [x, other] = ['x', 'other'].map((name) => graph.input(name, 'f32', [8, 64]));
 * const amount = graph.input('amount', 'f32', [8, 4]); // 1 for the heads whose numbers are replaced
 * const y = intervene(graph, x, amount, other);
 */
export const intervene = (builder: Builder, x: Value, amount: Value, value: Value): Value =>
  applyOp(builder, interveneOp, { x, amount, value }).y;

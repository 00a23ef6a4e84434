// Products of numbers and the soft cap, element by element: what attention with a softcap, gates and rotary
// embeddings are composed of. shaders/elementwise/products.wgsl computes them.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { sameShape, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Launch, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { type ElementwiseVariant, elementwise, elementwiseVariants } from '../work-division.ts';

/** The bound of a soft cap, above 0. */
export type SoftcapAttrs = { readonly cap: number };

/** Throws a HeddleError unless both tensors are f32 and of one shape. */
function checkPair(op: string, a: TensorType, b: TensorType): void {
  expectType(op, 'a', a, 'f32');
  expectType(op, 'b', b, 'f32');
  check(sameShape(a.shape, b.shape), () => msg`shapes differ, a ${show(a.shape)} and b ${show(b.shape)}`, {
    area: op,
  });
}

/** A matrix of the examples. */
const matrix = (rows: number, width: number): TensorType => tensorType('f32', [rows, width]);

/** A dispatch of products.wgsl. */
function launchOf(
  entry: string,
  variant: ElementwiseVariant,
  bind: { y: Value } & Launch['bind'],
  cap = 1,
): Launch {
  const count = sizeOf(bind.y.shape);
  return {
    shader: 'products',
    entry,
    params: { count, cap },
    bind,
    ...elementwise(variant, Math.ceil(count / 4)),
  };
}

/** y = a·b, element by element. */
export const multiplyOp = defineOp({
  name: 'multiply',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape({ a, b }) {
    checkPair('multiply', a, b);
    return { y: tensorType('f32', a.shape) };
  },
  variants: elementwiseVariants,
  example: (rows, width) => ({ inputs: { a: matrix(rows, width), b: matrix(rows, width) }, attrs: {} }),
  launch: ({ a, b }, { y }, _attrs, { variant }) => [launchOf('multiply', variant, { a, b, y })],
  grad: (builder, { a, b }, _outputs, { y: dy }) => ({
    a: dy && builder.needs(a) ? multiply(builder, dy, b) : undefined,
    b: dy && builder.needs(b) ? multiply(builder, dy, a) : undefined,
  }),
  reference({ a, b }, { y }) {
    for (let i = 0; i < y.size; i++) y.set(i, a.at(i) * b.at(i));
  },
});

/** y = cap·tanh(x / cap). */
export const softcapOp = defineOp({
  name: 'softcap',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<SoftcapAttrs>({ cap: 'number' }),
  shape({ x }, { cap }) {
    expectType('softcap', 'x', x, 'f32');
    check(cap > 0, msg`the cap must be above 0, it is ${cap}`, { area: 'softcap' });
    return { y: tensorType('f32', x.shape) };
  },
  variants: elementwiseVariants,
  example: (rows, width) => ({ inputs: { x: matrix(rows, width) }, attrs: { cap: 2 } }),
  launch: ({ x }, { y }, { cap }, { variant }) => [launchOf('softcap', variant, { a: x, y }, cap)],
  grad: (builder, _inputs, { y }, { y: dy }, attrs) => ({
    x: dy && applyOp(builder, softcapBackwardOp, { y, dy }, attrs).dx,
  }),
  reference({ x }, { y }, { cap }) {
    for (let i = 0; i < y.size; i++) y.set(i, cap * Math.tanh(x.at(i) / cap));
  },
});

/** dx = dy·(1 - (y / cap)²), with the output y of the soft cap. */
export const softcapBackwardOp = defineOp({
  name: 'softcap_backward',
  inputs: ['y', 'dy'],
  outputs: ['dx'],
  attrs: attrsOf<SoftcapAttrs>({ cap: 'number' }),
  shape({ y, dy }) {
    checkPair('softcap_backward', y, dy);
    return { dx: tensorType('f32', y.shape) };
  },
  variants: elementwiseVariants,
  example: (rows, width) => ({
    inputs: { y: matrix(rows, width), dy: matrix(rows, width) },
    attrs: { cap: 2 },
  }),
  launch: ({ y, dy }, { dx }, { cap }, { variant }) => [
    launchOf('softcap_backward', variant, { a: y, b: dy, y: dx }, cap),
  ],
  reference({ y, dy }, { dx }, { cap }) {
    for (let i = 0; i < dx.size; i++) dx.set(i, dy.at(i) * (1 - (y.at(i) / cap) ** 2));
  },
});

/**
 * a·b, element by element, both of one shape.
 *
 * @example
 * const gated = multiply(graph, x, w);
 */
export const multiply = (builder: Builder, a: Value, b: Value): Value =>
  applyOp(builder, multiplyOp, { a, b }).y;

/**
 * cap·tanh(x / cap), which keeps small numbers and bounds large ones (the softcap of attention scores in Gemma 2).
 *
 * @example
 * const scores = softcap(graph, x, 50);
 */
export const softcap = (builder: Builder, x: Value, cap: number): Value =>
  applyOp(builder, softcapOp, { x }, { cap }).y;

/**
 * The hyperbolic tangent of x.
 *
 * @example
 * const y = tanh(graph, x);
 */
export const tanh = (builder: Builder, x: Value): Value => softcap(builder, x, 1);

// The gradient of an op: the files *-gradients.ts of the families have those of this library. A user's op has it in
// its definition.

import type { Attrs, Op, Variant } from './op.ts';

/** The gradient of an op, as `grad` in a definition. */
type Gradient<I extends string, O extends string, A extends Attrs> = NonNullable<Op<I, O, A>['grad']>;

/** An op and its gradient. */
export type OpGradient<T = unknown> = readonly [op: T, gradient: unknown];

/** Pairs an op with its gradient, whose types follow from the op. */
export const gradient = <I extends string, O extends string, A extends Attrs, V extends Variant>(
  op: Op<I, O, A, V>,
  grad: NoInfer<Gradient<I, O, A>>,
): OpGradient<Op<I, O, A, V>> => [op, grad];

/** What all ops have. */
type SomeOp = { readonly name: string; readonly inputs: readonly string[]; launch(...given: never): unknown };

/**
 * The gradients that a family must have: one for each op that its modules `M` export, except those named in
 * `Without`. An op without a gradient is a compile error.
 */
export type GradientsOf<M, Without extends keyof M = never> = {
  readonly [N in keyof M as M[N] extends SomeOp ? Exclude<N, Without> : never]: OpGradient<M[N]>;
};

// How an op becomes ONNX operators. Ops without it, and nodes that it does not fit, run on the host by their
// references.

import type { ByName } from '../../../engine/ops/named-tensors.ts';
import type { AnyOp, Attrs, Op, Value } from '../../../engine/ops/op.ts';
import type { Name } from './onnx-graph.ts';
import type { SegmentBuilder } from './segment-builder.ts';

/** How nodes of an op become operators. */
export interface OnnxOp<I extends string, O extends string, A extends Attrs> {
  /** Outputs of the op that it does not compute: gradients read them. Default: none. */
  readonly without?: readonly string[];
  /** Whether it can do the node. Default: any. */
  fits?(inputs: ByName<I, Value>, attrs: A): boolean;
  /** Outputs that it fetches and stores itself; the others are names in the model. Default: none. */
  readonly takes?: readonly string[];
  /** Adds a node's operators to a model; returns the names of the outputs that it computes. */
  lower(
    b: SegmentBuilder,
    inputs: ByName<I, Value>,
    attrs: A,
    outputs: ByName<O, Value>,
  ): Readonly<Record<string, Name>>;
}

/** ONNX operators of an op with any names and attributes; a mapped type as `AnyOp`. */
export type AnyOnnxOp = {
  readonly [Member in keyof OnnxOp<string, string, Attrs>]: OnnxOp<string, string, Attrs>[Member];
};

/** An op and its ONNX operators. */
export type OnnxEntry = readonly [op: AnyOp, lowering: AnyOnnxOp];

/** Pairs an op with its ONNX operators, whose types follow from the op. */
export const onnxOp = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  lowering: NoInfer<OnnxOp<I, O, A>>,
): OnnxEntry => [op, lowering];

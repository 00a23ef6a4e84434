// What a kernel to be timed is: a node of a small graph, so that a backward kernel runs on what its forward left. check-kernel.ts runs
// it alone.

import type { Shape } from '../core/tensor.ts';
import { gradients } from '../graph/gradient.ts';
import { Graph } from '../graph/graph.ts';
import { defineOp, type Node, tensorType, type Value } from '../ops/op.ts';
import { type StepScalars, stepWords } from '../ops/step-scalars.ts';

/** What kernels are alike in what they do. */
export const kernelGroups = ['products', 'attention', 'rows', 'elements', 'decoding'] as const;
export type KernelGroup = (typeof kernelGroups)[number];

/** One kernel at one size. */
export interface KernelCase {
  readonly name: string;
  readonly group: KernelGroup;
  /** Builds a graph that ends with the kernel. */
  build(graph: Graph): void;
  /** Name of the kernel's op where its node is not the last. */
  readonly op?: string;
  /** Data of an input or state by name; undefined: noise from -0.5 to 0.5, or zeros where it is no float32 tensor. */
  data?(name: string, length: number): ArrayLike<number> | undefined;
  /** Scalars of the step that differ from those of an ordinary training step. */
  readonly step?: Partial<StepScalars>;
  /** Bytes and floating-point operations, where not all of the tensors is read or not all that the op counts is done. */
  readonly bytes?: number;
  readonly flops?: number;
  /** What the device must have; elsewhere the kernel is left out. */
  readonly needs?: 'f16';
}

/** A node whose gradient with respect to its first input is its second: the root of a gradient walk from any value. */
const rootOp = defineOp({
  name: 'root',
  inputs: ['y', 'dy'],
  outputs: ['root'],
  shape: () => ({ root: tensorType('f32', [1]) }),
  launch: () => [],
  grad: (_builder, { dy }) => ({ y: dy }),
  reference() {},
});

/** A float32 input. */
export const input = (g: Graph, name: string, shape: Shape): Value => g.input(name, 'f32', shape);

/** The step input. */
export const step = (g: Graph): Value => g.input('step', 'u32', [stepWords]);

/** Appends the gradients of `wrt` where that of `y` is noise. */
export function backward(g: Graph, y: Value, wrt: readonly Value[]): void {
  const { root } = g.apply(rootOp, { y, dy: input(g, 'dy', y.shape) });
  gradients(g, root, wrt);
}

/** A number in words: 10 000 000. */
export const spaced = (n: number): string => n.toLocaleString('en').replaceAll(',', ' ');

/** A graph of a case, and the node that is the kernel. */
export function graphOf(kernel: KernelCase): { graph: Graph; node: Node } {
  const graph = new Graph();
  kernel.build(graph);
  const node = kernel.op ? graph.nodes.find(({ op }) => op.name === kernel.op) : graph.nodes.at(-1);
  if (!node) throw new Error(`bench: ${kernel.name} has no node ${kernel.op ?? ''}`);
  return { graph, node };
}

// A kernel to check and time (check-kernel.ts): a node of a small graph, so that a backward kernel gets the
// results of its forward kernel.

import { allocate, type Shape, sizeOf } from '../core/tensor.ts';
import { gradients } from '../engine/graph/gradient.ts';
import { Graph } from '../engine/graph/graph.ts';
import { weightedLossOp } from '../engine/graph/weighted-loss.ts';
import type { Node, Value } from '../engine/ops/op.ts';
import { type StepScalars, stepWords } from '../engine/ops/step-scalars.ts';

/** Groups of kernels, by what they compute. */
export const kernelGroups = ['products', 'attention', 'rows', 'elements', 'decoding'] as const;
/** Name of a group of kernels. */
export type KernelGroup = (typeof kernelGroups)[number];

/** A kernel by its family and sizes (kernel-families.ts); plain JSON. */
export interface KernelSpec {
  readonly family: string;
  /** Sizes and options by name; omitted ones have their defaults. */
  readonly values?: Readonly<Record<string, number | string>>;
}

/** Data of inputs and states by name: all numbers, or the number at an index. */
export type KernelData = Readonly<Record<string, ArrayLike<number> | ((i: number) => number)>>;

/** One kernel at one size. */
export interface KernelCase {
  readonly name: string;
  readonly group: KernelGroup;
  /** Family and all sizes that it was made from. */
  readonly spec: KernelSpec;
  /** Builds a graph that ends with the kernel. */
  build(graph: Graph): void;
  /** Name of the kernel's op if its node is not the last. */
  readonly op?: string;
  /** Data of inputs and states. Default: noise from -0.5 to 0.5 for float32 tensors, zeros for others. */
  data?(): KernelData;
  /** Step inputs that differ from those of a training step. */
  readonly step?: Partial<StepScalars>;
  /** Bytes and FLOPs, if the kernel reads only a part of its tensors or does less work than its op states. */
  readonly bytes?: number;
  readonly flops?: number;
  /** A feature without which the kernel is skipped. */
  readonly needs?: 'f16';
}

/** A float32 input. */
export const input = (g: Graph, name: string, shape: Shape): Value => g.input(name, 'f32', shape);

/** The step input. */
export const step = (g: Graph): Value => g.input('step', 'u32', [stepWords]);

/** Appends the backward pass from `y`, whose gradient is noise, to `wrt`. */
export function backward(g: Graph, y: Value, wrt: readonly Value[]): void {
  const { loss } = g.apply(weightedLossOp, { xs: [y], weights: [input(g, 'dy', y.shape)] });
  gradients(g, loss, wrt);
}

/** The graph of a case and the node of its kernel. */
export function graphOf(kernel: Pick<KernelCase, 'name' | 'build' | 'op'>): { graph: Graph; node: Node } {
  const graph = new Graph();
  kernel.build(graph);
  const node = kernel.op ? graph.nodes.find(({ op }) => op.name === kernel.op) : graph.nodes.at(-1);
  if (!node) throw new Error(`bench: ${kernel.name} has no node ${kernel.op ?? ''}`);
  return { graph, node };
}

/** The numbers of an input or state in the data of a case; undefined if it has none. */
export function numbersIn(data: KernelData, { name, dtype, shape }: Value): ArrayLike<number> | undefined {
  const given = data[name];
  if (typeof given !== 'function') return given;
  return allocate(dtype === 'f16' ? 'f32' : dtype, sizeOf(shape)).map((_, i) => given(i));
}

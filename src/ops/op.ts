// What an op is: one definition that holds its shape rule, its GPU launches, its gradient and its CPU reference.
// Values and nodes are plain data; src/graph builds them, src/plan orders and places them, src/cpu and src/gpu run them.

import type { DType, Shape, TensorType } from '../core/tensor.ts';

/** Settings of one node, fixed when the graph is built. */
export type Attrs = Readonly<Record<string, number | boolean | string | undefined>>;

/**
 * A tensor in a graph. `input` is uploaded for every run, `state` lives across runs (weights, optimizer moments, caches) and is
 * changed only by ops that say so in `mutates`, `result` is what a node makes.
 */
export interface Value extends TensorType {
  readonly id: number;
  readonly name: string;
  readonly kind: 'input' | 'state' | 'result';
  /** The node that makes a result. */
  readonly node?: Node;
  /** Where the value lies if it is a part of a state: `offset` in elements from the start of `bank`, a multiple of 64. */
  at?: { readonly bank: Value; readonly offset: number };
}

/** One application of an op. */
export interface Node<A extends Attrs = Attrs> {
  readonly id: number;
  readonly op: Op<A>;
  readonly attrs: A;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Where in the model: `decoder.layers.0.self_attn`. */
  readonly scope: string;
}

/** What `grad` may do to a graph: add ordinary nodes. */
export interface Builder {
  /** Whether anyone wants the gradient of `value`: in a gradient walk, whether it depends on what is differentiated for. */
  needs(value: Value): boolean;
  /** Applies an op; returns its outputs. */
  apply<A extends Attrs>(op: Op<A>, inputs: readonly Value[], attrs: A): Value[];
}

/** One dispatch, as plain data. */
export interface Launch {
  /** File stem in shaders/. */
  readonly shader: string;
  /** The @compute function. */
  readonly entry: string;
  /** Values of `override`s, and of `const`s whose default the loader replaces. Each set compiles its own pipeline. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Fields of the WGSL `Params` struct (u32, i32 or f32); all of them. */
  readonly params?: Readonly<Record<string, number>>;
  /** WGSL variable name -> value. A variable that an override switches off still needs some value: bind another input. */
  readonly bind: Readonly<Record<string, Value>>;
  /** Values that are all zero when the dispatch starts: filled by the driver, which is faster than any kernel. */
  readonly clear?: readonly Value[];
  /** Workgroups in x, y, z; each at most 65,535. */
  readonly grid: readonly [number, number, number];
  /** Floating-point operations, for reports. */
  readonly flops?: number;
}

/** What kernels may count on, taken from the adapter; the defaults are WebGPU's own. */
export interface DeviceTraits {
  /** Largest storage binding in bytes. */
  readonly maxBindingBytes: number;
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** The adapter's least subgroup size, 0 without subgroups. */
  readonly minSubgroup: number;
  /** Workgroup memory in bytes. */
  readonly maxWorkgroupBytes: number;
  readonly maxInvocations: number;
  /** The adapter is a CPU (WebGPU's isFallbackAdapter). */
  readonly software: boolean;
}

/** WebGPU's guaranteed limits, without optional features. */
export const defaultTraits: DeviceTraits = {
  maxBindingBytes: 128 * 2 ** 20,
  f16: false,
  subgroups: false,
  minSubgroup: 0,
  maxWorkgroupBytes: 16384,
  maxInvocations: 256,
  software: false,
};

/** What `launch` is given beside its node. */
export interface LaunchContext {
  /** The chosen variant, one of `variants(node)`; the first of them where nothing was measured. */
  readonly variant: string;
  readonly traits: DeviceTraits;
  /** Memory for partial results that lives for this node only; its content is undefined at first. */
  scratch(dtype: DType, shape: Shape): Value;
  /** Whether output `output` has taken the memory of input `input`, as `inPlace` offered: then only the output may be bound. */
  shared(input: number, output: number): boolean;
}

/** Arguments of a reference: numbers in float64 whatever the dtype, row-major. */
export interface ReferenceCall<A extends Attrs> {
  readonly attrs: A;
  readonly inputs: readonly { readonly shape: Shape; readonly data: Float64Array }[];
  /** Zeroed; to be filled. */
  readonly outputs: readonly { readonly shape: Shape; readonly data: Float64Array }[];
}

/** Some inputs and outputs of a node, by number. */
export interface Ports {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** One definition per op. */
export interface Op<A extends Attrs = Attrs> {
  readonly name: string;
  /** Types of the outputs; throws a HeddleError that names both sides where the inputs do not fit. */
  shape(inputs: readonly TensorType[], attrs: A): TensorType[];
  /** Input numbers that the op writes in place: states such as weights under an optimizer. */
  readonly mutates?: readonly number[];
  /** Pairs [input, output] of which the output may take the input's memory, where the input is not needed afterwards. */
  inPlace?(node: Node<A>): readonly (readonly [number, number])[];
  /**
   * Numbers of the inputs and outputs that may lie in memory as f16. A node is made in f32; src/graph/half.ts decides which of its tensors
   * are held narrower, and its kernels still compute in f32. Absent: none.
   */
  half?(node: Node<A>): Ports;
  /** Names of the kernels that can do this node on such a device, best guess first; absent: there is one, named `only`. */
  variants?(node: Node<A>, traits: DeviceTraits): readonly string[];
  /**
   * Data that the node is measured on, by input number: element i. What is left out is noise where it is f32 or f16; else u32 vectors are
   * lengths that leave nothing out, u32 matrices packed weights, and all others zero. Nothing that a run computes may be skipped: no
   * padding, no empty rows.
   */
  sample?(node: Node<A>): Readonly<Record<number, (i: number) => number>>;
  /** The dispatches, in order. */
  launch(node: Node<A>, context: LaunchContext): Launch[];
  /** Gradients of the inputs from those of the outputs (undefined: zero, or not wanted), as further nodes. */
  grad?(builder: Builder, node: Node<A>, dOutputs: readonly (Value | undefined)[]): (Value | undefined)[];
  /** Slow float64 loops that anyone can check by eye. Mutated inputs are written in place. */
  reference(call: ReferenceCall<A>): void;
}

/** Identity with types: `export const relu = defineOp<{...}>({...})`. */
export const defineOp = <A extends Attrs>(op: Op<A>): Op<A> => op;

/** Token ids for `sample`: they go through the vocabulary in big strides, so that every place is used about evenly; none is `ignored`. */
export const sampleIds =
  (vocab: number, ignored?: number) =>
  (i: number): number => {
    const id = (i * 7919) % vocab;
    return id === ignored ? (id + 1) % vocab : id;
  };

/** Workgroups for `n` threads of `size` each, folded into two dimensions where one would pass 65,535. The kernel guards n. */
export function gridOf(n: number, size: number): [number, number, number] {
  const groups = Math.ceil(n / size);
  if (groups <= 65535) return [groups, 1, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y, 1];
}

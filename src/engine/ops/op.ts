// What an op is: one definition with named inputs and outputs that contains its shape rule and its GPU
// launches. A user's op also has its gradient and its CPU reference in the definition. Those of this library
// are in *-gradients.ts and *-references.ts of each family. Values and nodes are plain data; engine/graph builds them, engine/plan orders and places them,
// engine/cpu and engine/gpu run them.

import { HeddleError, kindOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { DType, Shape, TensorType } from '../../core/tensor.ts';
import type { DeviceTraits } from './device-traits.ts';
import { type ByName, type NameOf, tensorName } from './named-tensors.ts';
import type { ReferenceTensor } from './reference-tensor.ts';

/** Settings of one node, fixed when the graph is built. */
export type Attrs = Readonly<Record<string, number | boolean | string | undefined>>;

/** Attributes of an op that has none. */
export type NoAttrs = Readonly<Record<never, never>>;

/** Name of the type of an attribute; with `?` it may be undefined. */
export type AttrType = `${'number' | 'boolean' | 'string'}${'' | '?'}`;

type NameOfType<T> = T extends number ? 'number' : T extends boolean ? 'boolean' : 'string';

/** The name of the type of each attribute. */
export type AttrTypes<A extends Attrs> = {
  readonly [N in keyof A]-?: undefined extends A[N] ? `${NameOfType<NonNullable<A[N]>>}?` : NameOfType<A[N]>;
};

/** The attributes of an op; see `attrsOf`. */
export interface AttrsType<A> {
  readonly type?: A;
  readonly types?: Readonly<Record<string, AttrType>>;
}

/** Declares the attributes of an op, as its field `attrs`. */
export function attrsOf<A extends Attrs>(types?: AttrTypes<A>): AttrsType<A> {
  return { types };
}

/**
 * Values for some of the declared names; a list may have gaps. As gradients: undefined is zero, or not
 * wanted.
 */
export type SomeByName<P extends string> = string extends P
  ? { readonly [name: string]: Value | readonly (Value | undefined)[] | undefined }
  : {
      readonly [N in P as NameOf<N>]?: N extends `${string}[]`
        ? readonly (Value | undefined)[]
        : Value | undefined;
    };

/**
 * A tensor in a graph. `input` is uploaded for every run. `state` lives across runs (weights, optimizer
 * moments, caches); only ops that list it in `mutates` change it. `result` is the output of a node.
 */
export interface Value extends TensorType {
  readonly id: number;
  readonly name: string;
  readonly kind: 'input' | 'state' | 'result';
  /** How it is stored: f32 until f16-storage.ts decides. */
  dtype: DType;
  /** The node whose output a result is; a rewrite replaces it. */
  node?: Node;
  /**
   * Set if the value is a slice of a state; `offset` in elements from the start of `buffer`, a multiple of
   * 64.
   */
  at?: { readonly buffer: Value; readonly offset: number };
}

/** A place in a model: what surrounds a node there. All fields are names of the model's own. */
export interface Place {
  /** A list of layers: `encoder`. */
  readonly stack?: string;
  /** Index of a layer in its stack. */
  readonly layer?: number;
  /** A part of a layer with weights of its own: `self_attn`. */
  readonly sublayer?: string;
  /** Any other part, the innermost one: `generator`, `norm1`. */
  readonly part?: string;
}

/** One application of an op, with tensors in declared order; `inputsOf` and `outputsOf` give them by name. */
export interface Node extends Place {
  readonly id: number;
  readonly op: AnyOp;
  readonly attrs: Attrs;
  /** Rewrites replace these lists. */
  inputs: readonly Value[];
  outputs: readonly Value[];
  /** Name of each of `inputs` and of `outputs`; a list repeats its name. */
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Label of its place in the model, for people: `decoder.layers.0.self_attn`. */
  readonly scope: string;
  /** Whether it recomputes a node of the forward pass for the backward pass. */
  readonly recomputed?: boolean;
}

/** The last argument of `apply`: attributes, which may be left out if the op has none. */
export type AttrsArgument<A extends Attrs> = NoAttrs extends A ? [attrs?: A] : [attrs: A];

/** Adds nodes to a graph; what model code and `grad` work with. */
export interface Builder {
  /** Whether the gradient of `value` is needed; always true outside of the backward pass. */
  needs(value: Value): boolean;
  /** Applies an op; returns its outputs by name. */
  apply<I extends string, O extends string, A extends Attrs>(
    op: Op<I, O, A>,
    inputs: ByName<I, Value>,
    ...attrs: AttrsArgument<A>
  ): ByName<O, Value>;
}

/** Throws a HeddleError unless `builder` is a graph. A function has a method `apply` of its own. */
export function checkBuilder(area: string, builder: Builder): void {
  if (typeof builder === 'function' || typeof builder?.apply !== 'function')
    throw new HeddleError(msg`the graph is ${kindOf(builder)}, it must be a graph`, { area });
}

/** `builder.apply` of functions that programs call. Throws a HeddleError unless `builder` is a graph. */
export function applyOp<I extends string, O extends string, A extends Attrs>(
  builder: Builder,
  op: Op<I, O, A>,
  inputs: ByName<I, Value>,
  ...attrs: AttrsArgument<A>
): ByName<O, Value> {
  checkBuilder(op.name, builder);
  return builder.apply(op, inputs, ...attrs);
}

/** WGSL of a user's own kernel. `name` labels it; two sources of one name are two shaders. */
export interface ShaderSource {
  readonly name: string;
  /** WGSL; a line `// include shared/random.wgsl` appends a file of shaders/. */
  readonly source: string;
}

/** One dispatch, as plain data. */
export interface Launch {
  /** Name of a built-in shader (src/engine/gpu/shaders.ts), or WGSL of the op's own. */
  readonly shader: string | ShaderSource;
  /** The `@compute` function. */
  readonly entry: string;
  /**
   * Values of `override`s, and of `const`s whose default the loader replaces. Each set compiles its own
   * pipeline. `undefined`: the default of the shader.
   */
  readonly constants?: Readonly<Record<string, number | undefined>>;
  /** Fields of the WGSL `Params` struct (u32, i32 or f32); all of them. */
  readonly params?: Readonly<Record<string, number>>;
  /**
   * WGSL variable name -> value. `undefined`: the entry point declares the variable, but does not use it with
   * these constants; the executor binds memory that nothing reads. A missing variable is an error.
   */
  readonly bind: Readonly<Record<string, Value | undefined>>;
  /** Threads of a subgroup to request, if the device can (`subgroupSizeFor`); default: the driver chooses. */
  readonly subgroupSize?: number;
  /** Values to set to zero before the dispatch, by the driver: faster than a kernel. */
  readonly clear?: readonly Value[];
  /** Workgroups in x, y, z; each at most 65,535. */
  readonly grid: readonly [number, number, number];
  /** Floating-point operations, for reports. */
  readonly flops?: number;
}

/** Types of tensors by name, for a `variants` with parameters of its own, from which TypeScript infers `V`. */
export type TensorTypes<N extends string> = Readonly<Record<N, TensorType>>;

/**
 * A kernel that can compute a node. Ops add fields of their own, such as the sizes of a tile, which `launch`
 * reads. Kernel choices store the name only.
 */
export interface Variant {
  /** Differs from those of the other variants of the op. */
  readonly name: string;
  /**
   * Variants of a family differ in their sizes only: if one is very slow on an adapter, auto-tuning skips the
   * others. Default: the name.
   */
  readonly family?: string;
  /**
   * Suits software adapters. On a CPU a barrier splits a kernel into loops over its threads, and workgroup
   * memory is ordinary memory: variants that use registers or subgroups are several times faster. Variants
   * with much work per thread are faster too, since a thread costs as much as several vec4 operations.
   */
  readonly forSoftware?: boolean;
  /**
   * Used only after its check on the adapter (src/engine/gpu/kernel-check.ts): subgroup matrices are
   * experimental, and no adapter of the project's tests has them.
   */
  readonly needsCheck?: boolean;
}

/** Arguments of `launch` that depend on the plan and the device. */
export interface LaunchContext<
  I extends string = string,
  O extends string = string,
  V extends Variant = Variant,
> {
  /** The chosen variant, one of `variants`; the first of them if nothing was measured. */
  readonly variant: V;
  readonly traits: DeviceTraits;
  /** Memory for partial results of this node only; its content is undefined at first. */
  scratch(dtype: DType, shape: Shape): Value;
  /** Whether an output has the memory of an input, as `inPlace` allows. If so, bind only the output. */
  shared(input: NameOf<I>, output: NameOf<O>): boolean;
}

/**
 * One definition per op. `I` and `O` are the declared names of its inputs and outputs (`x`, `step?` for an
 * optional one, `parts[]` for a list), `A` its attributes, `V` its variants. No name is both an input and an output.
 */
export interface Op<I extends string, O extends string, A extends Attrs, V extends Variant = Variant> {
  readonly name: string;
  readonly inputs: readonly I[];
  readonly outputs: readonly O[];
  readonly attrs?: AttrsType<A>;
  /** Types of the outputs. Throws a HeddleError that names both sides if the inputs do not fit. */
  shape(inputs: ByName<I, TensorType>, attrs: A): ByName<O, TensorType>;
  /** Inputs that the op changes: states such as weights under an optimizer. */
  readonly mutates?: readonly NameOf<I>[];
  /** For an output the inputs, best first, whose memory it may take if nothing else needs them afterwards. */
  readonly inPlace?: { readonly [N in NameOf<O>]?: NameOf<I> | readonly NameOf<I>[] };
  /**
   * Inputs and outputs that may be stored in memory as f16; default none. Nodes are built in f32;
   * src/engine/graph/f16-storage.ts decides which of their tensors become f16. Kernels compute in f32 in any
   * case.
   */
  readonly f16Storage?: readonly (NameOf<I> | NameOf<O>)[];
  /** Whether `f16Storage` holds for a node; default always. */
  f16StorageIf?(inputs: ByName<I, TensorType>, attrs: A): boolean;
  /**
   * The kernels that can run this node on such a device, best guess first; default: one, named `only`.
   */
  variants?(inputs: ByName<I, TensorType>, attrs: A, traits: DeviceTraits): readonly V[];
  /**
   * The simplest variant. Auto-tuning compares the others with it on the adapter, and uses it if all others
   * fail. `launch` accepts it for any sizes, even if `variants` does not offer it. Default: the last of
   * `variants`.
   */
  readonly naive?: V;
  /**
   * Sample data: element i of an input when the node is timed or checked. Default, also for an undefined
   * element: noise for f32 and f16, lengths that mask nothing for u32 vectors, packed weights for u32
   * matrices, else zero. The data must not let a kernel skip work of a real run: no padding, no empty rows.
   */
  sample?(
    inputs: ByName<I, TensorType>,
    attrs: A,
  ): { readonly [N in NameOf<I>]?: (i: number) => number | undefined };
  /** A node of some rows and columns, from which the benchmark has a case of an op that no family of src/bench/ makes. */
  example?(rows: number, width: number): { readonly inputs: ByName<I, TensorType>; readonly attrs: A };
  /**
   * Floating-point operations of the node's matrix products, 2 per multiply-add, as the model FLOPs
   * utilization (MFU) counts them: the same for all variants, masked positions included, nothing recomputed.
   * Default 0.
   */
  modelFlops?(inputs: ByName<I, TensorType>, outputs: ByName<O, TensorType>, attrs: A): number;
  /** The dispatches, in order. */
  launch(
    inputs: ByName<I, Value>,
    outputs: ByName<O, Value>,
    attrs: A,
    context: LaunchContext<I, O, V>,
  ): Launch[];
  /** Adds the gradients of the inputs, from those of the outputs, as further nodes. */
  grad?(
    builder: Builder,
    inputs: ByName<I, Value>,
    outputs: ByName<O, Value>,
    dOutputs: SomeByName<O>,
    attrs: A,
  ): SomeByName<I>;
  /**
   * Slow float64 loops that a reader can check by eye. The CPU engine runs them, and checks compare kernels
   * with them. Outputs are zero at first; inputs in `mutates` are written in place.
   */
  reference?(inputs: ByName<I, ReferenceTensor>, outputs: ByName<O, ReferenceTensor>, attrs: A): void;
}

/**
 * An op with any names and attributes, as graphs and plans use it. A mapped type, so that TypeScript compares
 * members: the arguments of `Op` are invariant, those of its methods are not.
 */
export type AnyOp = {
  readonly [Member in keyof Op<string, string, Attrs>]: Op<string, string, Attrs>[Member];
};

/** The reference of an op, as in its definition. */
export type ReferenceOf<T extends AnyOp> = NonNullable<T['reference']>;

/** An op and its reference, if the definition does not contain it. */
export type OpReference = readonly [op: AnyOp, reference: ReferenceOf<AnyOp>];

/** Pairs an op with its reference, whose types follow from the op. */
export const opReference = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  reference: NoInfer<ReferenceOf<Op<I, O, A>>>,
): OpReference => [op, reference];

/** Defines an op; its types follow from `inputs`, `outputs` and `attrs`. Throws if a name is declared twice. */
export function defineOp<
  I extends string,
  O extends string = string,
  A extends Attrs = NoAttrs,
  V extends Variant = Variant,
>(
  definition: {
    readonly inputs: readonly I[];
    readonly outputs?: readonly O[];
    readonly attrs?: AttrsType<A>;
    variants?(inputs: ByName<NoInfer<I>, TensorType>, attrs: NoInfer<A>, traits: DeviceTraits): readonly V[];
  } & NoInfer<Omit<Op<I, O, A, V>, 'outputs' | 'variants'>>,
): Op<I, O, A, V> {
  const op = { ...definition, outputs: definition.outputs ?? [] };
  const names = [...op.inputs, ...op.outputs].map(tensorName);
  if (new Set(names).size < names.length)
    throw new Error(`${op.name}: a name is declared twice in ${names.join(', ')}`);
  return op;
}

/** Token ids for `sample`: all ids of the vocabulary occur about equally often, except `ignored`. */
export const sampleIds =
  (vocab: number, ignored?: number) =>
  (i: number): number => {
    const id = (i * 7919) % vocab;
    return id === ignored ? (id + 1) % vocab : id;
  };

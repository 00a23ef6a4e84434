// Nodes of a graph with the names that their op declares: inputs, outputs, and the options of the op for
// them.

import type { DeviceTraits } from './device-traits.ts';
import { type ByName, named } from './named-tensors.ts';
import type { Attrs, Node, Op, SomeByName, Value, Variant } from './op.ts';

/**
 * For each of `names` its value in `given`, or undefined. The k-th occurrence of a list's name has its k-th
 * value.
 */
export const aligned = (names: readonly string[], given: SomeByName<string>): (Value | undefined)[] =>
  names.map((name, i) => {
    const values = given[name] as Value | readonly (Value | undefined)[] | undefined;
    return Array.isArray(values) ? values[i - names.indexOf(name)] : (values as Value | undefined);
  });

/** The inputs of a node by name. */
export const inputsOf = ({ op, inputNames, inputs }: Node): ByName<string, Value> =>
  named(op.inputs, inputNames, inputs);

/** The outputs of a node by name. */
export const outputsOf = ({ op, outputNames, outputs }: Node): ByName<string, Value> =>
  named(op.outputs, outputNames, outputs);

/** A node of a known op: its tensors and attributes with their types. */
export interface Application<I extends string, O extends string, A extends Attrs> {
  readonly node: Node;
  readonly inputs: ByName<I, Value>;
  readonly outputs: ByName<O, Value>;
  readonly attrs: A;
}

/** A node as an application of `op`; undefined if it has another op. */
export const applicationOf = <I extends string, O extends string, A extends Attrs>(
  node: Node | undefined,
  op: Op<I, O, A>,
): Application<I, O, A> | undefined =>
  node?.op === op
    ? ({ node, inputs: inputsOf(node), outputs: outputsOf(node), attrs: node.attrs } as Application<I, O, A>)
    : undefined;

/** The inputs that a node changes. */
export const mutatedBy = ({ op, inputs, inputNames }: Node): Value[] =>
  op.mutates ? inputs.filter((_, i) => op.mutates?.includes(inputNames[i] as string)) : [];

/** Names of the tensors of a node that may be stored as f16. */
export const f16StorageOf = (node: Node): readonly string[] =>
  node.op.f16StorageIf?.(inputsOf(node), node.attrs) === false ? [] : (node.op.f16Storage ?? []);

/** The kernels that can run a node on such a device, best guess first. */
export const variantsOf = (node: Node, traits: DeviceTraits): readonly Variant[] =>
  node.op.variants?.(inputsOf(node), node.attrs, traits) ?? [only];

/** The variant of an op that has no other. */
const only: Variant = { name: 'only' };

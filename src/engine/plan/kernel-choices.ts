// Kernel choices: the variants that can compute a node, best guess first, and tuned kernels by key.

import { show, type TensorType } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';
import type { Attrs, Node, Variant } from '../ops/op.ts';
import { variantsOf } from '../ops/op-nodes.ts';

/** Tuned kernels: the name of the variant to use for a node, by `variantKey`; plain JSON. */
export type KernelChoices = Readonly<Record<string, string>>;

/** What determines the speed of the variants of a node: its op, attributes and types. */
export interface NodeKind {
  readonly op: string;
  readonly attrs: Attrs;
  /** Types of the inputs, then of the outputs. */
  readonly types: readonly TensorType[];
}

/** The kind of a node. The site of its dropout does not matter. */
export function kindOf({ op, attrs, inputs, outputs }: Node): NodeKind {
  const { site: _, nextSite: _next, ...others } = attrs;
  return { op: op.name, attrs: others, types: [...inputs, ...outputs] };
}

/** The text of the kind of a node in stores and checkpoints: `add {} f32[2,3] f32[2,3] f32[2,3]`. */
export function variantKey(node: Node): string {
  const { op, attrs, types } = kindOf(node);
  return `${op} ${JSON.stringify(attrs)} ${types.map(({ dtype, shape }) => `${dtype}${show(shape)}`).join(' ')}`;
}

/** The variants of a node in the op's order, which suits GPUs; on software adapters those for CPUs first. */
export function candidates(node: Node, traits: DeviceTraits): readonly Variant[] {
  const variants = variantsOf(node, traits);
  if (!traits.software) return variants;
  return [...variants.filter((v) => v.forSoftware), ...variants.filter((v) => !v.forSoftware)];
}

/** Returns the variant of a node if auto-tuning has chosen none. */
export function defaultVariant(node: Node, traits: DeviceTraits): Variant {
  const all = candidates(node, traits);
  return all.find(({ needsCheck }) => !needsCheck) ?? (all[0] as Variant);
}

/** Returns the variant of a node with which the others are compared; see `naive` of an op. */
export const naiveOf = (node: Node, traits: DeviceTraits): Variant =>
  node.op.naive ?? (variantsOf(node, traits).at(-1) as Variant);

/** The variant of a name that a node can run as: one that its op offers, or the naive one. */
export function variantNamed(
  node: Node,
  name: string | undefined,
  traits: DeviceTraits,
): Variant | undefined {
  if (name === undefined) return undefined;
  const naive = naiveOf(node, traits);
  return variantsOf(node, traits).find((v) => v.name === name) ?? (naive.name === name ? naive : undefined);
}

/** Key of a node without its dropout rate, which does not affect the speed of kernels unless it is 0. */
function keyWithoutRate(node: Node): string {
  const { rate = 0, dropout = 0, ...attrs } = node.attrs as { rate?: number; dropout?: number };
  return variantKey({ ...node, attrs: { ...attrs, drops: rate > 0 || dropout > 0 } });
}

/**
 * Returns the choices for the nodes of `after` that differ from a node of `before` in the dropout rate only.
 */
export function sameKernels(
  before: readonly Graph[],
  after: readonly Graph[],
  choices: KernelChoices,
): KernelChoices {
  const known: Record<string, string> = {};
  for (const node of before.flatMap(({ nodes }) => nodes)) {
    const variant = choices[variantKey(node)];
    if (variant !== undefined) known[keyWithoutRate(node)] = variant;
  }
  const same: Record<string, string> = {};
  for (const node of after.flatMap(({ nodes }) => nodes)) {
    const variant = known[keyWithoutRate(node)];
    if (variant !== undefined) same[variantKey(node)] = variant;
  }
  return same;
}

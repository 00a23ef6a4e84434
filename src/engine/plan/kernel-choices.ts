// Kernel choices: the variants that can compute a node, best guess first, and tuned kernels by key.

import { show } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';
import type { Node } from '../ops/op.ts';
import { variantsOf } from '../ops/op-nodes.ts';

/** Tuned kernels: the variant to use for a node, by `variantKey`. */
export type KernelChoices = Readonly<Record<string, string>>;

/** Key of a node: its op, attributes and types, which determine the speed of its variants. */
export function variantKey(node: Node): string {
  const { site: _, ...attrs } = node.attrs as { site?: number };
  const types = [...node.inputs, ...node.outputs].map((v) => `${v.dtype}${show(v.shape)}`).join(' ');
  return `${node.op.name} ${JSON.stringify(attrs)} ${types}`;
}

/**
 * Variants for software adapters. On a CPU a barrier splits a kernel into loops over its threads, and
 * workgroup memory is ordinary memory: variants that use registers or subgroups are several times faster.
 * Variants with much work per thread are faster too, since a thread costs as much as several vec4 operations.
 */
const forSoftware = /^(subgroups|registers)-|^row-group-1$|^per-16$/;

/**
 * Variants that are used only after they have passed their check on the adapter
 * (src/engine/gpu/kernel-check.ts): subgroup matrices are experimental, and no adapter of the project's tests
 * has them.
 */
const needsCheck = /^matrix-/;

/** The variants of a node in the op's order, which suits GPUs; on software adapters those for CPUs first. */
export function candidates(node: Node, traits: DeviceTraits): readonly string[] {
  const variants = variantsOf(node, traits);
  if (!traits.software) return variants;
  const first = variants.filter((v) => forSoftware.test(v));
  return [...first, ...variants.filter((v) => !first.includes(v))];
}

/** Returns the variant of a node if auto-tuning has chosen none. */
export function defaultVariant(node: Node, traits: DeviceTraits): string {
  const all = candidates(node, traits);
  return all.find((variant) => !needsCheck.test(variant)) ?? (all[0] as string);
}

/** Returns the variant of a node with which the others are compared; see `naive` of an op. */
export const naiveOf = (node: Node, traits: DeviceTraits): string =>
  node.op.naive ?? (variantsOf(node, traits).at(-1) as string);

/** Whether a node can run as a variant: one that its op offers, or the naive one. */
export const canRun = (node: Node, variant: string | undefined, traits: DeviceTraits): variant is string =>
  variant !== undefined && (candidates(node, traits).includes(variant) || variant === naiveOf(node, traits));

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

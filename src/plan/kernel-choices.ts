// Kernel choices: the variants that can compute a node, best guess first, and tuned kernels by key.

import { show } from '../core/tensor.ts';
import { type DeviceTraits, type Node, variantsOf } from '../ops/op.ts';

/** Tuned kernels: the variant to use for a node, by `variantKey`. */
export type KernelChoices = Readonly<Record<string, string>>;

/**
 * Returns the key of a node: op, attributes and types, which determine the speed of its variants; not its position in
 * the model.
 */
export function variantKey(node: Node): string {
  const { site: _, ...attrs } = node.attrs as { site?: number };
  const types = [...node.inputs, ...node.outputs].map((v) => `${v.dtype}${show(v.shape)}`).join(' ');
  return `${node.op.name} ${JSON.stringify(attrs)} ${types}`;
}

/**
 * Variants for software adapters. On a CPU a barrier splits a kernel into loops over its threads, and workgroup memory
 * is ordinary memory: variants that use registers or subgroups are several times faster. A thread costs as much as
 * several vec4 operations: so are variants with many of them per thread.
 */
const forSoftware = /^(subgroups|registers)-|^row-group-1$|^per-16$/;

/**
 * Variants that are used only after they have passed their check on the adapter (src/gpu/kernel-check.ts): subgroup
 * matrices are experimental, and no adapter of the project's tests has them.
 */
const needsCheck = /^matrix-/;

/**
 * Returns the variants of a node in the op's order, which suits GPUs; on software adapters those that suit a CPU come
 * first.
 */
export function candidates(node: Node, traits: DeviceTraits): readonly string[] {
  const variants = variantsOf(node, traits);
  if (!traits.software) return variants;
  const first = variants.filter((v) => forSoftware.test(v));
  return [...first, ...variants.filter((v) => !first.includes(v))];
}

/** Returns the variant of a node that is used if none was chosen. */
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

// Which kernel a node uses: the variants that can compute it, best guess first, and choices among them by key.

import { show } from '../core/tensor.ts';
import { type DeviceTraits, type Node, variantsOf } from '../ops/op.ts';

/** Which variant to use for a node, by `variantKey`; what tuning finds and keeps. */
export type KernelChoices = Readonly<Record<string, string>>;

/** What decides how fast a variant of a node is: op, attributes and types, but not which layer it is in. */
export function variantKey(node: Node): string {
  const { site: _, ...attrs } = node.attrs as { site?: number };
  const types = [...node.inputs, ...node.outputs].map((v) => `${v.dtype}${show(v.shape)}`).join(' ');
  return `${node.op.name} ${JSON.stringify(attrs)} ${types}`;
}

/**
 * Variants that suit an adapter that is a CPU. There a barrier splits a kernel into loops over its threads and workgroup memory is plain
 * memory, so those that keep to registers (and subgroups) are several times faster; and since each thread costs as much as several
 * cells of four numbers, so are those with many cells a thread.
 */
const forSoftware = /^(subgroups|registers)-|^row-group-1$|^per-16$/;

/** The variants of a node: in the op's order, which is for GPUs; on software adapters those that suit a CPU come first. */
export function candidates(node: Node, traits: DeviceTraits): readonly string[] {
  const variants = variantsOf(node, traits);
  if (!traits.software) return variants;
  const first = variants.filter((v) => forSoftware.test(v));
  return [...first, ...variants.filter((v) => !first.includes(v))];
}

// Which kernels can do a node, best guess first: what a plan takes where nothing was measured, and what tuning tries in this order.

import type { DeviceTraits, Node } from '../ops/op.ts';

/**
 * Variants that suit an adapter that is a CPU. There a barrier splits a kernel into loops over its threads and workgroup memory is plain
 * memory, so those that keep to registers (and subgroups) are several times faster; and since each thread costs as much as several
 * cells of four numbers, so are those with many cells a thread.
 */
const forSoftware = /^(subgroups|registers)-|^team-1$|^per-16$/;

/** The variants of a node: in the op's order, which is for GPUs; on software adapters those that suit a CPU come first. */
export function candidates(node: Node, traits: DeviceTraits): readonly string[] {
  const variants = node.op.variants?.(node, traits) ?? ['only'];
  if (!traits.software) return variants;
  const first = variants.filter((v) => forSoftware.test(v));
  return [...first, ...variants.filter((v) => !first.includes(v))];
}

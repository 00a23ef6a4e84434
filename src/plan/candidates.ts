// Which kernels can do a node, best guess first: what a plan takes where nothing was measured, and what tuning tries in this order.

import type { DeviceTraits, Node } from '../ops/op.ts';

/**
 * Variants that keep to registers (and subgroups): no workgroup memory, no barriers. On an adapter that is a CPU a barrier splits a
 * kernel into loops over its threads and workgroup memory is plain memory, so these are several times faster there.
 */
const withoutBarriers = /^(subgroups|registers)-|^team-1$/;

/** The variants of a node: in the op's order, which is for GPUs; on software adapters those without barriers come first. */
export function candidates(node: Node, traits: DeviceTraits): readonly string[] {
  const variants = node.op.variants?.(node, traits) ?? ['only'];
  if (!traits.software) return variants;
  const first = variants.filter((v) => withoutBarriers.test(v));
  return [...first, ...variants.filter((v) => !first.includes(v))];
}

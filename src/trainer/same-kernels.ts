// Kernels of training graphs whose dropout rates have changed: their nodes keep the kernels that were chosen before.

import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ops/op.ts';
import { type KernelChoices, variantKey } from '../plan/kernel-choices.ts';

/** Key of a node without its dropout rate, which decides the speed of no kernel unless it is 0. */
function keyWithoutRate(node: Node): string {
  const { rate = 0, dropout = 0, ...attrs } = node.attrs as { rate?: number; dropout?: number };
  return variantKey({ ...node, attrs: { ...attrs, drops: rate > 0 || dropout > 0 } });
}

/** Returns the choices for the nodes of `after` that differ from a node of `before` in the dropout rate only. */
export function sameKernels(before: readonly Graph[], after: readonly Graph[], choices: KernelChoices): KernelChoices {
  const known = new Map<string, string>();
  for (const { nodes } of before)
    for (const node of nodes) {
      const variant = choices[variantKey(node)];
      if (variant !== undefined) known.set(keyWithoutRate(node), variant);
    }
  return Object.fromEntries(
    after.flatMap(({ nodes }) =>
      nodes.flatMap((node) => {
        const variant = known.get(keyWithoutRate(node));
        return variant === undefined ? [] : [[variantKey(node), variant] as const];
      }),
    ),
  );
}

// Prepares the graphs of a program under names, so that nobody finds them by counting.

import type { Engine, Program } from './engine.ts';
import type { PrepareOptions } from './gpu/gpu-engine.ts';
import type { Graph } from './graph/graph.ts';

/**
 * Prepares all graphs in one call of `engine.prepare`, so that their plans share memory and their kernels are
 * tuned together. Returns the programs under the names of their graphs, in the same order.
 */
export async function prepareByName<Name extends string>(
  engine: Engine,
  graphs: Readonly<Record<Name, readonly Graph[]>>,
  options?: PrepareOptions,
): Promise<Record<Name, Program[]>> {
  const lists = Object.entries<readonly Graph[]>(graphs);
  const rest = await engine.prepare(
    lists.flatMap(([, list]) => list),
    options,
  );
  const named = lists.map(([name, list]) => [name, rest.splice(0, list.length)] as const);
  return Object.fromEntries(named) as Record<Name, Program[]>;
}

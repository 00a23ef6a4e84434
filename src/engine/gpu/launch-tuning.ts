// The choice between many dispatches and few: a decoding step whose sublayers are one dispatch each is used if each of
// them is faster than its parts on the device, as auto-tuning measures.

import { fuseRowSublayers } from '../graph/fewer-launches.ts';
import { Graph } from '../graph/graph.ts';
import { type KernelChoices, variantKey } from '../plan/kernel-choices.ts';

/**
 * Fuses the sublayers of a graph if `choose` chooses their fused kernels; else the graph stays as it is. `choose`
 * gets a graph with only the fused nodes.
 */
export async function fuseIfFaster(
  graph: Graph,
  choose: (candidates: Graph) => Promise<KernelChoices>,
): Promise<boolean> {
  const before = [...graph.nodes];
  const fused = fuseRowSublayers(graph);
  if (fused.length === 0) return false;
  const candidates = new Graph();
  candidates.nodes.push(...fused);
  const choices = await choose(candidates);
  if (fused.every((node) => choices[variantKey(node)] === 'fused')) return true;
  graph.nodes.splice(0, graph.nodes.length, ...before);
  for (const node of before) for (const v of node.outputs) v.node = node;
  return false;
}

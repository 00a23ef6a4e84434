// The choice between many dispatches and few, as auto-tuning measures: a decoding step whose sublayers are one dispatch
// each is used if each of them is faster than its parts on the device; a training step takes the fused nodes that are.

import { fuseRowSublayers } from '../graph/fewer-launches.ts';
import { fuseLinearNorms, joinLossChunks } from '../graph/fewer-training-launches.ts';
import { Graph } from '../graph/graph.ts';
import type { AttentionVariant } from '../ops/attention/attention-launch.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';
import { linearBackwardOp } from '../ops/matmul/linear-backward.ts';
import type { Node } from '../ops/op.ts';
import { variantsOf } from '../ops/op-nodes.ts';
import { type KernelChoices, variantKey } from '../plan/kernel-choices.ts';

/**
 * Fuses the sublayers of a graph if `choose` chooses their fused kernels; else the graph stays as it is. `choose`
 * gets a graph with only the fused nodes.
 */
export async function fuseIfFaster(
  graph: Graph,
  choose: (candidates: Graph) => Promise<KernelChoices>,
): Promise<boolean> {
  const restore = snapshot(graph);
  const fused = fuseRowSublayers(graph);
  if (fused.length === 0) return false;
  const choices = await choose(graphOf(fused));
  if (fused.every((node) => choices[variantKey(node)] === 'fused')) return true;
  restore();
  return false;
}

/**
 * Fuses each norm of a training step with the linear layers around it if `choose` chooses the fused kernel. If it
 * chooses all of them, dispatches cost more than their work, and the loss is one chunk too. A run that is resumed
 * takes what it took before: `settled`, the kernels of its checkpoint, decides if it has some of the graph.
 */
export async function fuseFasterNorms(
  graph: Graph,
  settled: KernelChoices,
  choose: (candidates: Graph) => Promise<KernelChoices>,
): Promise<boolean> {
  const isResumed = graph.nodes.some((node) => node.op === linearBackwardOp && variantKey(node) in settled);
  const restore = snapshot(graph);
  const fused = fuseLinearNorms(graph);
  if (fused.length === 0) return false;
  const choices = isResumed ? settled : await choose(graphOf(fused.map(({ node }) => node)));
  const faster = fused.filter(({ node }) => choices[variantKey(node)] === 'fused').map(({ norm }) => norm);
  if (faster.length < fused.length) {
    restore();
    fuseLinearNorms(graph, (norm) => faster.includes(norm));
  } else joinLossChunks(graph);
  return faster.length > 0;
}

/**
 * Fuses all that can be fused in a graph, of training or decoding, whether it is faster or not; returns the kernels of
 * the fewest dispatches: the gradients of attention in one.
 */
export function fewestLaunches(graph: Graph, traits: DeviceTraits): KernelChoices {
  joinLossChunks(graph);
  const fused = [...fuseRowSublayers(graph), ...fuseLinearNorms(graph).map(({ node }) => node)];
  const together = graph.nodes.flatMap((node) => {
    const variant = variantsOf(node, traits).find((one: AttentionVariant) => one.together);
    return variant ? [[variantKey(node), variant.name]] : [];
  });
  return Object.fromEntries([...fused.map((node) => [variantKey(node), 'fused']), ...together]);
}

/** A graph of some nodes only. */
function graphOf(nodes: readonly Node[]): Graph {
  const graph = new Graph();
  graph.nodes.push(...nodes);
  return graph;
}

/** Remembers the nodes of a graph; returns a function that puts them back. */
function snapshot(graph: Graph): () => void {
  const before = [...graph.nodes];
  return () => {
    graph.nodes.splice(0, graph.nodes.length, ...before);
    for (const node of before) for (const v of node.outputs) v.node = node;
  };
}

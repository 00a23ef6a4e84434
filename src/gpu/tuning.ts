// Tuning: measures the kernels that nodes of graphs can be done by on the device itself and says which won. Adapters differ too much
// for a table of names: what is best on a GPU can be ten times slower on a software adapter.

import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ops/op.ts';
import { candidates } from '../plan/candidates.ts';
import { type Choices, variantKey } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { compileVariant, flopsOf, measureVariant } from './measure.ts';

/** One measured variant. */
export interface Measured {
  readonly key: string;
  readonly variant: string;
  readonly ms: number;
}

/** Settings of `tune`. */
export interface TuneOptions {
  /** What is known already; those keys are not measured again. */
  readonly known?: Choices;
  /**
   * Milliseconds, compiling included, after which nothing more is begun; what is left takes the winner of the most similar node, or
   * else the first guess. Default 3,000.
   */
  readonly budgetMs?: number;
  /** Measure every node, not one of those whose sizes are about alike (within a factor of 4 in all). */
  readonly each?: boolean;
  /** What was measured of a node, fastest first; nothing where another's winner was taken. */
  readonly onMeasured?: (measured: readonly Measured[]) => void;
  /** Before each measurement; may throw to end the tuning. */
  readonly onProgress?: (done: number, of: number, what: string) => void;
  /** Milliseconds of a variant, and of the clock; for tests. */
  readonly measure?: (node: Node, variant: string, best: number) => Promise<number>;
  readonly now?: () => number;
}

/**
 * Measures what is not known; returns choices for every node of `graphs` that has a choice. Nodes are taken by their share of the
 * work, the variants of each in their order: the first guess is what a run would compile anyway, and another one is only begun if it
 * would be done in time, going by the one that took longest.
 */
export async function tune(device: Device, graphs: readonly Graph[], options: TuneOptions = {}): Promise<Choices> {
  const { known = {}, budgetMs = 3000, each = false, now = () => performance.now() } = options;
  const measure = options.measure ?? ((node, variant, best) => measureVariant(device, node, variant, best));
  const choices: Record<string, string> = { ...known };
  const guessed: Record<string, string> = {};
  const order = openNodes(device, graphs, known);
  const slow = new Set<string>();
  const start = now();
  let longest = 0;
  let done = 0;
  for (const { key, node } of order) {
    const all = candidates(node, device.traits);
    const fast = all.filter((v) => !slow.has(familyOf(v)));
    const left = fast.length > 0 ? fast : all;
    const like = mostSimilar(key, left, choices);
    done++;
    if (like && like.distance <= (each ? 0 : Math.log(4))) {
      choices[key] = like.variant;
      continue;
    }
    if (left.length === 1 || now() - start > budgetMs) {
      guessed[key] = like?.variant ?? (left[0] as string);
      continue;
    }
    // Drivers of GPUs compile in parallel; where the CPU is the adapter, that would only take from what is measured.
    if (!options.measure && !device.traits.software) for (const v of left) compileVariant(device, node, v);
    const measured: Measured[] = [];
    for (const variant of left) {
      const begun = now();
      const best = Math.min(...measured.map((m) => m.ms));
      if (measured.some((m) => m.ms > 3 * best && familyOf(m.variant) === familyOf(variant))) continue;
      if (measured.length > 0 && begun - start + longest > budgetMs) break;
      options.onProgress?.(done - 1, order.length, `${node.op.name} ${variant}`);
      const ms = await measure(node, variant, best);
      measured.push({ key, variant, ms });
      longest = Math.max(longest, now() - begun);
    }
    measured.sort((x, y) => x.ms - y.ms);
    const [best] = measured as [Measured];
    choices[key] = best.variant;
    for (const m of measured)
      if (m.ms > 3 * best.ms && familyOf(m.variant) !== familyOf(best.variant)) slow.add(familyOf(m.variant));
    options.onMeasured?.(measured);
  }
  if (order.length > 0) options.onProgress?.(order.length, order.length, 'done');
  return { ...choices, ...guessed };
}

/** Nodes with a choice that is not known, one of each key, those with the most work in all their copies first. */
function openNodes(device: Device, graphs: readonly Graph[], known: Choices): { key: string; node: Node }[] {
  const open = new Map<string, { key: string; node: Node; work: number }>();
  for (const graph of graphs)
    for (const node of graph.nodes) {
      const variants = candidates(node, device.traits);
      const key = variantKey(node);
      if (variants.length < 2 || variants.includes(known[key] ?? '')) continue;
      const entry = open.get(key) ?? { key, node, work: 0 };
      open.set(key, { ...entry, work: entry.work + 1 });
    }
  return [...open.values()]
    .map((entry) => ({ ...entry, work: entry.work * flopsOf(entry.node, device) }))
    .sort((a, b) => b.work - a.work);
}

/** A variant's name without its sizes: where one of a family is hopeless, so are the others, on any node. */
const familyOf = (variant: string): string => variant.replace(/-\d.*$/, '');

/** The winner, one of `variants`, among known nodes of the same op whose sizes are nearest; the attributes may differ. */
function mostSimilar(
  key: string,
  variants: readonly string[],
  choices: Choices,
): { variant: string; distance: number } | undefined {
  const [op, sizes] = split(key);
  let best: { variant: string; distance: number } | undefined;
  for (const [other, variant] of Object.entries(choices)) {
    const [otherOp, otherSizes] = split(other);
    if (otherOp !== op || !variants.includes(variant)) continue;
    // Optional inputs stand at the end of the inputs; products of sizes compare what the same sizes in another order do not.
    const distance =
      Math.abs(volume(sizes) - volume(otherSizes)) +
      (sizes.slice(0, 6).join() === otherSizes.slice(0, 6).join() ? 0 : 1e-3);
    if (!best || distance < best.distance) best = { variant, distance };
  }
  return best;
}

/** Logarithm of the product of the first two tensors' sizes. */
const volume = (sizes: readonly number[]): number => sizes.slice(0, 6).reduce((sum, n) => sum + Math.log(n + 1), 0);

/** Op, and all sizes of the types. */
function split(key: string): [string, number[]] {
  const end = key.lastIndexOf('}') + 1;
  return [key.slice(0, key.indexOf(' ')), [...key.slice(end).matchAll(/(?<=[[,])\d+/g)].map((m) => Number(m[0]))];
}

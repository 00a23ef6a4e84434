// Tuning: measures the kernels that nodes of graphs can be done by on the device itself and says which won. Adapters differ too much
// for a table of names: what is best on a GPU can be ten times slower on a software adapter.

import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ops/op.ts';
import { candidates, type KernelChoices, variantKey } from '../plan/kernel-choices.ts';
import type { Device } from './device.ts';
import { compileVariant, flopsOf, measureVariant } from './kernel-timing.ts';

/** One measured variant. */
export interface KernelTiming {
  readonly key: string;
  readonly variant: string;
  readonly ms: number;
}

/** Settings of `tune`. */
export interface TuneKernelsOptions {
  /** What was measured before. Those keys are not measured again, and guesses go by them. */
  readonly known?: KernelChoices;
  /** What is taken for keys that are not known, instead of measuring them: guesses of earlier runs, which give the same bits again. */
  readonly guessed?: KernelChoices;
  /**
   * Milliseconds, compiling included, after which nothing more is begun; what is left takes the winner of the most similar node, or
   * else the first guess. Default 2,000.
   */
  readonly budgetMs?: number;
  /**
   * Measure every node, known and guessed ones too; without it, of those that are alike (sizes within a factor of 4 in all) one is
   * measured.
   */
  readonly measureAll?: boolean;
  /** What was measured of a node, all its variants, fastest first. */
  readonly onMeasured?: (measured: readonly KernelTiming[]) => void;
  /** What a node takes that was not measured, or not to the end. */
  readonly onGuessed?: (key: string, variant: string) => void;
  /** Before each measurement; may throw to end the tuning. */
  readonly onProgress?: (done: number, of: number, what: string) => void;
}

/** How kernels are measured: on a device, or as a test says. */
export interface KernelTimer {
  /** Starts to compile variants that will be measured. */
  compile?(node: Node, variants: readonly string[]): void;
  /** Milliseconds of a variant, where the fastest so far took `best`. */
  measure(node: Node, variant: string, best: number): Promise<number>;
  /** Milliseconds on a clock. */
  now(): number;
}

/**
 * Measures what is not known; returns choices for every node of `graphs` that has a choice. Nodes are taken by their share of the
 * work, the variants of each in their order: the first guess is what a run would compile anyway, and another one is only begun if it
 * would be done in time, going by the one that took longest.
 */
export const tuneKernels = (
  device: Device,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> =>
  tuneWith(
    {
      // Drivers of GPUs compile in parallel; where the CPU is the adapter, that would only take from what is measured.
      ...(!device.traits.software && {
        compile(node, variants) {
          for (const v of variants) compileVariant(device, node, v);
        },
      }),
      measure: (node, variant, best) => measureVariant(device, node, variant, best),
      now: () => performance.now(),
    },
    device,
    graphs,
    options,
  );

/** `tune` by a meter. */
export async function tuneWith(
  meter: KernelTimer,
  device: Pick<Device, 'traits'>,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> {
  const { known = {}, guessed = {}, budgetMs = 2000, measureAll = false } = options;
  const choices: Record<string, string> = { ...guessed, ...known };
  /** What guesses go by: measurements alone. */
  const seen: Record<string, string> = { ...known };
  const order = openNodes(device, graphs, measureAll ? {} : choices);
  const slow = new Set<string>();
  const start = meter.now();
  let longest = 0;
  for (const [done, { key, node }] of order.entries()) {
    const all = candidates(node, device.traits);
    const fast = all.filter((v) => !slow.has(familyOf(v)));
    const left = fast.length > 0 ? fast : all;
    const like = mostSimilar(key, left, seen);
    const guess = (variant: string) => {
      if (all.includes(known[key] ?? '')) return; // what was measured stands
      choices[key] = variant;
      options.onGuessed?.(key, variant);
    };
    if (!measureAll && like && like.distance <= Math.log(4)) {
      guess(like.variant);
      continue;
    }
    if (left.length === 1 || meter.now() - start > budgetMs) {
      guess(like?.variant ?? (left[0] as string));
      continue;
    }
    meter.compile?.(node, left);
    const measured: KernelTiming[] = [];
    let whole = true;
    for (const variant of left) {
      const begun = meter.now();
      const best = Math.min(...measured.map((m) => m.ms));
      if (measured.some((m) => m.ms > 3 * best && familyOf(m.variant) === familyOf(variant))) continue;
      if (measured.length > 0 && begun - start + longest > budgetMs) {
        whole = false;
        break;
      }
      options.onProgress?.(done, order.length, `${node.op.name} ${variant}`);
      const ms = await meter.measure(node, variant, best);
      measured.push({ key, variant, ms });
      longest = Math.max(longest, meter.now() - begun);
    }
    measured.sort((x, y) => x.ms - y.ms);
    const [best] = measured as [KernelTiming];
    seen[key] = best.variant;
    for (const m of measured)
      if (m.ms > 3 * best.ms && familyOf(m.variant) !== familyOf(best.variant)) slow.add(familyOf(m.variant));
    if (whole) {
      choices[key] = best.variant;
      options.onMeasured?.(measured);
    } else guess(best.variant);
  }
  if (order.length > 0) options.onProgress?.(order.length, order.length, 'done');
  return choices;
}

/** Nodes with a choice that is not settled, one of each key, those with the most work in all their copies first. */
function openNodes(
  device: Pick<Device, 'traits'>,
  graphs: readonly Graph[],
  settled: KernelChoices,
): { key: string; node: Node }[] {
  const open = new Map<string, { key: string; node: Node; work: number }>();
  for (const graph of graphs)
    for (const node of graph.nodes) {
      const variants = candidates(node, device.traits);
      const key = variantKey(node);
      if (variants.length < 2 || variants.includes(settled[key] ?? '')) continue;
      const entry = open.get(key) ?? { key, node, work: 0 };
      open.set(key, { ...entry, work: entry.work + 1 });
    }
  return [...open.values()]
    .map((entry) => ({ ...entry, work: entry.work * flopsOf(entry.node, device) }))
    .sort((a, b) => b.work - a.work);
}

/** A variant's name without its sizes: where one of a family is hopeless, so are the others, on any node. */
const familyOf = (variant: string): string => variant.replace(/-\d.*$/, '');

/**
 * The winner, one of `variants`, among measured nodes of the same op, form and types whose sizes are nearest; the other attributes may
 * differ.
 */
function mostSimilar(
  key: string,
  variants: readonly string[],
  seen: KernelChoices,
): { variant: string; distance: number } | undefined {
  const [kind, sizes] = split(key);
  let best: { variant: string; distance: number } | undefined;
  for (const [other, variant] of Object.entries(seen)) {
    const [otherKind, otherSizes] = split(other);
    if (otherKind !== kind || !variants.includes(variant)) continue;
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

/** What must be equal (op, transposed operands, format of packed weights, types of the first two tensors), and all sizes. */
function split(key: string): [string, number[]] {
  const end = key.lastIndexOf('}') + 1;
  const types = key.slice(end);
  const forms = key.slice(0, end).match(/"trans[AB]":true|"format":"\w+"/g) ?? [];
  const dtypes = types.match(/\b[fiu]\d+(?=\[)/g)?.slice(0, 2) ?? [];
  return [
    [key.slice(0, key.indexOf(' ')), ...forms, ...dtypes].join(' '),
    [...types.matchAll(/(?<=[[,])\d+/g)].map((m) => Number(m[0])),
  ];
}

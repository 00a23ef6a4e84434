// Kernel auto-tuning: checks each variant of a node on this device, times it and picks the fastest. Adapters
// differ too much for a table of names: the best variant of a GPU can be ten times slower on a software
// adapter, or wrong.

import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ops/op.ts';
import { candidates, canRun, type KernelChoices, naiveOf, variantKey } from '../plan/kernel-choices.ts';
import type { Device } from './device.ts';
import { createChecker } from './kernel-check.ts';
import { compileVariant, flopsOf, measureVariant } from './kernel-timing.ts';

/** The time of a variant. */
export interface KernelTiming {
  /** Key of the node, see `variantKey`. */
  readonly key: string;
  readonly variant: string;
  readonly ms: number;
}

/** A variant that is not used: it does not run, or its results differ from those of the naive variant. */
export interface DroppedKernel {
  /** Op and variant: `linear tiled-64x64`. */
  readonly kernel: string;
  /** What is wrong, in one line. */
  readonly reason: string;
}

/** Settings of `tuneKernels`. */
export interface TuneKernelsOptions {
  /**
   * Kernels that were checked and measured before. Their keys are not measured again, and similar nodes use
   * them.
   */
  readonly known?: KernelChoices;
  /**
   * Checked but unmeasured kernels of earlier runs. Their keys are not measured either, so that results keep
   * the same bits.
   */
  readonly guessed?: KernelChoices;
  /**
   * Kernels of a checkpoint. They take precedence and are not measured, but checked if they are in neither
   * list above.
   */
  readonly settled?: KernelChoices;
  /**
   * Time limit in milliseconds, compilation included. Nodes left over use the fastest variant of the most
   * similar node, or else the first candidate. Default 2,000.
   */
  readonly budgetMs?: number;
  /**
   * Measure every node again. By default only one of similar nodes (sizes within a factor of 4 in total) is
   * measured.
   */
  readonly measureAll?: boolean;
  /** Called with the times of all variants of a node, fastest first. */
  readonly onMeasured?: (measured: readonly KernelTiming[]) => void;
  /** Called with the variant chosen for a node whose variants were not all measured. */
  readonly onGuessed?: (key: string, variant: string) => void;
  /** Called with each variant that fails its check. */
  readonly onDropped?: (dropped: DroppedKernel) => void;
  /** Called before each measurement. It may throw to stop. */
  readonly onProgress?: (done: number, total: number, kernel: string) => void;
}

/** Checks and times kernels: on a device, or with given numbers in a test. */
export interface KernelTimer {
  /** Returns what is wrong with the results of a variant; '' if nothing. */
  check(node: Node, variant: string): Promise<string>;
  /** Starts to compile variants before they are timed. */
  compile?(node: Node, variants: readonly string[]): void;
  /** Returns the milliseconds of a variant; the fastest so far took `best`. */
  measure(node: Node, variant: string, best: number): Promise<number>;
  /** Returns the time in milliseconds. */
  now(): number;
}

/**
 * Checks and times the kernel variants of `graphs`. Returns the variant of every node that has several; it
 * has passed its check, or is the naive variant. Nodes with the most work come first. A further variant of a
 * node is timed only if the slowest measurement so far would still fit the time limit.
 *
 * @example
 * const kernelChoices = await tuneKernels(device, [graph], { budgetMs: 10_000 });
 * const plan = makePlan(graph, { traits: device.traits, kernelChoices });
 */
export const tuneKernels = (
  device: Device,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> =>
  tuneWith(
    {
      // GPU drivers compile in parallel. On a software adapter that would slow down the measurements.
      ...(!device.traits.software && {
        compile(node, variants) {
          for (const v of variants) compileVariant(device, node, v);
        },
      }),
      check: createChecker(device),
      measure: (node, variant, best) => measureVariant(device, node, variant, best),
      now: () => performance.now(),
    },
    device,
    graphs,
    options,
  );

/** `tuneKernels` with a given timer. */
export async function tuneWith(
  timer: KernelTimer,
  device: Pick<Device, 'traits'>,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> {
  const { known = {}, guessed = {}, settled = {}, budgetMs = 2000, measureAll = false } = options;
  const { traits } = device;
  const choices: Record<string, string> = { ...guessed, ...known };
  /** Measured kernels, for similar nodes. */
  const seen: Record<string, string> = { ...known };
  const passes = async (node: Node, variant: string): Promise<boolean> => {
    const reason = await timer.check(node, variant);
    if (reason)
      options.onDropped?.({ kernel: `${node.op.name} ${variant}`, reason: reason.replace(/\s+/g, ' ') });
    return !reason;
  };
  for (const { key, node } of openNodes(device, graphs, {})) {
    const variant = settled[key];
    if (!canRun(node, variant, traits)) continue;
    if (choices[key] === variant || (await passes(node, variant))) choices[key] = variant;
  }
  const order = openNodes(device, graphs, measureAll ? {} : choices);
  const slow = new Set<string>();
  const start = timer.now();
  let longest = 0;
  for (const [done, { key, node }] of order.entries()) {
    const all = candidates(node, traits);
    const fast = all.filter((v) => !slow.has(familyOf(v)));
    const left = fast.length > 0 ? fast : all;
    const like = nearestMeasured(key, left, seen);
    /** Chooses `best`, or else the first variant that passes its check. */
    const guess = async (best: string) => {
      if (canRun(node, known[key], traits)) return; // keep the measured one
      let chosen = naiveOf(node, traits);
      for (const variant of new Set([best, ...left, ...all]))
        if (await passes(node, variant)) {
          chosen = variant;
          break;
        }
      choices[key] = chosen;
      options.onGuessed?.(key, chosen);
    };
    if (!measureAll && like && like.distance <= Math.log(4)) {
      await guess(like.variant);
      continue;
    }
    if (left.length === 1 || timer.now() - start > budgetMs) {
      await guess(like?.variant ?? (left[0] as string));
      continue;
    }
    timer.compile?.(node, left);
    const measured: KernelTiming[] = [];
    let complete = true;
    for (const variant of left) {
      const begun = timer.now();
      const best = Math.min(...measured.map((m) => m.ms));
      if (measured.some((m) => m.ms > 3 * best && familyOf(m.variant) === familyOf(variant))) continue;
      if (measured.length > 0 && begun - start + longest > budgetMs) {
        complete = false;
        break;
      }
      options.onProgress?.(done, order.length, `${node.op.name} ${variant}`);
      if (!(await passes(node, variant))) continue;
      const ms = await timer.measure(node, variant, best);
      measured.push({ key, variant, ms });
      longest = Math.max(longest, timer.now() - begun);
    }
    measured.sort((x, y) => x.ms - y.ms);
    const [best] = measured;
    if (!best) {
      await guess(naiveOf(node, traits));
      continue;
    }
    seen[key] = best.variant;
    for (const m of measured)
      if (m.ms > 3 * best.ms && familyOf(m.variant) !== familyOf(best.variant)) slow.add(familyOf(m.variant));
    if (complete) {
      choices[key] = best.variant;
      options.onMeasured?.(measured);
    } else await guess(best.variant);
  }
  if (order.length > 0) options.onProgress?.(order.length, order.length, 'done');
  return choices;
}

/**
 * Returns nodes without a usable choice in `settled`, one per key, ordered by the work of all nodes of the
 * key.
 */
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
      if (variants.length < 2 || canRun(node, settled[key], device.traits)) continue;
      const entry = open.get(key) ?? { key, node, work: 0 };
      open.set(key, { ...entry, work: entry.work + 1 });
    }
  return [...open.values()]
    .map((entry) => ({ ...entry, work: entry.work * flopsOf(entry.node, device) }))
    .sort((a, b) => b.work - a.work);
}

/**
 * A variant's name without its sizes. If one of a family is very slow, its other members are skipped on every
 * node.
 */
const familyOf = (variant: string): string => variant.replace(/-\d.*$/, '');

/**
 * Returns the fastest of `variants` on the measured node of the same op, form and types with the nearest
 * sizes, and its distance.
 */
function nearestMeasured(
  key: string,
  variants: readonly string[],
  seen: KernelChoices,
): { variant: string; distance: number } | undefined {
  const [kind, sizes] = split(key);
  let best: { variant: string; distance: number } | undefined;
  for (const [other, variant] of Object.entries(seen)) {
    const [otherKind, otherSizes] = split(other);
    if (otherKind !== kind || !variants.includes(variant)) continue;
    // Only the first two tensors are compared: optional inputs come last. The product ignores the order of
    // sizes; equal order breaks ties.
    const distance =
      Math.abs(volume(sizes) - volume(otherSizes)) +
      (sizes.slice(0, 6).join() === otherSizes.slice(0, 6).join() ? 0 : 1e-3);
    if (!best || distance < best.distance) best = { variant, distance };
  }
  return best;
}

/** Logarithm of the product of the sizes of the first two tensors. */
const volume = (sizes: readonly number[]): number =>
  sizes.slice(0, 6).reduce((sum, n) => sum + Math.log(n + 1), 0);

/**
 * Splits a key into what must be equal (op, transposed operands, format of packed weights, types of the first
 * two tensors) and all sizes.
 */
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

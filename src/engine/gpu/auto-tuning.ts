// Kernel auto-tuning: checks each variant of a node on this device, times it and picks the fastest. Adapters
// differ too much for a table of names: the best variant of a GPU can be ten times slower on a software
// adapter, or wrong.
//
// Nodes of one kind (op, attributes, types) share a choice. A kind gets it from the first of these sources:
//
//   settled    the choice of a checkpoint, so that results keep their bits. It is checked, not timed. If it
//              fails its check, the kind is open.
//   known      the fastest variant of an earlier run on this adapter, or else one that an earlier run guessed
//              (`guessed`). It was checked then. `measureAll` ignores both.
//   similar    the fastest variant of a measured kind of the same op, form and types whose sizes differ by a
//              factor of at most 4 in total, as those of other batch shapes do. It is checked.
//   measured   the fastest of all variants that pass their check. The kinds with most work come first.
//   guessed    if the time limit is over before all variants are timed: the fastest so far, that of the most
//              similar kind, or the first candidate, as far as it passes its check. The next run knows it as
//              `guessed`.
//
// Two things save time. A variant that takes three times as long as the best one of its family ends the
// measurements of that family on this node. A family that takes three times as long as the best one is
// skipped on all later nodes. A node whose variants all fail uses the naive one.

import { withCallbacks } from '../../core/callbacks.ts';
import type { Message } from '../../core/message.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Variant } from '../ops/op.ts';
import { candidates, type KernelChoices, naiveOf, variantKey, variantNamed } from '../plan/kernel-choices.ts';
import type { Device } from './device.ts';
import { createChecker } from './kernel-check.ts';
import { compileVariant, flopsOf, measureVariant } from './kernel-timing.ts';
import { nearestMeasured } from './similar-kernels.ts';

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
  readonly reason: Message | string;
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
  check(node: Node, variant: Variant): Promise<Message | string>;
  /** Starts to compile variants before they are timed. */
  compile?(node: Node, variants: readonly Variant[]): void;
  /** Returns the milliseconds of a variant; the fastest so far took `best`. */
  measure(node: Node, variant: Variant, best: number): Promise<number>;
  /** Returns the time in milliseconds. */
  now(): number;
}

/** Checks and times the kernel variants of `graphs`; see checked-calls.ts. */
export const tuneKernels = (
  device: Device,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> => {
  return withCallbacks(options, (watched) => tuneWith(deviceTimer(device), device, graphs, watched));
};

/** The timer of a device. */
function deviceTimer(device: Device): KernelTimer {
  const compile = (node: Node, variants: readonly Variant[]): void => {
    for (const variant of variants) compileVariant(device, node, variant);
  };
  return {
    // GPU drivers compile in parallel. On a software adapter that would slow down the measurements.
    compile: device.traits.software ? undefined : compile,
    check: createChecker(device),
    measure: (node, variant, best) => measureVariant(device, node, variant, best),
    now: () => performance.now(),
  };
}

/** `tuneKernels` with a given timer. */
export const tuneWith = (
  timer: KernelTimer,
  device: Pick<Device, 'traits'>,
  graphs: readonly Graph[],
  options: TuneKernelsOptions = {},
): Promise<KernelChoices> => new Tuning(timer, device, options).run(graphs);

/** The times of the variants of a node. */
interface Measurement {
  /** Fastest first. */
  readonly times: readonly (KernelTiming & { readonly of: Variant })[];
  /** False if the time limit ended it. */
  readonly complete: boolean;
}

/** One run of the tuner. */
class Tuning {
  readonly #timer: KernelTimer;
  readonly #device: Pick<Device, 'traits'>;
  readonly #options: TuneKernelsOptions;
  readonly #choices: Record<string, string>;
  /** Measured kernels, for similar nodes. */
  readonly #measured: Record<string, string>;
  /** Families that were very slow on a node. */
  readonly #slow = new Set<string>();
  #start = 0;
  /** Milliseconds of the slowest measurement. */
  #longest = 0;

  constructor(timer: KernelTimer, device: Pick<Device, 'traits'>, options: TuneKernelsOptions) {
    this.#timer = timer;
    this.#device = device;
    this.#options = options;
    this.#choices = { ...options.guessed, ...options.known };
    this.#measured = { ...options.known };
  }

  /** Chooses a variant for each kind of node that has several; returns all choices. */
  async run(graphs: readonly Graph[]): Promise<KernelChoices> {
    await this.#settle(graphs);
    const { measureAll, onProgress } = this.#options;
    const open = openNodes(this.#device, graphs, measureAll ? {} : this.#choices);
    this.#start = this.#timer.now();
    for (const [done, { key, node }] of open.entries())
      await this.#choose(key, node, (variant) =>
        onProgress?.(done, open.length, `${node.op.name} ${variant.name}`),
      );
    if (open.length > 0) onProgress?.(open.length, open.length, 'done');
    return this.#choices;
  }

  /** Takes the settled choices that can run and are right. */
  async #settle(graphs: readonly Graph[]): Promise<void> {
    for (const { key, node } of openNodes(this.#device, graphs, {})) {
      const variant = variantNamed(node, this.#options.settled?.[key], this.#device.traits);
      if (!variant) continue;
      if (this.#choices[key] === variant.name || (await this.#passes(node, variant)))
        this.#choices[key] = variant.name;
    }
  }

  /** Chooses the variant of an open node: similar, measured or guessed. */
  async #choose(key: string, node: Node, onMeasure: (variant: Variant) => void): Promise<void> {
    const { traits } = this.#device;
    const { measureAll = false, onMeasured } = this.#options;
    const all = candidates(node, traits);
    const fast = all.filter((v) => !this.#slow.has(familyOf(v)));
    const left = fast.length > 0 ? fast : all;
    const guess = (best: Variant) => this.#guess(key, node, [best, ...left, ...all]);

    const similar = nearestMeasured(key, left, this.#measured);
    if (!measureAll && similar && similar.distance <= Math.log(4)) return guess(similar.variant);
    if (left.length === 1 || this.#isOver(0)) return guess(similar?.variant ?? (left[0] as Variant));

    const { times, complete } = await this.#measure(key, node, left, onMeasure);
    const [best] = times;
    if (!best) return guess(naiveOf(node, traits));
    this.#measured[key] = best.variant;
    for (const { of, ms } of times)
      if (ms > 3 * best.ms && familyOf(of) !== familyOf(best.of)) this.#slow.add(familyOf(of));
    if (!complete) return guess(best.of);
    this.#choices[key] = best.variant;
    onMeasured?.(times.map(({ variant, ms }) => ({ key, variant, ms })));
  }

  /** Checks and times variants one after the other. */
  async #measure(
    key: string,
    node: Node,
    variants: readonly Variant[],
    onMeasure: (variant: Variant) => void,
  ): Promise<Measurement> {
    this.#timer.compile?.(node, variants);
    const times: Measurement['times'][number][] = [];
    let complete = true;
    for (const variant of variants) {
      const begun = this.#timer.now();
      const best = Math.min(...times.map(({ ms }) => ms));
      if (times.some(({ of, ms }) => ms > 3 * best && familyOf(of) === familyOf(variant))) continue;
      if (times.length > 0 && this.#isOver(this.#longest, begun)) {
        complete = false;
        break;
      }
      onMeasure(variant);
      if (!(await this.#passes(node, variant))) continue;
      const ms = await this.#timer.measure(node, variant, best);
      times.push({ key, variant: variant.name, ms, of: variant });
      this.#longest = Math.max(this.#longest, this.#timer.now() - begun);
    }
    return { times: times.sort((x, y) => x.ms - y.ms), complete };
  }

  /** Chooses the first of `variants` that passes its check, or else the naive one. A measured choice stays. */
  async #guess(key: string, node: Node, variants: readonly Variant[]): Promise<void> {
    const { traits } = this.#device;
    if (variantNamed(node, this.#options.known?.[key], traits)) return;
    let chosen = naiveOf(node, traits).name;
    const tried = new Set<string>();
    for (const variant of variants) {
      if (tried.has(variant.name)) continue;
      tried.add(variant.name);
      if (await this.#passes(node, variant)) {
        chosen = variant.name;
        break;
      }
    }
    this.#choices[key] = chosen;
    this.#options.onGuessed?.(key, chosen);
  }

  /** Whether a variant passes its check. */
  async #passes(node: Node, variant: Variant): Promise<boolean> {
    const reason = await this.#timer.check(node, variant);
    if (reason) {
      const kernel = `${node.op.name} ${variant.name}`;
      const inOneLine = typeof reason === 'string' ? reason.replace(/\s+/g, ' ') : reason;
      this.#options.onDropped?.({ kernel, reason: inOneLine });
    }
    return !reason;
  }

  /** Whether something that takes `ms` would end after the time limit. */
  #isOver(ms: number, now = this.#timer.now()): boolean {
    return now - this.#start + ms > (this.#options.budgetMs ?? 2000);
  }
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
      if (variants.length < 2 || variantNamed(node, settled[key], device.traits)) continue;
      const entry = open.get(key) ?? { key, node, work: 0 };
      open.set(key, { ...entry, work: entry.work + 1 });
    }
  return [...open.values()]
    .map((entry) => ({ ...entry, work: entry.work * flopsOf(entry.node, device) }))
    .sort((a, b) => b.work - a.work);
}

/** The family of a variant; see `Variant`. */
const familyOf = ({ family, name }: Variant): string => family ?? name;

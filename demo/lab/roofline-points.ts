// Points of the roofline chart: kernels of a run, of other libraries and of the baseline, with their marks,
// and the order in which the arrow keys move through them.

import type { TimedKernel } from '../../bench/peers/kernel-times.ts';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import type { DeviceReport } from '../../src/bench/device-report.ts';
import { type KernelGroup, kernelGroups } from '../../src/bench/kernel-case.ts';
import { rateOf } from '../../src/bench/roofline-model.ts';
import type { Roofs } from '../../src/engine/index.ts';
import { say } from '../common/page-texts.ts';
import { peerNames } from './lab-protocol.ts';
import { variantName } from './variant-name.ts';

/** Names and marks of the kernel groups; marks differ in shape and colour. */
export const groups: Readonly<Record<KernelGroup, { readonly name: string; readonly mark: string }>> = {
  products: { name: say`products`, mark: 'M-5-5H5V5H-5Z' },
  attention: { name: say`attention`, mark: 'M0-6.500 6-0 0 6.500-6 0Z' },
  rows: { name: say`rows and tokens`, mark: 'M5 0A5 5 0 1 1-5 0 5 5 0 1 1 5 0Z' },
  elements: { name: say`elements and updates`, mark: 'M0-6 6 5H-6Z' },
  decoding: { name: say`decoding`, mark: 'M0 6-6-5H6Z' },
};

/** Names and marks of the libraries, drawn as outlines. */
const libraries: readonly { contestant: string; look: string; name: string; mark: string }[] = [
  {
    contestant: 'heddle',
    look: 'library-heddle',
    name: say`heddle, in the comparison`,
    mark: 'M0-6V6M-6 0H6',
  },
  { contestant: 'tfjs', look: 'library-tfjs', name: peerNames.tfjs, mark: 'M-5-5 5 5M-5 5 5-5' },
  {
    contestant: 'jax-js',
    look: 'library-jax',
    name: peerNames.jax,
    mark: 'M-5 0A5 5 0 1 1 5 0 5 5 0 1 1-5 0Z',
  },
];

/** A point of the chart. */
export interface Point {
  /** Name of the kernel, and its variant or library. */
  readonly name: string;
  readonly detail: string;
  /** CSS class and SVG path of the mark. */
  readonly look: string;
  readonly mark: string;
  /** Whether it is the point of its kernel that is highlighted. */
  readonly best: boolean;
  readonly intensity: number;
  readonly rate: number;
}

/** Data of the chart. */
export interface Shown {
  readonly kernels: readonly KernelResult[];
  readonly peers: readonly TimedKernel[];
  readonly roofs: Roofs | undefined;
  readonly all: boolean;
  /** Kernels of the baseline, drawn as outlines. */
  readonly baseline: readonly KernelResult[];
  /** The report of the visitor's device, if it is measured. */
  readonly device: DeviceReport | undefined;
}

/** Entries of the legend: CSS class, name and mark. */
export const looks: readonly { readonly look: string; readonly name: string; readonly mark: string }[] = [
  ...kernelGroups.map((g) => ({ look: `group-${g}`, ...groups[g] })),
  { look: 'baseline', name: 'baseline', mark: groups.rows.mark },
  ...libraries,
];

/** Key of a point: a kernel has several variants and libraries. */
export const keyOf = ({ name, detail: also, look }: Point): string => `${name}|${also}|${look}`;

/** Points from left to right, those above each other from the bottom up. */
export const leftToRight = <P extends { x: number; y: number }>(points: readonly P[]): P[] =>
  [...points].sort((a, b) => a.x - b.x || b.y - a.y);

/**
 * The next point for a key: left and right by intensity, up and down by rate, Home and End for the first and
 * the last.
 */
export function neighbour<P extends { x: number; y: number }>(
  points: readonly P[],
  at: P,
  key: string,
): P | undefined {
  const byX = leftToRight(points);
  const byY = [...points].sort((a, b) => b.y - a.y || a.x - b.x);
  if (key === 'ArrowLeft') return byX[byX.indexOf(at) - 1];
  if (key === 'ArrowRight') return byX[byX.indexOf(at) + 1];
  if (key === 'ArrowDown') return byY[byY.indexOf(at) - 1];
  if (key === 'ArrowUp') return byY[byY.indexOf(at) + 1];
  return key === 'Home' ? byX[0] : key === 'End' ? byX.at(-1) : undefined;
}

/** Whether a point is a variant of heddle that is not the fastest. */
export const isSlower = ({ best, look }: Point): boolean => !best && look.startsWith('group-');

/** The points of the chart; kernels without arithmetic have none. */
export function pointsOf({ kernels, peers, all, baseline }: Shown): Point[] {
  const own = kernels.flatMap((kernel) =>
    kernel.variants
      .filter((variant, i) => (all || i === 0) && rateOf(kernel, variant) > 0)
      .map((variant): Point => {
        const best = variant === kernel.variants[0];
        return {
          name: kernel.name,
          detail: variant.variant === 'only' ? '' : variantName(variant.variant),
          look: `group-${kernel.group}`,
          mark: groups[kernel.group].mark,
          best,
          intensity: kernel.flops / kernel.bytes,
          rate: rateOf(kernel, variant),
        };
      }),
  );
  const compared = peers
    .filter(({ flops }) => flops > 0)
    .flatMap(({ name, flops, bytes, forms }) =>
      libraries.flatMap(({ contestant, look, name: library, mark }): Point[] => {
        const us = Math.min(...forms.filter((f) => f.contestant === contestant).map((f) => f.us));
        if (!Number.isFinite(us)) return [];
        const best = contestant === 'heddle';
        return [
          { name, detail: library, look, mark, best, intensity: flops / bytes, rate: flops / us / 1e3 },
        ];
      }),
    );
  const earlier = baseline.flatMap((kernel): Point[] => {
    const [variant] = kernel.variants;
    const rate = variant ? rateOf(kernel, variant) : 0;
    if (rate === 0) return [];
    const { mark } = groups[kernel.group];
    const intensity = kernel.flops / kernel.bytes;
    return [{ name: kernel.name, detail: 'baseline', look: 'baseline', mark, best: false, intensity, rate }];
  });
  return [...earlier, ...own, ...compared];
}

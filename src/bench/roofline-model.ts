// The roofline model (Williams et al. 2009): attainable GFLOP/s of a kernel at its arithmetic intensity
// (FLOP/byte), with the bandwidth and the peak of the adapter.

import type { Roofs } from '../engine/gpu/roofs.ts';
import { type Axis, logAxis } from '../train/report/svg-chart.ts';
import type { KernelResult, VariantResult } from './check-kernel.ts';

/** The rates of roofs, which is what a chart needs of them. */
export type RoofRates = { readonly [Name in keyof Roofs]: Pick<Roofs[Name], 'rate'> };

/** Attainable GFLOP/s at an arithmetic intensity: min(peak, bandwidth x intensity). */
export const roofAt = ({ bandwidth, peak }: RoofRates, intensity: number): number =>
  Math.min(peak.rate, bandwidth.rate * intensity);

/** GFLOP/s of a variant; 0 if it was not timed or has no arithmetic. */
export const rateOf = (kernel: KernelResult, { ms }: VariantResult): number =>
  ms ? kernel.flops / ms / 1e6 : 0;

/** A variant's share of the roofline; of the bandwidth if it has no arithmetic. */
export const shareOfRoof = (kernel: KernelResult, variant: VariantResult, roofs: Roofs): number => {
  const rate = rateOf(kernel, variant);
  return rate > 0
    ? rate / roofAt(roofs, kernel.flops / kernel.bytes)
    : kernel.bytes / (variant.ms ?? Number.NaN) / 1e6 / roofs.bandwidth.rate;
};

/**
 * Logarithmic axes of a roofline chart, which has all points, the ridge of the roofs and some space around
 * them.
 */
export function rooflineAxes(
  points: readonly { readonly intensity: number; readonly rate: number }[],
  roofs: RoofRates | undefined,
): { readonly intensity: Axis; readonly rate: Axis } {
  const space = 1.6;
  const intensities = points.map((p) => p.intensity);
  const rates = points.map((p) => p.rate);
  const ridge = roofs ? roofs.peak.rate / roofs.bandwidth.rate : 1;
  const peak = roofs?.peak.rate ?? 1;
  return {
    intensity: logAxis(
      Math.min(0.1, ridge / 4, ...intensities.map((x) => x / space)),
      Math.max(10, ridge * 6, ...intensities.map((x) => x * space)),
    ),
    rate: logAxis(
      Math.min(peak / 200, ...rates.map((y) => y / space)),
      Math.max(peak * 1.7, ...rates.map((y) => y * space)),
    ),
  };
}

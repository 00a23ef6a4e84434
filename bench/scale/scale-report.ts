// The costs that bench:scale measures, and its report: a chart for each cost along each axis, as one HTML
// file.

import { formatNumber } from '../../src/core/format-numbers.ts';
import { html } from '../../src/train/report/markup.ts';
import { reportPage } from '../../src/train/report/report-page.ts';
import { drawChart, type Series } from '../../src/train/report/svg-chart.ts';

/** The sizes that are varied. `layers`: layers of the encoder, and of the decoder; `width`: dModel. */
export interface Sizes {
  readonly length: number;
  readonly batch: number;
  readonly vocabulary: number;
  readonly layers: number;
  readonly width: number;
}

/** The costs at a point. Times are in milliseconds, absent if they were not measured. */
export interface Cost {
  readonly memory: number;
  readonly dispatches: number;
  /** FLOPs of attention, and of all other matrix products. */
  readonly attentionFlops: number;
  readonly otherFlops: number;
  /**
   * JavaScript of a step: filling the batch (of that: `fillMs`, in training only), recording and submitting.
   */
  readonly jsMs?: number;
  readonly fillMs?: number;
  readonly stepMs?: number;
  /** Preparing and running the first step, with the default kernels. */
  readonly firstMs?: number;
}

/** The costs along one axis. */
export interface AxisCosts {
  readonly axis: keyof Sizes;
  readonly run: Run;
  readonly points: readonly { readonly value: number; readonly cost: Cost }[];
}

export type Run = 'training' | 'decoding';

/** Dispatches of a step of `mid`, and how many of them a layer adds (of training: a layer of each stack). */
export interface LayerDispatches {
  readonly run: string;
  readonly dispatches: number;
  readonly perLayer: number;
}

/** The exponent of a cost along an axis, and its limit if it has one. */
export interface Fit {
  readonly run: Run;
  readonly axis: keyof Sizes;
  readonly cost: keyof Cost;
  readonly exponent: number;
  readonly limit?: number;
  readonly passed: boolean;
}

const costs: readonly (readonly [keyof Cost, string, number])[] = [
  ['memory', 'Peak memory, MiB', 2 ** -20],
  ['dispatches', 'Dispatches', 1],
  ['jsMs', 'JavaScript of a step, ms', 1],
  ['stepMs', 'Step, ms', 1],
  ['firstMs', 'First step, ms', 1],
];

/** Returns the report; both axes of its charts are logarithmic. */
export function scaleReport(title: string, all: readonly AxisCosts[], fits: readonly Fit[]): string {
  const axes = [...new Set(all.map(({ axis }) => axis))];
  const chart = (axis: AxisCosts['axis'], [cost, name, factor]: (typeof costs)[number]) => {
    const series = all
      .filter((a) => a.axis === axis)
      .map(({ run, points }, i): Series => {
        const fit = fits.find((f) => f.run === run && f.axis === axis && f.cost === cost);
        return {
          name: fit ? `${run}, exponent ${fit.exponent.toFixed(2)}` : run,
          look: i === 0 ? 1 : 2,
          dots: true,
          points: points.map(({ value, cost: c }) => {
            const y = factor * (c[cost] ?? Number.NaN);
            return { x: Math.log2(value), y, low: y, high: y };
          }),
        };
      });
    const label = series.map((s) => s.name).join('; ');
    const drawn = drawChart({
      series,
      show: formatNumber,
      scale: 'log',
      across: `log2 of ${axis}`,
      label: `${name}: ${label}`,
    });
    return html`<figure class="card"><figcaption><h3>${name}</h3></figcaption>${drawn}</figure>`;
  };
  return reportPage({
    title: 'How cost grows · heddle',
    brand: 'heddle · bench:scale',
    heading: 'How cost grows',
    lead: title,
    main: axes.map(
      (axis) => html`<h2>${axis}</h2><div class="charts">${costs.map((cost) => chart(axis, cost))}</div>`,
    ),
  });
}

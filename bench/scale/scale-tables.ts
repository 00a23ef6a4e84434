// The results of bench:scale as tables in Markdown.

import { formatBytes, formatNumber } from '../../src/core/format-numbers.ts';
import type { AxisCosts, Fit, LayerDispatches } from './scale-report.ts';

/** `layerDispatches` as a table in Markdown. */
export const dispatchTable = (lines: readonly LayerDispatches[]): string =>
  [
    '| step of mid | dispatches | per layer |',
    '| --- | --- | --- |',
    ...lines.map(({ run, dispatches, perLayer }) => `| ${run} | ${dispatches} | ${formatNumber(perLayer)} |`),
  ].join('\n');

/** Costs as a table in Markdown: a row for each point, then the exponents. */
export function scaleTable(all: readonly AxisCosts[], fits: readonly Fit[]): string {
  const ms = (x: number | undefined) => (x === undefined ? 'not measured' : formatNumber(x));
  const head = [
    'run',
    'axis',
    'value',
    'memory',
    'dispatches',
    'GFLOP',
    'attention',
    'JS ms',
    'fill ms',
    'step ms',
    'first ms',
  ];
  const rows = all.flatMap(({ axis, run, points }) =>
    points.map(({ value, cost: c }) => {
      const flops = c.attentionFlops + c.otherFlops;
      return [
        run,
        axis,
        `${value}`,
        formatBytes(c.memory),
        `${c.dispatches}`,
        formatNumber(flops / 1e9),
        `${((100 * c.attentionFlops) / flops).toFixed(1)} %`,
        ms(c.jsMs),
        c.fillMs === undefined ? '' : formatNumber(c.fillMs),
        ms(c.stepMs),
        ms(c.firstMs),
      ];
    }),
  );
  const table = (lines: readonly (readonly string[])[]) =>
    lines
      .map(
        (cells, i) => `| ${cells.join(' | ')} |${i === 0 ? `\n|${cells.map(() => ' --- |').join('')}` : ''}`,
      )
      .join('\n');
  const fitted = fits.map((f) => [
    f.run,
    f.axis,
    f.cost,
    f.exponent.toFixed(3),
    f.limit === undefined ? '' : `${f.limit}`,
    f.limit === undefined ? '' : f.passed ? 'within' : 'EXCEEDED',
  ]);
  return `${table([head, ...rows])}\n\n${table([['run', 'axis', 'cost', 'exponent', 'limit', 'result'], ...fitted])}`;
}

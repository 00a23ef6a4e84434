// Panel of the training curves: loss, dev metrics, learning rate, norms, throughput, step time and MFU. Its
// memory is bounded.

import { formatInteger, formatNumber } from '../../../src/core/format-numbers.ts';
import type { LogEval, LogStep } from '../../../src/index.ts';
import { el, fill, hint, onFrame, set, stack } from '../../common/dom.ts';
import type { SessionEvent } from '../protocol.ts';
import { createSeries, type Series } from './averaged-series.ts';
import { type ChartOptions, createLineChart, type LineChart } from './line-chart.ts';

/** The curves panel. */
export interface CurvesPanel {
  readonly element: HTMLElement;
  onEvent(event: SessionEvent): void;
  /** Removes all values. */
  clear(): void;
}

/** A chart of one series; it is hidden if the run has no such values. */
interface SmallChart {
  readonly chart: LineChart;
  readonly series: Series;
  readonly figure: HTMLElement;
}

/** Maximum number of rows in the table of evaluations; the newest is first. */
const maxRows = 50;

/** Creates the panel. */
export function createCurvesPanel(): CurvesPanel {
  const steps = {
    loss: createSeries(),
    learningRate: createSeries(),
    gradientNorm: createSeries(),
    updateRatio: createSeries(),
    rate: createSeries(),
    stepMs: createSeries(),
    mfu: createSeries(),
  };
  const dev = {
    loss: createSeries(512),
    tokens: createSeries(512),
    exact: createSeries(512),
    bleu: createSeries(512),
    chrf: createSeries(512),
  };
  const all = [...Object.values(steps), ...Object.values(dev)];
  let evals: LogEval[] = [];

  const loss = createLineChart({
    title: 'Loss',
    height: 250,
    format: (x) => x.toPrecision(3),
    lines: [
      { name: 'training', series: steps.loss, look: 1 },
      { name: 'dev', series: dev.loss, look: 2, dots: true },
    ],
  });
  const metrics = createLineChart({
    title: 'Dev metrics',
    height: 250,
    empty: 'no evaluation yet',
    range: [0, 100],
    format: (x) => x.toFixed(0),
    lines: [
      { name: 'token accuracy %', series: dev.tokens, look: 1, dots: true },
      { name: 'exact match %', series: dev.exact, look: 2, dots: true },
      { name: 'BLEU', series: dev.bleu, look: 3, dots: true },
      { name: 'chrF2', series: dev.chrf, look: 4, dots: true },
    ],
  });
  const small = (
    title: string,
    name: string,
    series: Series,
    { format = formatNumber, scale = 'linear' }: Pick<ChartOptions, 'format' | 'scale'> = {},
  ): SmallChart => {
    const chart = createLineChart({ title, height: 150, format, scale, lines: [{ name, series, look: 1 }] });
    return {
      chart,
      series,
      figure: el('figure', {}, el('figcaption', {}, el('h3', {}, title)), chart.element),
    };
  };
  const smalls = [
    small('Learning rate', 'rate', steps.learningRate),
    small('Gradient norm before clipping', 'norm', steps.gradientNorm, { scale: 'log' }),
    small('Update norm over weight norm', 'ratio', steps.updateRatio, { scale: 'log' }),
    small('Target tokens per second', 'tokens/s', steps.rate, { format: formatInteger }),
    small('Step time', 'ms', steps.stepMs),
    small('Model FLOPs utilization (MFU)', '%', steps.mfu),
  ];
  /** Charts that change at each step. */
  const stepCharts = [loss, ...smalls.map(({ chart }) => chart)];
  /** Adds the values of one update. */
  function addStep(s: LogStep): void {
    steps.loss.add(s.step, s.loss);
    steps.learningRate.add(s.step, s.learningRate);
    steps.gradientNorm.add(s.step, s.gradientNorm);
    if (s.updateRatio !== undefined) steps.updateRatio.add(s.step, s.updateRatio);
    if (s.mfu !== undefined) steps.mfu.add(s.step, 100 * s.mfu);
  }
  const beforeFirst = hint('The curves of a training appear here with its first update.');
  const charts = el('div', { class: 'stack', hidden: true });
  /** Hides the small charts without values, and before the first values of a run all charts. */
  function hideEmpty(): void {
    const any = all.some(({ xs }) => xs.length > 0);
    set(beforeFirst, { hidden: any });
    set(charts, { hidden: !any });
    for (const { figure, series } of smalls) set(figure, { hidden: series.xs.length === 0 });
  }

  const log = el('input', { type: 'checkbox', id: 'log-scale' });
  log.addEventListener('change', () => loss.setScale(log.checked ? 'log' : 'linear'));
  const body = el('tbody');
  const drawTable = onFrame(() => {
    fill(body, ...evals.slice(-maxRows).reverse().map(row));
  });

  function add(e: LogEval): void {
    if (e.part !== 'dev') return;
    const put = (series: Series, value: number | undefined, scale = 1) => {
      if (typeof value === 'number') series.add(e.step, value * scale);
    };
    put(dev.loss, e.loss);
    put(dev.tokens, e.tokenAccuracy, 100);
    put(dev.exact, e.exactMatch, 100);
    put(dev.bleu, e.bleu);
    put(dev.chrf, e.chrf);
    evals.push(e);
    if (evals.length > 2 * maxRows) evals = evals.slice(-maxRows);
  }

  function clear(): void {
    for (const series of all) series.clear();
    evals = [];
    hideEmpty();
    for (const chart of [...stepCharts, metrics]) chart.update();
    drawTable();
  }

  fill(
    charts,
    el(
      'div',
      { class: 'charts' },
      el(
        'figure',
        {},
        el(
          'figcaption',
          { class: 'row' },
          el('h3', {}, 'Loss'),
          el('label', { class: 'check push' }, log, 'Log scale'),
        ),
        loss.element,
      ),
      el('figure', {}, el('figcaption', {}, el('h3', {}, 'Dev metrics')), metrics.element),
    ),
    el('div', { class: 'charts small' }, ...smalls.map(({ figure }) => figure)),
    el(
      'details',
      {},
      el('summary', {}, 'Table of evaluations'),
      el(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Evaluations' },
        el(
          'table',
          { class: 'numbers' },
          el(
            'thead',
            {},
            el(
              'tr',
              {},
              ...['step', 'dev loss', 'token accuracy', 'exact match', 'BLEU', 'chrF2'].map((name) =>
                el('th', { scope: 'col' }, name),
              ),
            ),
          ),
          body,
        ),
      ),
    ),
  );

  return {
    clear,
    element: stack(beforeFirst, charts),
    onEvent(event) {
      if (event.type === 'state' && event.state === 'preparing') clear();
      // A crash of the GPU process clears all canvases.
      else if (event.type === 'recovery') for (const chart of [...stepCharts, metrics]) chart.rebuild();
      else if (event.type === 'history') {
        for (const s of event.steps) {
          addStep(s);
          steps.rate.add(s.step, s.tokensPerSecond);
        }
        for (const e of event.evals) add(e);
      } else if (event.type === 'steps')
        for (const s of event.steps) {
          addStep(s);
          if (s.first) continue; // its time includes the compilation of the kernels
          steps.rate.add(s.step, s.tokensPerSecond);
          steps.stepMs.add(s.step, s.stepMs);
        }
      else if (event.type === 'evaluation') add(event.eval);
      else return;
      hideEmpty();
      if (event.type === 'steps') for (const chart of stepCharts) chart.update();
      else {
        for (const chart of [...stepCharts, metrics]) chart.update();
        drawTable();
      }
    },
  };
}

const cell = (value: number | undefined, digits: number, scale = 1): string =>
  typeof value === 'number' ? (scale * value).toFixed(digits) : '–';

function row(e: LogEval): HTMLTableRowElement {
  return el(
    'tr',
    {},
    el('td', {}, formatInteger(e.step)),
    el('td', {}, cell(e.loss, 3)),
    el('td', {}, cell(e.tokenAccuracy, 1, 100)),
    el('td', {}, cell(e.exactMatch, 1, 100)),
    el('td', {}, cell(e.bleu, 1)),
    el('td', {}, cell(e.chrf, 1)),
  );
}

// The curves of a training: loss, what the dev sentences say, learning rate, speed. What they hold does not grow with the hours.

import { formatInteger, formatNumber } from '../../../src/core/format-numbers.ts';
import type { LogEval } from '../../../src/report/training-log.ts';
import { el, fill, onFrame } from '../../common/dom.ts';
import type { SessionEvent } from '../protocol.ts';
import { createCurve } from './averaged-series.ts';
import { type Chart, createChart } from './line-chart.ts';

/** The panel of the curves. */
export interface CurvesPanel {
  readonly element: HTMLElement;
  hear(event: SessionEvent): void;
}

/** Evaluations that the table shows, the newest first. */
const rowsShown = 50;

/** Builds the panel. */
export function createCurvesPanel(): CurvesPanel {
  const steps = { loss: createCurve(), learningRate: createCurve(), rate: createCurve(), stepMs: createCurve() };
  const dev = {
    loss: createCurve(512),
    tokens: createCurve(512),
    exact: createCurve(512),
    bleu: createCurve(512),
    chrf: createCurve(512),
  };
  const all = [...Object.values(steps), ...Object.values(dev)];
  let evals: LogEval[] = [];

  const loss = createChart({
    title: 'Loss',
    height: 250,
    show: (x) => x.toPrecision(3),
    lines: [
      { name: 'training', curve: steps.loss, look: 1 },
      { name: 'dev', curve: dev.loss, look: 2, dots: true },
    ],
  });
  const metrics = createChart({
    title: 'On the dev sentences',
    height: 250,
    range: [0, 100],
    show: (x) => x.toFixed(0),
    lines: [
      { name: 'token accuracy %', curve: dev.tokens, look: 1, dots: true },
      { name: 'exact match %', curve: dev.exact, look: 2, dots: true },
      { name: 'BLEU', curve: dev.bleu, look: 3, dots: true },
      { name: 'chrF', curve: dev.chrf, look: 4, dots: true },
    ],
  });
  const small = (
    title: string,
    name: string,
    curve: ReturnType<typeof createCurve>,
    show = formatNumber,
  ): [string, Chart] => [title, createChart({ title, height: 150, show, lines: [{ name, curve, look: 1 }] })];
  const smalls = [
    small('Learning rate', 'rate', steps.learningRate),
    small('Target tokens a second', 'tokens/s', steps.rate, formatInteger),
    small('Step time', 'ms', steps.stepMs),
  ];
  /** Those that each update changes. */
  const stepCharts = [loss, ...smalls.map(([, chart]) => chart)];

  const log = el('input', { type: 'checkbox', id: 'log-scale' });
  log.addEventListener('change', () => loss.setScale(log.checked ? 'log' : 'linear'));
  const body = el('tbody');
  const drawTable = onFrame(() => {
    fill(body, ...evals.slice(-rowsShown).reverse().map(row));
  });

  function add(e: LogEval): void {
    if (e.part !== 'dev') return;
    const put = (curve: ReturnType<typeof createCurve>, value: number | undefined, times = 1) => {
      if (typeof value === 'number') curve.add(e.step, value * times);
    };
    put(dev.loss, e.loss);
    put(dev.tokens, e.tokenAccuracy, 100);
    put(dev.exact, e.exactMatch, 100);
    put(dev.bleu, e.bleu);
    put(dev.chrf, e.chrf);
    evals.push(e);
    if (evals.length > 2 * rowsShown) evals = evals.slice(-rowsShown);
  }

  return {
    element: el(
      'div',
      { class: 'stack' },
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
        el('figure', {}, el('figcaption', {}, el('h3', {}, 'On the dev sentences')), metrics.element),
      ),
      el(
        'div',
        { class: 'charts small' },
        ...smalls.map(([title, chart]) => el('figure', {}, el('figcaption', {}, el('h3', {}, title)), chart.element)),
      ),
      el(
        'details',
        {},
        el('summary', {}, 'Evaluations as a table'),
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
                ...['step', 'dev loss', 'token accuracy', 'exact match', 'BLEU', 'chrF'].map((name) =>
                  el('th', { scope: 'col' }, name),
                ),
              ),
            ),
            body,
          ),
        ),
      ),
    ),
    hear(event) {
      if (event.type === 'state' && event.state === 'preparing') {
        for (const curve of all) curve.clear();
        evals = [];
      } else if (event.type === 'history') {
        for (const s of event.steps) {
          steps.loss.add(s.step, s.loss);
          steps.learningRate.add(s.step, s.learningRate);
          steps.rate.add(s.step, s.tokensPerSecond);
        }
        for (const e of event.evals) add(e);
      } else if (event.type === 'steps')
        for (const s of event.steps) {
          steps.loss.add(s.step, s.loss);
          steps.learningRate.add(s.step, s.learningRate);
          steps.rate.add(s.step, s.tokensPerSecond);
          steps.stepMs.add(s.step, s.stepMs);
        }
      else if (event.type === 'dev') add(event.eval);
      else return;
      if (event.type === 'steps') for (const chart of stepCharts) chart.update();
      else {
        for (const chart of [...stepCharts, metrics]) chart.update();
        drawTable();
      }
    },
  };
}

const of = (value: number | undefined, digits: number, times = 1): string =>
  typeof value === 'number' ? (times * value).toFixed(digits) : '–';

function row(e: LogEval): HTMLTableRowElement {
  return el(
    'tr',
    {},
    el('td', {}, formatInteger(e.step)),
    el('td', {}, of(e.loss, 3)),
    el('td', {}, of(e.tokenAccuracy, 1, 100)),
    el('td', {}, of(e.exactMatch, 1, 100)),
    el('td', {}, of(e.bleu, 1)),
    el('td', {}, of(e.chrf, 1)),
  );
}

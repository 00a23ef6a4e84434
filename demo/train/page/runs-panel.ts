// Panel of all stored runs: a table of the settings that differ and the results, a chart of their curves, CSV
// and PNG.

import { formatDuration, formatInteger, formatPercent } from '../../../src/core/format-numbers.ts';
import { type LogEval, type LogStep, type RunSummary, runMetrics, settingText } from '../../../src/index.ts';
import { type Child, el, fill, set, setText, stack } from '../../common/dom.ts';
import { field, select } from '../../common/form-controls.ts';
import { download } from '../../common/save-blob.ts';
import type { RunHistory } from '../protocol.ts';
import { createSeries, type Series } from './averaged-series.ts';
import { createLineChart, type Line } from './line-chart.ts';
import type { Session } from './training-session.ts';

/** The runs panel. */
export interface RunsPanel {
  readonly element: HTMLElement;
  /** Reads the runs again. */
  refresh(): Promise<void>;
}

/** Names of the curves of steps and of evaluations, by the field of the log. */
const stepCurves = {
  loss: 'training loss',
  accuracy: 'training accuracy',
  gradientNorm: 'gradient norm',
  updateRatio: 'update norm over weight norm',
  learningRate: 'learning rate',
  tokensPerSecond: 'tokens per second',
  mfu: 'MFU',
} satisfies Partial<Record<keyof LogStep, string>>;
const evalCurves = {
  loss: 'dev loss',
  tokenAccuracy: 'dev token accuracy',
  bleu: 'dev BLEU',
  chrf: 'dev chrF2',
  exactMatch: 'dev exact match',
} satisfies Partial<Record<keyof LogEval, string>>;

type Look = Line['look'];

/** Creates the panel; `again` fills the form with the settings of a run. */
export function createRunsPanel(session: Session, again: (name: string) => void): RunsPanel {
  /** The runs whose curves are shown, in the order in which they were selected. */
  const chosen = new Map<string, RunHistory>();
  const table = el('div', { class: 'scroll', role: 'region', 'aria-label': 'Table of runs', tabindex: 0 });
  const note = el('p', { class: 'hint', role: 'status' });
  const curve = select(
    [
      ...Object.entries(stepCurves).map(([key, name]) => [`step.${key}`, name] as const),
      ...Object.entries(evalCurves).map(([key, name]) => [`eval.${key}`, name] as const),
    ],
    'step.loss',
  );
  const smoothing = el('input', { type: 'range', min: 0, max: 0.99, step: 0.01, value: 0.6 });
  const chart = createLineChart({ title: 'Curves of the selected runs', height: 260, lines: [] });
  const csv = el('button', { type: 'button', onclick: () => saveCsv() }, 'Download CSV');
  const png = el('button', { type: 'button', onclick: () => void savePng() }, 'Download PNG');
  const overlay = el(
    'div',
    { class: 'stack', hidden: true },
    el('div', { class: 'thirds' }, field('Curve', curve), field('Smoothing', smoothing)),
    chart.element,
    el('div', { class: 'row' }, csv, png),
  );

  function draw(): void {
    set(overlay, { hidden: chosen.size === 0 });
    const [kind = '', key = ''] = curve.value.split('.');
    const lines = [...chosen].map(([name, { steps, evals }], i): Line => {
      const points =
        kind === 'step' ? valuesOf(steps, key as keyof LogStep) : valuesOf(evals, key as keyof LogEval);
      return {
        name,
        series: smoothed(points, smoothing.valueAsNumber),
        look: ((i % 4) + 1) as Look,
        dash: (((i + Math.floor(i / 4)) % 4) + 1) as Look,
        dots: kind === 'eval',
      };
    });
    chart.setLines(lines);
  }
  for (const control of [curve, smoothing]) control.addEventListener('input', draw);

  async function choose(name: string, box: HTMLInputElement): Promise<void> {
    chosen.delete(name);
    if (box.checked)
      try {
        const history = await session.history(name);
        if (box.checked) chosen.set(name, history);
      } catch (error) {
        setText(note, (error as Error).message);
      }
    draw();
  }
  function saveCsv(): void {
    download(new Blob([toCsv(chosen)], { type: 'text/csv' }), 'runs.csv');
  }
  async function savePng(): Promise<void> {
    const image = await chart.toPng();
    if (image) download(image, 'runs.png');
  }

  function row(
    run: RunSummary,
    headings: readonly string[],
    settings: readonly string[],
  ): HTMLTableRowElement {
    const { folder: name } = run;
    const box = el('input', {
      type: 'checkbox',
      checked: chosen.has(name),
      'aria-label': `Show the curves of ${name}`,
    });
    box.addEventListener('change', () => void choose(name, box));
    const cells: Child[] = [
      ...settings.map((key) => settingText(run.settings[key])),
      run.step < run.steps
        ? `${formatInteger(run.step)} of ${formatInteger(run.steps)}`
        : formatInteger(run.step),
      run.state,
      ...runMetrics.map(([metric, , text]) => {
        const value = run.final[metric];
        return value === undefined ? '–' : text(value);
      }),
      formatDuration(run.seconds),
      formatInteger(run.tokensPerSecond),
      run.mfu === null ? '–' : formatPercent(run.mfu),
      run.adapter,
    ];
    const same = el(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': `Reuse settings of ${name} for a new training`,
        onclick: () => again(name),
      },
      'Reuse settings',
    );
    return el(
      'tr',
      { 'data-run': name },
      el('th', { scope: 'row' }, el('label', { class: 'check' }, box, name)),
      el('td', { class: 'reuse' }, same), // before the values: a table with many settings is wider than its place
      ...cells.map((cell, i) => el('td', { 'data-name': headings[i + 2] }, cell)),
    );
  }
  return {
    element: stack(note, table, overlay),
    async refresh() {
      try {
        const runs = await session.runs();
        const names = new Set(runs.map((run) => run.folder));
        for (const name of chosen.keys()) {
          if (names.has(name)) chosen.set(name, await session.history(name));
          else chosen.delete(name);
        }
        const settings = Object.keys(runs[0]?.settings ?? {});
        // On a narrow screen the names of the columns are beside the values.
        const headings = [
          ...['run', '', ...settings, 'steps', 'state', ...runMetrics.map(([, head]) => head)],
          ...['time', 'tokens/s', 'MFU', 'adapter'],
        ];
        setText(
          note,
          runs.length === 0 ? 'No runs yet. The table shows the settings in which runs differ.' : '',
        );
        fill(
          table,
          runs.length > 0 &&
            el(
              'table',
              { class: 'numbers blocks' },
              el(
                'thead',
                {},
                el('tr', {}, ...headings.map((h) => (h ? el('th', { scope: 'col' }, h) : el('td', {})))),
              ),
              el('tbody', {}, ...runs.map((run) => row(run, headings, settings))),
            ),
        );
        draw();
      } catch (error) {
        setText(note, (error as Error).message);
      }
    },
  };
}

/** Steps and finite values of a field of records. */
const valuesOf = <R extends { readonly step: number }>(
  records: readonly R[],
  key: keyof R,
): [number, number][] =>
  records.flatMap((record) => {
    const value = record[key];
    return typeof value === 'number' && Number.isFinite(value) ? [[record.step, value]] : [];
  });

/**
 * The exponential moving average of points with bias correction; `weight` of the past values: 0 to below 1.
 */
export function smoothed(points: readonly (readonly [number, number])[], weight: number): Series {
  const series = createSeries();
  let [sum, total] = [0, 0];
  for (const [x, y] of points) {
    sum = weight * sum + y;
    total = weight * total + 1;
    series.add(x, sum / total);
  }
  return series;
}

/** Steps and evaluations of runs as CSV: a row per step; a missing value is empty. */
function toCsv(runs: ReadonlyMap<string, Pick<RunHistory, 'steps' | 'evals'>>): string {
  const [ofSteps, ofEvals] = [Object.keys(stepCurves), Object.keys(evalCurves)];
  const cell = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : '');
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const rows = [...runs].flatMap(([name, { steps, evals }]) => {
    const [byStep, byEval] = [new Map(steps.map((s) => [s.step, s])), new Map(evals.map((e) => [e.step, e]))];
    return [...new Set([...byStep.keys(), ...byEval.keys()])]
      .sort((a, b) => a - b)
      .map((step) => {
        const [s, e] = [byStep.get(step), byEval.get(step)];
        const cells = [
          ...[...ofSteps, 'seconds'].map((key) => cell(s?.[key as keyof LogStep])),
          ...ofEvals.map((key) => cell(e?.[key as keyof LogEval])),
        ];
        return [quoted(name), step, ...cells].join(',');
      });
  });
  const head = ['run', 'step', ...ofSteps, 'seconds', ...ofEvals.map((key) => `dev ${key}`)];
  return `${[head.join(','), ...rows].join('\n')}\n`;
}

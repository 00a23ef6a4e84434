// Report of a run: one self-contained HTML file with results, curves, translations of test sentences and all
// settings.

import { formatDuration, formatInteger, formatNumber, formatPercent } from '../../core/format-numbers.ts';
import { mainMetricNames, mainMetrics } from '../../text/metrics/main-metrics.ts';
import { type Metric, metricValue } from '../../text/metrics/metric.ts';
import { insideCard } from './inside-card.ts';
import { type Html, html } from './markup.ts';
import { factCards, samplesCard } from './report-cards.ts';
import { reportPage } from './report-page.ts';
import { describeChanges } from './run-changes.ts';
import { type Chart, curve, drawChart, type Point, rates, type Series } from './svg-chart.ts';
import {
  historyOf,
  type LogEval,
  type LogRecord,
  type LogStep,
  mfuIn,
  type TrainingHistory,
} from './training-log.ts';

/**
 * Returns the report of a log as an HTML page. `metrics`: those of evaluations. Throws a HeddleError if the log has no
 * start.
 */
export function trainingReport(
  records: readonly LogRecord[],
  metrics: readonly Metric[] = mainMetrics,
): string {
  const history = historyOf(records);
  const { start } = history;
  const lastProbe = history.probes.at(-1);
  return reportPage({
    title: `${start.corpus.name} · heddle training report`,
    brand: html`${logo}heddle · training report`,
    heading: start.corpus.name,
    lead: lead(history),
    main: html`${figures(history, metrics)}
${notes(history).map((text) => html`<p class="note">${text}</p>`)}
<h2>Training curves</h2>
${charts(history, metrics)}
${history.samples.length > 0 && html`<h2>Translations of test sentences</h2>${samplesCard(history.samples)}`}
${lastProbe && html`<h2>Inside the model</h2>${insideCard(lastProbe)}`}
<h2>Settings</h2>
${factCards(history)}`,
    footer: `Made by heddle ${start.heddle}. All figures are in log.jsonl in the same folder, one JSON object per line.`,
  });
}

/** Logo: woven threads. */
const logo = html`<svg viewBox="0 0 24 24" fill="none" stroke-width="3" stroke-linecap="round" aria-hidden="true"><path class="warp" d="M6 2v9M6 17v5M12 2v3M12 11v11M18 2v9M18 17v5"/><path class="weft" d="M2 8h1M9 8h13M2 14h13M21 14h1"/></svg>`;

function lead({ start, steps }: TrainingHistory): string {
  const done = steps.at(-1)?.step ?? start.step;
  const when = start.time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*/, '$1 $2 UTC');
  return `${start.preset} model of ${formatInteger(start.parameters)} parameters, ${formatInteger(done)} ${done === 1 ? 'step' : 'steps'} on ${start.backend}, ${when}`;
}

/**
 * Whether most references have several words: BLEU then tells more than exact match. Runs without samples, as those that
 * were stopped, count as sentences.
 */
const areSentences = (samples: TrainingHistory['samples']): boolean =>
  samples.length === 0 ||
  samples.filter(({ reference }) => /\S\s+\S/.test(reference)).length > samples.length / 2;

/**
 * Results of the last evaluation on the test set, or else on the dev set. First, and large: BLEU of sentences,
 * exact match of words.
 */
function figures({ evals, steps, start, ends, samples }: TrainingHistory, metrics: readonly Metric[]): Html {
  const cells: [string, string][] = [];
  const addMetric = (name: string, label: (e: LogEval) => string, show: (value: number) => string) => {
    const valueIn = (e: LogEval) => metricValue(e, { name });
    const known = evals.filter((e) => valueIn(e) !== undefined);
    const last = known.findLast((e) => e.part === 'test') ?? known.at(-1);
    if (last) cells.push([label(last), show(valueIn(last) as number)]);
  };
  const sentences = (e: LogEval) => `${formatInteger(e.sentences ?? Number.NaN)} ${e.part} sentences`;
  const oneDecimal = (x: number) => x.toFixed(1);
  const isOfSentences = areSentences(samples);
  // Metrics that only some models have tell most of these.
  const special = metrics.filter(({ name }) => !(mainMetricNames as readonly string[]).includes(name));
  for (const [i, { name, label, title = label, show }] of special.entries())
    addMetric(name, (e) => (i === 0 ? `${title} on ${sentences(e)}` : title), show);
  if (isOfSentences) addMetric('bleu', (e) => `BLEU on ${sentences(e)}`, oneDecimal);
  addMetric(
    'exactMatch',
    (e) => (isOfSentences ? 'exact match' : `exact match on ${sentences(e)}`),
    formatPercent,
  );
  const hasMain = cells.length > 0;
  if (!isOfSentences) addMetric('bleu', () => 'BLEU', oneDecimal);
  addMetric('chrf', () => 'chrF2', oneDecimal);
  addMetric('tokenAccuracy', (e) => `token accuracy, ${e.part}`, formatPercent);
  addMetric('perplexity', (e) => `perplexity, ${e.part}`, formatNumber);
  const loss = steps.findLast((s) => Number.isFinite(s.loss));
  if (loss) cells.push(['training loss, last step', loss.loss.toFixed(3)]);
  const seconds = steps.at(-1)?.seconds ?? 0;
  if (seconds > 0) {
    cells.push(['training time', formatDuration(seconds)]);
    cells.push([
      'target tokens per second',
      formatInteger(steps.reduce((n, s) => n + s.tokens, 0) / seconds),
    ]);
  }
  const mfu = mfuIn({ ends, steps });
  if (mfu !== undefined) cells.push(['model FLOPs utilization (MFU)', formatPercent(mfu)]);
  if (cells.length === 0) cells.push(['steps planned', formatInteger(start.steps)]);
  return html`<dl class="figures">${cells.map(
    ([name, value], i) =>
      html`<div class="card${i === 0 && hasMain && ' main'}"><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

/** Notes on the run: how it ended, which weights the model has, changed settings, skipped updates. */
function notes({ start, steps, ends, changes, stages }: TrainingHistory): string[] {
  const end = ends.at(-1);
  const done = steps.at(-1)?.step ?? start.step;
  const out: string[] = [];
  if (end?.step !== done && steps.length > 0)
    out.push(
      `The log is incomplete: training was interrupted after step ${formatInteger(done)} of ${formatInteger(start.steps)}, or is still running.`,
    );
  else if (end?.reason === 'stopped')
    out.push(`Training was stopped after step ${formatInteger(done)} of ${formatInteger(start.steps)}.`);
  else if (end?.reason === 'patience')
    out.push(
      `Early stopping after step ${formatInteger(done)} of ${formatInteger(start.steps)}: evaluations did not improve.`,
    );
  else if (end?.reason === 'failed')
    out.push(`Training failed after step ${formatInteger(done)}: ${end.error}`);
  if (end?.best && end.best.step !== done)
    out.push(
      `The model has the weights of step ${formatInteger(end.best.step)}, the best by ${end.best.metric} on the dev set.`,
    );
  if (changes.length > 0) out.push(`Settings were changed during the run: ${describeChanges(changes)}.`);
  if (stages.length > 0)
    out.push(
      `Training data: ${stages.map(({ step, data }) => `${data} from step ${formatInteger(step + 1)}`).join('; ')}.`,
    );
  const skipped = Math.max(end?.skipped ?? 0, steps.filter((s) => s.skipped).length);
  if (skipped > 0)
    out.push(
      `${formatInteger(skipped)} ${skipped === 1 ? 'update was' : 'updates were'} skipped because a gradient was not finite.`,
    );
  return out;
}

const training = (steps: readonly LogStep[], value: (s: LogStep) => number): Point[] =>
  curve(steps.map((s) => [s.step, value(s)] as const));

const evaluated = (evals: readonly LogEval[], value: (e: LogEval) => number | undefined): Point[] =>
  curve(evals.filter((e) => value(e) !== undefined).map((e) => [e.step, value(e) as number] as const));

/** First and last value of a curve, as text for screen readers. */
function inWords(name: string, points: readonly Point[], show: (value: number) => string): string {
  const known = points.filter((p) => Number.isFinite(p.y));
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return `${name}: no values`;
  return `${name} from ${show(first.y)} at step ${formatInteger(first.x)} to ${show(last.y)} at step ${formatInteger(last.x)}`;
}

function charts(history: TrainingHistory, metrics: readonly Metric[]): Html {
  const { steps } = history;
  const dev = history.evals.filter((e) => e.part === 'dev');
  const loss = training(steps, (s) => s.loss);
  const devLoss = evaluated(dev, (e) => e.loss);
  const lossSeries: Series[] = [{ name: 'training', look: 1, points: loss }];
  if (devLoss.length > 0) lossSeries.push({ name: 'dev', look: 2, points: devLoss, dots: true });
  const stepRange: [number, number] = [
    (steps[0]?.step ?? 1) - 1,
    Math.max(1, history.evals.at(-1)?.step ?? 0, steps.at(-1)?.step ?? 0),
  ];
  const lossChart = (scale: 'linear' | 'log') =>
    drawChart({
      series: lossSeries,
      show: formatNumber,
      scale,
      from: scale === 'linear' ? 0 : undefined,
      steps: stepRange,
      label: inWords('Training loss', loss, formatNumber),
    });
  const speed = rates(steps.map((s) => ({ x: s.step, amount: s.tokens, time: s.seconds })));
  const small: [title: string, points: Point[], axis: Partial<Chart>][] = [
    ['Learning rate', training(steps, (s) => s.learningRate), { from: 0 }],
    ['Target tokens per second', speed, { from: 0 }],
    ['Gradient norm before clipping', training(steps, (s) => s.gradientNorm), { scale: 'log' }],
    ['Training token accuracy, %', training(steps, (s) => 100 * s.accuracy), { range: [0, 100] }],
  ];
  const measured = steps.filter((s) => s.updateRatio !== undefined);
  if (measured.length > 0)
    small.push([
      'Update norm over weight norm',
      training(measured, (s) => s.updateRatio as number),
      { scale: 'log' },
    ]);
  if (steps.some((s) => s.mfu !== undefined)) {
    const mfu = training(steps, (s) => 100 * (s.mfu ?? Number.NaN));
    small.push(['Model FLOPs utilization (MFU), %', mfu, { from: 0 }]);
  }
  return html`<div class="charts">
<figure class="card wide"><div class="tabs">
<h3>Loss, nats per target token</h3>
<input type="radio" name="loss" id="loss-linear" class="first" checked><label for="loss-linear">linear</label>
<input type="radio" name="loss" id="loss-log" class="second"><label for="loss-log">logarithmic</label>
<div class="panel first">${lossChart('linear')}</div><div class="panel second">${lossChart('log')}</div>
</div></figure>
${devCharts(dev, stepRange, metrics)}
${small.map(([title, points, axis]) => {
  const chart = {
    series: [{ name: '', look: 1 as const, points }],
    show: formatNumber,
    steps: stepRange,
    label: inWords(title, points, formatNumber),
  };
  return html`<figure class="card"><figcaption><h3>${title}</h3></figcaption>${drawChart({ ...chart, ...axis })}</figure>`;
})}
</div>`;
}

/** Dev metrics over the steps, as charts and as a table. */
function devCharts(
  dev: readonly LogEval[],
  steps: readonly [number, number],
  all: readonly Metric[],
): Html | undefined {
  if (dev.length === 0) return undefined;
  const times100 = (x: number | undefined) => (x === undefined ? undefined : 100 * x);
  const drawn: Series[] = [
    {
      name: 'token accuracy, %',
      look: 1,
      points: evaluated(dev, (e) => times100(e.tokenAccuracy)),
      dots: true,
    },
    { name: 'exact match, %', look: 2, points: evaluated(dev, (e) => times100(e.exactMatch)), dots: true },
    { name: 'BLEU', look: 3, points: evaluated(dev, (e) => e.bleu), dots: true },
    { name: 'chrF2', look: 4, points: evaluated(dev, (e) => e.chrf), dots: true },
  ];
  const series = drawn.filter((s) => s.points.length > 0);
  const one = (x: number) => String(Number(x.toFixed(1)));
  const label = series.map((s) => inWords(s.name, s.points, one)).join('; ');
  const metrics = all.filter((metric) => dev.some((e) => metricValue(e, metric) !== undefined));
  const cell = (e: LogEval, metric: Metric) => {
    const x = metricValue(e, metric);
    return html`<td>${x === undefined || !Number.isFinite(x) ? '–' : metric.show(x)}</td>`;
  };
  return html`<figure class="card wide"><figcaption><h3>Dev metrics, 0 to 100</h3></figcaption>
${drawChart({ series, show: one, range: [0, 100], steps, label })}
<details><summary>Values</summary><div class="scroll"><table class="numbers">
<thead><tr><th scope="col">step</th>${metrics.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${dev.map((e) => html`<tr><td>${formatInteger(e.step)}</td>${metrics.map((metric) => cell(e, metric))}</tr>`)}</tbody>
</table></div></details></figure>`;
}

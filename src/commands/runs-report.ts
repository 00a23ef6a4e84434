// The HTML report that compares training runs: a table of all, the mean and deviation over seeds, and dev losses.

import { type RunSummary, runMetrics, seedGroups, settingText, unlikeLosses } from '../api/run-summaries.ts';
import { features } from '../features/features.ts';
import { allMetrics } from '../text/metrics/main-metrics.ts';
import { isBetter } from '../text/metrics/metric.ts';
import { html } from '../train/report/markup.ts';

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
.table { overflow-x: auto; margin-bottom: 1.5rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid #8884; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.best { font-weight: bold; }
`;

/** The start of every report. */
const pageHead =
  '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Runs</title>';

/** Whether a file is a report that heddle wrote. */
export const isRunsReport = (text: string): boolean => text.startsWith(pageHead);

/** The report as an HTML file. */
export function runsReport(runs: readonly RunSummary[]): string {
  const names = Object.keys(runs[0]?.settings ?? {});
  const known = allMetrics(features.metrics);
  const metrics = runMetrics(runs, known);
  const bests = new Map(
    metrics.map((metric) => {
      const values = runs.flatMap(({ best: { [metric.name]: best } }) => (best ? [best.value] : []));
      return [metric.name, values.reduce((a, b) => (isBetter(metric, b, a) ? b : a))];
    }),
  );
  const groups = seedGroups(runs, known);
  const unlike = unlikeLosses(runs);
  const notes = [
    unlike === 'vocabularies' &&
      ' The runs have different vocabularies: compare loss/char instead of losses per token.',
    names.includes('dev pairs') &&
      ' The runs have different dev pairs: their dev metrics cannot be compared.',
  ];
  const page = html`<h1>${runs.length} ${runs.length === 1 ? 'run' : 'runs'}</h1>
<p>Best values on the dev pairs; @: step of the evaluation. The best of each column is bold.${notes}</p>
<div class="table"><table><tr><th>run</th>${names.map((name) => html`<th>${name}</th>`)}<th>steps</th><th>state</th>${metrics.map(({ label, short = label }) => html`<th>${short}</th>`)}${unlike && html`<th>loss/char</th>`}</tr>
${runs.map(
  (
    run,
  ) => html`<tr><td>${run.folder}</td>${names.map((name) => html`<td>${settingText(run.settings[name])}</td>`)}<td class="number">${run.step}</td><td>${run.state}</td>${metrics.map(
    ({ name, show }) => {
      const best = run.best[name];
      if (!best) return html`<td class="number">–</td>`;
      const mark = best.value === bests.get(name) ? 'number best' : 'number';
      return html`<td class="${mark}">${show(best.value)} @${best.step}</td>`;
    },
  )}${unlike && html`<td class="number">${run.lossPerCharacter?.toFixed(4) ?? '–'}</td>`}</tr>
`,
)}</table></div>
${
  groups.length === 0
    ? ''
    : html`<h2>Mean and standard deviation over seeds</h2>
<div class="table"><table><tr>${groups[0]?.names.map((name) => html`<th>${name}</th>`)}<th>seeds</th>${metrics.map(({ label, short = label }) => html`<th>${short}</th>`)}</tr>
${groups.map(
  (
    group,
  ) => html`<tr>${group.names.map((name) => html`<td>${settingText(group.settings[name])}</td>`)}<td class="number">${group.runs.length}</td>${metrics.map(
    ({ name, show }) => {
      const [m, d] = [group.mean[name], group.deviation[name]];
      return html`<td class="number">${m === undefined || d === undefined ? '–' : `${show(m)} ± ${show(d)}`}</td>`;
    },
  )}</tr>
`,
)}</table></div>`
}`;
  return `${pageHead}<style>${style}</style></head>\n<body>\n${page.markup}</body></html>\n`;
}

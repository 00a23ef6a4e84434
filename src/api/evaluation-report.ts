// The HTML report of an evaluation: scores with intervals, scores of groups, and the worst sentences.

import { type BootstrapScore, differenceText } from '../text/metrics/bootstrap.ts';
import type { GroupScores } from '../text/metrics/score-groups.ts';
import { html } from '../train/report/markup.ts';
import type { EvaluationReport, TranslationReport } from './score-systems.ts';

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5rem; }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.text { overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
`;

/** The report as an HTML file. */
export function evaluationReport(result: TranslationReport | EvaluationReport): string {
  const { systems, signatures, analysis, pairs, skipped } = result;
  const loss = 'loss' in result ? result.loss : undefined;
  const score = (system: BootstrapScore) => {
    const { score, mean, interval } = system;
    const p = differenceText(system);
    return html`<td>${score.toFixed(2)} (${mean.toFixed(2)} ± ${interval.toFixed(2)})${p && `, ${p}`}</td>`;
  };
  const groups = (title: string, rows: readonly GroupScores[]) => html`<h2>${title}</h2>
<table><tr><th>group</th><th>pairs</th><th>BLEU</th><th>chrF2</th></tr>
${rows.map(
  (row) =>
    html`<tr><td>${row.group}</td><td class="number">${row.sentences}</td><td class="number">${row.bleu.toFixed(2)}</td><td class="number">${row.chrf.toFixed(2)}</td></tr>
`,
)}</table>`;
  const page = html`<h1>Evaluation</h1>
<p>${pairs} ${pairs === 1 ? 'pair' : 'pairs'}${skipped > 0 ? `, ${skipped} skipped` : ''}${loss === undefined ? '' : `; loss ${loss.toFixed(4)} nats per token`}; exact match
${(100 * result.exactMatch).toFixed(2)} %. Mean and 95 % confidence interval by bootstrap resampling; p-values are those of the difference to the
first row.</p>
<table><tr><th>system</th><th>BLEU</th><th>chrF2</th><th>chrF2++</th><th>TER (lower is better)</th></tr>
${systems.map(
  (
    system,
  ) => html`<tr><td>${system.name}</td>${score(system.bleu)}${score(system.chrf)}${score(system.chrfPlus)}${score(system.ter)}</tr>
`,
)}</table>
<ul>${signatures.map((signature) => html`<li><code>${signature}</code></li>`)}</ul>
${groups('By length of the source', analysis.byLength)}
${groups('By share of words that occur once', analysis.byRareWords)}
<h2>Worst sentences by chrF2</h2>
<table><tr><th>line</th><th>chrF2</th><th>source, translation, references</th></tr>
${analysis.worst.map(
  (sentence) =>
    html`<tr><td class="number">${sentence.number}</td><td class="number">${sentence.chrf.toFixed(1)}</td><td class="text">${sentence.source}<br><b>${sentence.translation}</b>${sentence.references.map((reference) => html`<br><i>${reference}</i>`)}</td></tr>
`,
)}</table>`;
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Evaluation</title><style>${style}</style></head>\n<body>\n${page.markup}</body></html>\n`;
}

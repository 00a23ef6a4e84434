// The HTML report of `heddle clean`: counts and examples of each rule.

import { html } from '../../../train/report/markup.ts';
import { cleanRules, ruleNames } from '../clean/clean-rules.ts';
import type { CleanResult } from './clean-run.ts';

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td.count { text-align: right; font-variant-numeric: tabular-nums; }
td.text { overflow-wrap: anywhere; white-space: pre-wrap; }
`;

/** The report as an HTML file. `files`: names of the cleaned files. */
export function cleanReport(
  { pairs, kept, dropped, languages }: CleanResult,
  files: readonly string[],
): string {
  const share = (count: number) => `${((100 * count) / pairs).toFixed(2)} %`;
  const broken = ruleNames.filter((name) => dropped[name].count > 0);
  const found = Object.entries(languages).sort(([, a], [, b]) => b - a);
  const page = html`<h1>Cleaned pairs</h1>
<p>${files.join(', ')}: ${kept} of ${pairs} pairs kept (${share(kept)}).</p>
<table>
<tr><th>rule</th><th>dropped</th><th>share</th><th>what it drops</th></tr>
${ruleNames.map(
  (name) =>
    html`<tr><td>${dropped[name].count > 0 ? html`<a href="#${name}">${name}</a>` : name}</td><td class="count">${dropped[name].count}</td><td class="count">${share(dropped[name].count)}</td><td>${cleanRules[name].help}</td></tr>
`,
)}</table>
${
  found.length > 0
    ? html`<h2>Other languages</h2>
<table><tr><th>side and language</th><th>pairs</th></tr>
${found.map(
  ([name, count]) => html`<tr><td>${name}</td><td class="count">${count}</td></tr>
`,
)}</table>`
    : ''
}
${broken.map(
  (name) => html`<h2 id="${name}">${name}: ${dropped[name].count}</h2>
<table><tr><th>line</th><th>source</th><th>target</th></tr>
${dropped[name].examples.map(({ file, line, text }) => {
  const [source = '', target = ''] = text.split('\t');
  return html`<tr><td>${files.length > 1 ? `${file}:` : ''}${line}</td><td class="text">${source}</td><td class="text">${target}</td></tr>
`;
})}</table>
`,
)}`;
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Cleaned pairs</title><style>${style}</style></head>\n<body>\n${page.markup}</body></html>\n`;
}

// The report of a training as one HTML file without scripts or anything from elsewhere: the course of the loss, what came out of
// held-out sentences, and all settings.

import type { TrainArguments, TrainResult } from '../jobs/train.ts';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const plain = (text: unknown): string => String(text).replace(/[&<>"]/g, (c) => escapes[c] as string);
const row = (cells: readonly unknown[]): string => `<tr>${cells.map((c) => `<td>${plain(c)}</td>`).join('')}</tr>`;
const rows = (list: readonly (readonly unknown[])[]): string => `<table>${list.map(row).join('\n')}</table>`;

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse}
td{padding:.15rem 1rem .15rem 0;vertical-align:top;border-top:1px solid #ddd}td:first-child{color:#555}
.right{color:#0a7a3a}.wrong{color:#b3261e}svg{width:100%;height:auto}text{font-size:11px;fill:#555}`;

/** The report as HTML; `name` is its title. */
export function trainingReport(name: string, args: TrainArguments, result: TrainResult): string {
  const { evaluation: e, losses, config, ...rest } = result;
  const exact: [string, unknown][] = e
    ? [['exact match', `${(100 * e.exactMatch).toFixed(1)} % of ${e.sentences} held-out sentences`]]
    : [];
  const figures: [string, unknown][] = [
    ...exact,
    ['last loss', losses.at(-1)?.toFixed(4) ?? 'none'],
    ['steps', `${rest.steps}${rest.stopped ? ', ended early' : ''}${rest.skipped ? `, ${rest.skipped} skipped` : ''}`],
    ['training time', `${rest.trainSeconds.toFixed(1)} s, ${Math.round(rest.tokensPerSecond)} target tokens/s`],
    ['parameters', rest.parameters.toLocaleString('en')],
    ['pairs', rest.pairs],
    ['GPU memory', `${(rest.peakBytes / 2 ** 20).toFixed(1)} MiB, ${rest.dispatches} dispatches a step`],
  ];
  const samples = (e?.samples ?? []).slice(0, 50).map(({ source, reference, translation, exact: right }) => {
    const mark = `<span class="${right ? 'right' : 'wrong'}">${plain(translation)}</span>`;
    return `<tr><td>${plain(source)}</td><td>${mark}${right ? '' : `<br>${plain(reference)}`}</td></tr>`;
  });
  const settings = { ...flat(args, ''), ...flat(config, 'config.') };
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>heddle: ${plain(name)}</title><style>${style}</style></head><body>
<h1>${plain(name)}</h1>
${rows(figures)}
<h2>Loss</h2>
${lossCurve(losses)}
${samples.length > 0 ? `<h2>Sentences never seen in training</h2>\n<table>${samples.join('\n')}</table>` : ''}
<h2>Settings</h2>
${rows(Object.entries(settings))}
</body></html>
`;
}

/** Nested settings as `a.b: value`. */
function flat(value: object, prefix: string): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, x] of Object.entries(value))
    if (typeof x === 'object' && x !== null && !Array.isArray(x)) Object.assign(out, flat(x, `${prefix}${key}.`));
    else out[prefix + key] = x;
  return out;
}

/** A curve of the losses, means of as many steps as a pixel has, over a logarithmic axis. */
function lossCurve(losses: readonly number[]): string {
  const known = losses.filter((x) => Number.isFinite(x) && x > 0);
  if (known.length < 2) return '<p>Too few steps for a curve.</p>';
  const [width, height, left, bottom] = [800, 260, 44, 22];
  const block = Math.max(1, Math.ceil(known.length / (width - left)));
  const points: [number, number][] = [];
  for (let at = 0; at < known.length; at += block) {
    const part = known.slice(at, at + block);
    points.push([at + part.length / 2, part.reduce((a, b) => a + b, 0) / part.length]);
  }
  const low = Math.log(Math.min(...points.map(([, y]) => y)));
  const high = Math.max(low + 1e-6, Math.log(Math.max(...points.map(([, y]) => y))));
  const x = (step: number) => left + (step / known.length) * (width - left - 8);
  const y = (loss: number) => 8 + ((high - Math.log(loss)) / (high - low)) * (height - bottom - 16);
  const line = points.map(([s, l]) => `${x(s).toFixed(1)},${y(l).toFixed(1)}`).join(' ');
  const ticks = Array.from({ length: 5 }, (_, i) => Math.exp(low + ((high - low) * i) / 4)).map(
    (l) =>
      `<line x1="${left}" x2="${width}" y1="${y(l)}" y2="${y(l)}" stroke="#ddd"/>` +
      `<text x="${left - 6}" y="${y(l) + 4}" text-anchor="end">${l.toPrecision(3)}</text>`,
  );
  const steps = [0, 0.25, 0.5, 0.75, 1].map(
    (f) =>
      `<text x="${x(f * known.length)}" y="${height - 4}" text-anchor="middle">${Math.round(f * known.length)}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="loss by step">${ticks.join('')}${steps.join('')}
<polyline points="${line}" fill="none" stroke="#1f5fbf" stroke-width="1.5"/></svg>`;
}

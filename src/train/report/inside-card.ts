// The card of the report on the last probe: for each layer its attention, the mean of all heads, as a small map, and
// for an SSRU, which has no self-attention, its gates over the target tokens.

import { formatInteger, formatPercent } from '../../core/format-numbers.ts';
import { type Html, html } from './markup.ts';
import type { LogProbe } from './training-log.ts';

type Kind = LogProbe['attention'][number]['kind'];

const titles: Record<Kind, string> = {
  encoder: 'Encoder: self-attention',
  decoder: 'Decoder: self-attention',
  cross: 'Decoder: cross-attention',
};

/** Weights below this fraction are not drawn. */
const minWeight = 0.02;

/** Numbers from 0 to 1 that a probe holds as bytes in base64. */
const decoded = (text: string): Float32Array => Float32Array.from(atob(text), (c) => c.charCodeAt(0) / 255);

/** Returns the card of a probe. */
export function insideCard(probe: LogProbe): Html {
  const { source, target, attention, gates = [] } = probe;
  const kinds = (['encoder', 'decoder', 'cross'] as const).filter((kind) =>
    attention.some((map) => map.kind === kind),
  );
  return html`<div class="card inside">
<p class="hint">After step ${formatInteger(probe.step)}. Source: ${labels(source)}. Target: ${labels(target)}. A row is a token; dark is 1.</p>
${kinds.map((kind) => html`<h3>${titles[kind]}</h3><div class="maps">${maps(probe, kind)}</div>`)}
${
  gates.length > 0 &&
  html`<h3>Decoder: gates over time</h3>
<p class="hint">The decoder has SSRUs in place of self-attention. A gate says which part of its state a channel keeps at a token: with 0 the token replaces it, with 1 nothing of the token enters. A column is a token, the line the mean of all channels, the area half of them.</p>
<div class="maps">${gates.map((unit) => gatePicture(unit, target))}</div>`
}
</div>`;
}

const labels = (tokens: readonly string[]): Html => html`<bdi>${tokens.join(' ')}</bdi>`;

/** The maps of a kind of attention, one for each layer. */
function maps({ source, target, attention }: LogProbe, kind: Kind): Html[] {
  const rows = kind === 'encoder' ? source.length : target.length;
  const columns = kind === 'decoder' ? target.length : source.length;
  const ofKind = attention.filter((map) => map.kind === kind);
  return ofKind.map(({ layer, heads, weights }) => {
    const all = decoded(weights);
    const mean = (cell: number) => {
      let sum = 0;
      for (let h = 0; h < heads; h++) sum += all[h * rows * columns + cell] ?? 0;
      return sum / heads;
    };
    const cells = Array.from({ length: rows * columns }, (_, i) => {
      const weight = mean(i);
      if (weight < minWeight) return undefined;
      return html`<rect x="${i % columns}" y="${Math.floor(i / columns)}" width="1" height="1" fill-opacity="${weight.toFixed(2)}"/>`;
    });
    const label = `${titles[kind]}, layer ${layer + 1}, ${rows} by ${columns} tokens`;
    return html`<figure><svg viewBox="0 0 ${columns} ${rows}" role="img" aria-label="${label}">${cells}</svg><figcaption>layer ${layer + 1}</figcaption></figure>`;
  });
}

/** Mean and middle half of the gates of a layer over the target tokens. */
function gatePicture(
  { layer, channels, values }: NonNullable<LogProbe['gates']>[number],
  target: readonly string[],
): Html {
  const all = decoded(values);
  const spread = target.map((token, t) => {
    const row = all.slice(t * channels, (t + 1) * channels).sort();
    const at = (share: number) => row[Math.round(share * (channels - 1))] ?? 0;
    return { token, mean: row.reduce((a, b) => a + b, 0) / channels, low: at(0.25), high: at(0.75) };
  });
  const point = (value: number, t: number) => `${t} ${(1 - value).toFixed(3)}`;
  const line = spread.map(({ mean }, t) => point(mean, t)).join(' L');
  const upper = spread.map(({ high }, t) => point(high, t));
  const lower = spread.map(({ low }, t) => point(low, t)).reverse();
  const rows = spread.map(
    ({ token, mean, low, high }) =>
      html`<tr><td><bdi>${token}</bdi></td><td>${formatPercent(mean)}</td><td>${formatPercent(low)}</td><td>${formatPercent(high)}</td></tr>`,
  );
  const label = `Gates of layer ${layer + 1} over ${target.length} tokens`;
  return html`<figure class="gates"><svg viewBox="0 0 ${Math.max(1, target.length - 1)} 1" preserveAspectRatio="none" role="img" aria-label="${label}"><path class="range" d="M${[...upper, ...lower].join(' L')}Z"/><path class="line" d="M${line}"/></svg><figcaption>layer ${layer + 1}, 0 at the bottom, 1 at the top</figcaption>
<details><summary>Values</summary><table class="numbers"><thead><tr><th scope="col">token</th><th scope="col">mean gate</th><th scope="col">lowest quarter</th><th scope="col">highest quarter</th></tr></thead><tbody>${rows}</tbody></table></details></figure>`;
}

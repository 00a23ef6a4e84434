// Panel of the probe: for one fixed pair, the attention of all layers and heads and the most likely next
// tokens, with a slider over the recorded steps of the run.

import { formatInteger, formatPercent } from '../../../src/core/format-numbers.ts';
import type { AttentionKind, LogProbe } from '../../../src/index.ts';
import { probability } from '../../common/data-views.ts';
import { el, fill, hint, onFrame, set, setText, stack } from '../../common/dom.ts';
import { colour, onThemeChange } from '../../common/theme.ts';
import type { SessionEvent } from '../protocol.ts';
import { createHeatMap, labelOf } from './heat-map.ts';

/** The panel. */
export interface InsidePanel {
  readonly element: HTMLElement;
  onEvent(event: SessionEvent): void;
}

const kinds: Record<AttentionKind, string> = {
  encoder: 'Encoder: source tokens attend to each other',
  decoder: 'Decoder: each target token attends to those before it',
  cross: 'Cross-attention: target tokens attend to the source',
};

/** Milliseconds of one recorded step while playing. */
const frameMs = 150;

/** Milliseconds of a frame in which parts of a probe are drawn. */
const drawMs = 8;

/** Weights of a recorded map, [heads, queries, keys], each row normalized. */
export function weightsOf(encoded: string, keys: number): Float32Array {
  const bytes = Float32Array.from(atob(encoded), (c) => c.charCodeAt(0));
  for (let at = 0; at < bytes.length; at += keys) {
    const row = bytes.subarray(at, at + keys);
    const total = row.reduce((a, b) => a + b, 0) || 1;
    for (let i = 0; i < keys; i++) row[i] = (row[i] as number) / total;
  }
  return bytes;
}

/** Creates an empty panel. */
export function createInsidePanel(): InsidePanel {
  let probes: LogProbe[] = [];
  /** Index of the probe that is shown; while it is the last, the panel moves to each new probe. */
  let at = 0;
  let chosen = { kind: 'cross' as AttentionKind, layer: 0, head: 0 };
  let playing = 0;

  const beforeFirst = hint(
    'While a model trains, its attention for one dev pair is recorded here. This takes at most 3 % of the training time; Advanced settings can turn it off.',
  );
  const pair = el('p', { class: 'probe-pair' });
  const slider = el('input', {
    type: 'range',
    min: 0,
    max: 0,
    step: 1,
    'aria-label': 'Recorded step',
    id: 'probe-step',
  });
  const play = el('button', { type: 'button', class: 'quiet', onclick: () => togglePlay() }, 'Play');
  const where = el('output', { class: 'number', for: 'probe-step', id: 'probe-where' });
  const cost = el('p', { class: 'hint', id: 'probe-cost' });
  const maps = el('div', { class: 'maps' });
  const heat = createHeatMap();
  const enlarged = el('h3', { id: 'probe-map' });
  const next = el('tbody');
  const body = el(
    'div',
    { class: 'stack', hidden: true },
    pair,
    el('div', { class: 'row probe-steps' }, play, slider, where),
    el('div', { class: 'inside' }, maps, stack(enlarged, heat.element)),
    el('h3', {}, 'Most likely next tokens'),
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Most likely next tokens' },
      el(
        'table',
        { class: 'next-tokens' },
        el(
          'thead',
          {},
          el('tr', {}, ...['After', 'Likely next tokens'].map((name) => el('th', { scope: 'col' }, name))),
        ),
        next,
      ),
    ),
    cost,
  );

  slider.addEventListener('input', () => {
    at = Number(slider.value);
    draw();
  });
  function togglePlay(): void {
    if (playing) window.clearInterval(playing);
    playing = playing
      ? 0
      : window.setInterval(() => {
          at++;
          if (at >= probes.length - 1) togglePlay();
          at = Math.min(at, probes.length - 1);
          draw();
        }, frameMs);
    if (playing && at >= probes.length - 1) at = 0;
    setText(play, playing ? 'Stop' : 'Play');
  }

  const draw = onFrame(() => {
    const probe = probes[at];
    set(body, { hidden: !probe });
    set(beforeFirst, { hidden: probe !== undefined });
    parts = [];
    if (!probe) return;
    set(slider, { max: probes.length - 1 });
    slider.value = String(at);
    setText(where, `step ${formatInteger(probe.step)}`);
    set(slider, { 'aria-valuetext': `step ${probe.step}` });
    const { share = 0 } = probes.at(-1) ?? {};
    setText(cost, share > 0 ? `Recording took ${formatPercent(share)} of the training time.` : '');
    fill(
      pair,
      ...tokensOf(probe.source.slice(0, -1)),
      el('span', {}, '→'),
      ...tokensOf(probe.target.slice(1)),
    );
    parts = [() => drawMaps(probe), () => drawEnlarged(probe), () => drawNext(probe)];
    drawSome();
  });

  /** What is left to draw, drawn over several frames: a large model has a hundred maps. */
  let parts: (() => void)[] = [];
  const drawSome = onFrame(() => {
    const begin = performance.now();
    while (parts.length > 0 && performance.now() - begin < drawMs) parts.shift()?.();
    if (parts.length > 0) drawSome();
  });

  /** Small maps; their buttons are created once per run. */
  let buttons: { key: string; button: HTMLButtonElement; canvas: HTMLCanvasElement }[] = [];
  function drawMaps(probe: LogProbe): void {
    const wanted = probe.attention.flatMap(({ kind, layer, heads }) =>
      Array.from({ length: heads }, (_, head) => ({ kind, layer, head, key: keyOf({ kind, layer, head }) })),
    );
    if (wanted.map(({ key }) => key).join() !== buttons.map(({ key }) => key).join()) {
      buttons = wanted.map(({ kind, layer, head, key }) => {
        const canvas = el('canvas');
        const label = mapName(kind, layer, head);
        const onclick = () => {
          chosen = { kind, layer, head };
          draw();
        };
        const button = el(
          'button',
          { type: 'button', class: 'map', 'aria-label': label, title: label, onclick },
          canvas,
        );
        return { key, button, canvas };
      });
      fill(
        maps,
        ...(Object.keys(kinds) as AttentionKind[]).flatMap((kind) => [
          hint(kinds[kind]),
          el(
            'div',
            { class: 'map-row' },
            ...buttons.filter(({ key }) => key.startsWith(kind)).map(({ button }) => button),
          ),
        ]),
      );
    }
    for (const { key, button } of buttons) set(button, { 'aria-pressed': String(key === keyOf(chosen)) });
    const [ink, ground] = [colour('--c1'), colour('--fill')];
    let n = 0;
    for (const { kind, heads, weights } of probe.attention) {
      const canvases = buttons.slice(n, n + heads).map(({ canvas }) => canvas);
      n += heads;
      const [rows, keys] = sizesOf(probe, kind);
      parts.push(() => {
        const all = weightsOf(weights, keys);
        for (const [head, canvas] of canvases.entries())
          paint(canvas, all.subarray(head * rows * keys, (head + 1) * rows * keys), rows, keys, ink, ground);
      });
    }
  }
  function drawEnlarged(probe: LogProbe): void {
    const { kind, head } = chosen;
    const map =
      probe.attention.find((each) => each.kind === kind && each.layer === chosen.layer) ?? probe.attention[0];
    if (!map) return;
    setText(enlarged, mapName(map.kind, map.layer, head));
    const [rows, keys] = sizesOf(probe, map.kind);
    const all = weightsOf(map.weights, keys);
    heat.show({
      source: map.kind === 'decoder' ? probe.target : probe.source,
      target: map.kind === 'encoder' ? probe.source : probe.target,
      layers: 1,
      heads: 1,
      weights: all.slice(head * rows * keys, (head + 1) * rows * keys),
    });
  }
  function drawNext(probe: LogProbe): void {
    fill(
      next,
      ...probe.next.map((tokens, t) => {
        const right = tokens.findIndex(([token]) => token === (probe.target[t + 1] ?? '[end]'));
        return el(
          'tr',
          {},
          el('th', { scope: 'row' }, labelOf(probe.target[t] ?? '')),
          el(
            'td',
            {},
            ...tokens.map(([token, p], i) =>
              el(
                'span',
                { class: i === right ? 'likely right' : 'likely' },
                el('bdi', {}, labelOf(token)),
                ' ',
                el('b', { class: 'number' }, probability(p)),
              ),
            ),
          ),
        );
      }),
    );
  }
  onThemeChange(draw);

  function show(given: readonly LogProbe[]): void {
    probes = [...given];
    at = Math.max(0, probes.length - 1);
    draw();
  }
  return {
    element: stack(beforeFirst, body),
    onEvent(event) {
      if (event.type === 'state' && event.state === 'preparing') show([]);
      else if (event.type === 'history') show(event.probes);
      // A crash of the GPU process clears canvases.
      else if (event.type === 'recovery') draw();
      else if (event.type === 'probe') {
        const follows = at >= probes.length - 1;
        probes = [...probes.filter(({ step }) => step !== event.probe.step), event.probe];
        if (follows) at = probes.length - 1;
        draw();
      }
    },
  };
}

const keyOf = ({ kind, layer, head }: { kind: AttentionKind; layer: number; head: number }): string =>
  `${kind} ${layer} ${head}`;

const mapName = (kind: AttentionKind, layer: number, head: number): string =>
  `${kinds[kind].split(':')[0]}, layer ${layer + 1}, head ${head + 1}`;

/** A box for each token. */
const tokensOf = (labels: readonly string[]): HTMLElement[] =>
  labels.map((label) => el('bdi', {}, labelOf(label)));

/** Number of queries and keys of a map. */
const sizesOf = ({ source, target }: LogProbe, kind: AttentionKind): [number, number] => [
  kind === 'encoder' ? source.length : target.length,
  kind === 'decoder' ? target.length : source.length,
];

/** Draws a map on a canvas: one pixel per weight, whose opacity is the weight. */
function paint(
  canvas: HTMLCanvasElement,
  weights: Float32Array,
  rows: number,
  keys: number,
  ink: string,
  ground: string,
): void {
  if (canvas.width !== keys || canvas.height !== rows) set(canvas, { width: keys, height: rows });
  const context = canvas.getContext('2d');
  if (!context) return;
  const mask = context.createImageData(keys, rows);
  for (let i = 0; i < weights.length; i++) mask.data[4 * i + 3] = 255 * (weights[i] as number);
  context.putImageData(mask, 0, 0);
  // One call colours all weights: a call for each blocks the page when a large model has a hundred maps.
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = ink;
  context.fillRect(0, 0, keys, rows);
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = ground;
  context.fillRect(0, 0, keys, rows);
  context.globalCompositeOperation = 'source-over';
}

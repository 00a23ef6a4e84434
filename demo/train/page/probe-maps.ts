// The small maps of a probe: a button for each layer and head of attention, and for each layer of gates, which selects
// the map.

import type { AttentionKind, LogProbe } from '../../../src/entries/reports.ts';
import { onFrame } from '../../common/dom.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { hint } from '../../common/tables.ts';
import { colour } from '../../common/theme.ts';

/** What a map shows: attention, or the gates of an SSRU, which a decoder may have in place of self-attention. */
export type MapKind = AttentionKind | 'gates';

/** A map: a head of a layer; gates have no heads. */
export interface MapChoice {
  readonly kind: MapKind;
  readonly layer: number;
  readonly head: number;
}

const kinds: Record<MapKind, string> = {
  encoder: say`Encoder: source tokens attend to each other`,
  decoder: say`Decoder: each target token attends to those before it`,
  gates: say`Decoder gates: what the state keeps at each target token; a column is a channel`,
  cross: say`Cross-attention: target tokens attend to the source`,
};
const kindNames = Object.keys(kinds) as MapKind[];

/** `Cross-attention, layer 1, head 1`. */
export const mapName = ({ kind, layer, head }: MapChoice): string =>
  say`${kinds[kind].split(':')[0]}, layer ${layer + 1}${kind === 'gates' ? '' : say`, head ${head + 1}`}`;

/** Milliseconds of a frame in which maps are painted. */
const paintMs = 8;

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

/** Recorded gates, [target tokens, channels], from 0 to 1. */
export const gatesOf = (encoded: string): Float32Array =>
  Float32Array.from(atob(encoded), (c) => c.charCodeAt(0) / 255);

/** Number of queries and keys of a map. */
export const sizesOf = ({ source, target }: LogProbe, kind: AttentionKind): [number, number] => [
  kind === 'encoder' ? source.length : target.length,
  kind === 'decoder' ? target.length : source.length,
];

/** The maps. */
export class ProbeMaps extends Panel {
  readonly #onChoose: (chosen: MapChoice) => void;
  #maps: readonly MapChoice[] = [];
  #chosen: MapChoice | undefined;
  /** Maps that are not painted yet. A large model has a hundred: they are painted over several frames. */
  #unpainted: (() => void)[] = [];
  readonly #paintSome = onFrame(() => {
    const begin = performance.now();
    while (this.#unpainted.length > 0 && performance.now() - begin < paintMs) this.#unpainted.shift()?.();
    if (this.#unpainted.length > 0) this.#paintSome();
  });

  constructor(onChoose: (chosen: MapChoice) => void) {
    super('maps');
    this.#onChoose = onChoose;
    this.draw();
  }

  show(probe: LogProbe, chosen: MapChoice): void {
    this.#chosen = chosen;
    const { gates = [] } = probe;
    this.#maps = [
      ...probe.attention.flatMap(({ kind, layer, heads }) =>
        Array.from({ length: heads }, (_, head) => ({ kind, layer, head })),
      ),
      ...gates.map(({ layer }) => ({ kind: 'gates' as const, layer, head: 0 })),
    ];
    this.draw();
    const paintGates = gates.map(({ layer, channels, values }) => () => {
      const canvas = this.find<HTMLCanvasElement>(`[data-map="${keyOf({ kind: 'gates', layer, head: 0 })}"]`);
      paint(canvas, gatesOf(values), probe.target.length, channels, colour('--c1'), colour('--fill'));
    });
    const paintAttention = probe.attention.map(({ kind, layer, heads, weights }) => () => {
      const [rows, keys] = sizesOf(probe, kind);
      const all = weightsOf(weights, keys);
      const [ink, ground] = [colour('--c1'), colour('--fill')];
      for (let head = 0; head < heads; head++) {
        const canvas = this.find<HTMLCanvasElement>(`[data-map="${keyOf({ kind, layer, head })}"]`);
        paint(canvas, all.subarray(head * rows * keys, (head + 1) * rows * keys), rows, keys, ink, ground);
      }
    });
    this.#unpainted = [...paintAttention, ...paintGates];
    this.#paintSome();
  }

  protected override template(): Content {
    const button = (map: MapChoice) => html`
      <button
        type="button"
        class="map"
        aria-label=${mapName(map)}
        title=${mapName(map)}
        aria-pressed=${this.#chosen !== undefined && keyOf(map) === keyOf(this.#chosen)}
        @click=${() => this.#onChoose(map)}
      ><canvas data-map=${keyOf(map)}></canvas></button>`;
    const shown = kindNames.filter((kind) => this.#maps.some((map) => map.kind === kind));
    return shown.map(
      (kind) => html`
        ${hint(kinds[kind])}
        <div class="map-row">${this.#maps.filter((map) => map.kind === kind).map(button)}</div>`,
    );
  }
}

const keyOf = ({ kind, layer, head }: MapChoice): string => `${kind} ${layer} ${head}`;

/** Draws a map on a canvas: one pixel per weight, whose opacity is the weight. */
function paint(
  canvas: HTMLCanvasElement,
  weights: Float32Array,
  rows: number,
  keys: number,
  ink: string,
  ground: string,
): void {
  if (canvas.width !== keys || canvas.height !== rows) {
    canvas.width = keys;
    canvas.height = rows;
  }
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

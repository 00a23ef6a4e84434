// Views of attention in the chapters: a row of tokens to select from, a head's vectors, and the row of a
// token with its products, scores, weights and weighted values.

import type { AttentionMap, Inspection } from '../../src/index.ts';
import { probability, signed } from '../common/data-views.ts';
import { el } from '../common/dom.ts';
import { field, segmentedChoice, select } from '../common/form-controls.ts';
import { createHeatMap, labelOf } from '../train/page/heat-map.ts';
import type { ChapterHost } from './chapter.ts';
import { dots, numberRow, rowOf, strip, tensorOf, valuesOf } from './tensor-views.ts';

type Labelled = readonly { readonly label: string }[];

/** A list that selects one of several tokens. */
export const tokenSelect = (tokens: Labelled, at = 0): HTMLSelectElement =>
  select(
    tokens.map(({ label }, i) => [String(i), `${i + 1}: ${labelOf(label)}`] as const),
    String(Math.min(at, tokens.length - 1)),
  );

/** A row of tokens of which one is selected with the pointer, a click or the arrow keys. */
export interface TokenPicker {
  readonly element: HTMLElement;
  /** Index of the selected token. */
  at(): number;
}

/** Creates a picker; a change is an `input` event of its element. */
export function tokenPicker(title: string, tokens: Labelled, at = 0): TokenPicker {
  const first = String(Math.min(at, tokens.length - 1));
  const options = tokens.map(({ label }, i) => [String(i), labelOf(label)] as const);
  const choice = segmentedChoice(title, options, first, () => {});
  choice.addEventListener('pointerover', (event) => {
    const input = (event.target as Element).closest('label')?.querySelector('input');
    if (!input || input.checked || event.pointerType !== 'mouse') return;
    input.checked = true;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  return {
    element: el(
      'div',
      { class: 'pick' },
      el('span', { class: 'label', 'aria-hidden': 'true' }, title),
      choice,
    ),
    at: () => Number(choice.querySelector<HTMLInputElement>('input:checked')?.value ?? first),
  };
}

/** Controls that select one head of one kind of attention. */
export function headControls(inspection: Inspection, kind: AttentionMap['kind'], { keep }: ChapterHost) {
  const layers = inspection.attention.filter((map) => map.kind === kind);
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => [String(i), String(i + 1)] as const);
  const layer = keep(select(numbers(layers.length), String(layers.length - 1)), `layer ${kind}`);
  const head = keep(select(numbers(layers[0]?.heads ?? 1), '0'), `head ${kind}`);
  return {
    controls: [field('Layer', layer), field('Head', head)],
    map: () => layers[Number(layer.value)] as AttentionMap,
    layer: () => Number(layer.value),
    head: () => Number(head.value),
  };
}

/** Labels of the tokens that a kind of attention attends from and to. */
export const sidesOf = ({ source, target }: Inspection, kind: AttentionMap['kind']) => {
  const labels = (tokens: typeof source) => tokens.map(({ label }) => label);
  return {
    queries: labels(kind === 'encoder' ? source : target),
    keys: labels(kind === 'decoder' ? target : source),
  };
};

export const headOf = ({ queries, keys }: AttentionMap, all: Float32Array, head: number): Float32Array =>
  all.slice(head * queries * keys, (head + 1) * queries * keys);

/** Query, key and value of each token in one head. */
export interface HeadParts {
  /** Numbers of a vector. */
  readonly width: number;
  query(token: number): Float32Array;
  key(token: number): Float32Array;
  value(token: number): Float32Array;
  /** The sum of the weighted values, as the GPU computed it; undefined if the model has no such tensor. */
  output(token: number): Float32Array | undefined;
}

/** The vectors of a head, from the projections of its layer; undefined if the model has no such tensors. */
export function partsOf(
  inspection: Inspection,
  { kind, layer, heads }: AttentionMap,
  head: number,
): HeadParts | undefined {
  const side = kind === 'encoder' ? 'encoder' : 'decoder';
  const attention = kind === 'cross' ? 'multihead_attn' : 'self_attn';
  const find = (name: string) =>
    tensorOf(inspection, new RegExp(`^${side}\\.layers\\.${layer}\\.${attention}\\.${name}$`));
  // Self-attention projects queries, keys and values in one product; cross-attention projects keys and values
  // first.
  const [first, second] = [find('linear'), find('linear 2')];
  const [queries, keysValues] = kind === 'cross' ? [second, first] : [first, first];
  if (!queries || !keysValues) return undefined;
  const total = (keysValues.shape[1] ?? 0) / (kind === 'cross' ? 2 : 3);
  const width = total / heads;
  const part = ({ data, shape }: typeof queries, token: number, which: number) =>
    rowOf(data, shape[1] ?? 0, token).slice(which * total + head * width, which * total + (head + 1) * width);
  const shift = kind === 'cross' ? 0 : 1;
  const summed = find('(?:self|cross)_attention\\.out');
  return {
    width,
    query: (token) => part(queries, token, 0),
    key: (token) => part(keysValues, token, shift),
    value: (token) => part(keysValues, token, shift + 1),
    output: (token) => summed && rowOf(summed.data, total, token).slice(head * width, (head + 1) * width),
  };
}

/** The row of a token: products with all keys, scores, weights, weighted values and their sum. */
export function attentionRow(
  inspection: Inspection,
  map: AttentionMap,
  head: number,
  query: number,
): HTMLElement {
  const { keys } = sidesOf(inspection, map.kind);
  const scores = rowOf(headOf(map, map.scores ?? new Float32Array(), head), map.keys, query);
  const weights = rowOf(headOf(map, map.weights, head), map.keys, query);
  const parts = partsOf(inspection, map, head);
  const weighted = keys.map(
    (_, j) => parts?.value(j).map((x) => x * (weights[j] ?? 0)) ?? new Float32Array(),
  );
  const largest = Math.max(1e-9, ...weighted.flatMap((values) => [...values].map(Math.abs)));
  const table = valuesOf(
    ['Key', 'q·k', 'Score q·k/√W', 'Weight', 'Weight × value'],
    keys.map((key, j) => [
      labelOf(key),
      parts ? signed(dots(parts.query(query), parts.key(j))) : '–',
      signed(scores[j] ?? 0),
      probability(weights[j] ?? 0),
      strip(weighted[j] as Float32Array, largest),
    ]),
  );
  const output = parts?.output(query);
  return el(
    'div',
    { class: 'stack', 'data-row': query },
    table,
    output && numberRow('Sum of the weighted values, as the GPU computed it', output),
  );
}

/** The heat map of a head; the largest weight of a row is selected. */
export function heatOf(inspection: Inspection, map: AttentionMap, head: number, row: number): HTMLElement {
  const heat = createHeatMap();
  const { queries, keys } = sidesOf(inspection, map.kind);
  heat.show({ source: keys, target: queries, layers: 1, heads: 1, weights: headOf(map, map.weights, head) });
  heat.selectRow(row);
  return heat.element;
}

// Views of attention in the chapters: a row of tokens to select from, a head's vectors, and the row of a
// token with its products, scores, weights and weighted values.

import type { AttentionMap, Inspection } from '../../src/entries/reports.ts';
import { field, options, segmentedChoice } from '../common/form-fields.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { probability, signed } from '../common/tables.ts';
import { type HeatMap, labelOf } from '../train/page/heat-map.ts';
import { type ChapterHost, Figure } from './chapter.ts';
import { dots, numberRow, rowOf, strip, tensorOf, valuesOf } from './tensor-views.ts';

type Labelled = readonly { readonly label: string }[];

/** A choice of one of several tokens. */
export interface TokenChoice {
  readonly title: string;
  readonly tokens: Labelled;
  /** Index of the selected token. */
  readonly at: number;
  onPick(at: number): void;
}

/** A list that selects a token. */
export function tokenSelect({ title, tokens, at, onPick }: TokenChoice): Content {
  const id = `token-${title.replaceAll(' ', '-')}`;
  const list = tokens.map(({ label }, i) => [String(i), `${i + 1}: ${labelOf(label)}`] as const);
  const pick = (event: Event) => onPick(Number((event.target as HTMLSelectElement).value));
  return field(id, title, html`<select id=${id} @input=${pick}>${options(list, String(at))}</select>`);
}

/** A row of tokens of which one is selected with the pointer, a click or the arrow keys. */
export function tokenPicker({ title, tokens, at, onPick }: TokenChoice): Content {
  const point = (event: PointerEvent) => {
    const input = (event.target as Element).closest('label')?.querySelector('input');
    if (input && !input.checked && event.pointerType === 'mouse') onPick(Number(input.value));
  };
  return html`
    <div class="pick" @pointerover=${point}>
      <span class="label" aria-hidden="true">${title}</span>
      ${segmentedChoice({
        name: `token ${title}`,
        legend: title,
        options: tokens.map(({ label }, i) => [String(i), labelOf(label)] as const),
        selected: String(at),
        onChange: (value) => onPick(Number(value)),
      })}
    </div>`;
}

/** A figure of one token, which the visitor picks. */
export abstract class TokenFigure extends Figure {
  protected token = 0;

  protected picker(title: string, tokens: Inspection['source']): Content {
    const onPick = (at: number) => {
      this.token = at;
      this.draw();
    };
    return tokenPicker({ title, tokens, at: this.token, onPick });
  }
}

/** A figure of one head of one kind of attention. */
export abstract class HeadFigure extends Figure {
  readonly #kind: AttentionMap['kind'];
  /** The layers. */
  readonly #maps: readonly AttentionMap[];

  constructor(inspection: Inspection, host: ChapterHost, kind: AttentionMap['kind']) {
    super(inspection, host);
    this.#kind = kind;
    this.#maps = inspection.attention.filter((map) => map.kind === kind);
  }

  get #layer(): number {
    const layers = this.#maps.length;
    return this.host.kept.get(`layer ${this.#kind}`, layers - 1, layers);
  }

  /** The selected layer. */
  protected get map(): AttentionMap {
    return this.#maps[this.#layer] as AttentionMap;
  }

  /** Index of the selected head. */
  protected get head(): number {
    return this.host.kept.get(`head ${this.#kind}`, 0, this.map.heads);
  }

  /** The lists that select layer and head. */
  protected headControls(): Content {
    const kind = this.#kind;
    return html`
      ${this.numberList(say`Layer`, `layer ${kind}`, this.#maps.length, this.#layer)}
      ${this.numberList(say`Head`, `head ${kind}`, this.#maps[0]?.heads ?? 1, this.head)}`;
  }
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
  const find = (name: string) => tensorOf(inspection, `${side}.layers.${layer}.${attention}.${name}`);
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
  const summed = find(`${kind === 'cross' ? 'cross' : 'self'}_attention.out`);
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
): Content {
  const { keys } = sidesOf(inspection, map.kind);
  const scores = rowOf(headOf(map, map.scores ?? new Float32Array(), head), map.keys, query);
  const weights = rowOf(headOf(map, map.weights, head), map.keys, query);
  const parts = partsOf(inspection, map, head);
  const weighted = keys.map(
    (_, j) => parts?.value(j).map((x) => x * (weights[j] ?? 0)) ?? new Float32Array(),
  );
  const largest = Math.max(1e-9, ...weighted.flatMap((values) => [...values].map(Math.abs)));
  const output = parts?.output(query);
  return html`
    <div class="stack" data-row=${query}>
      ${valuesOf(
        [say`Key`, 'q·k', say`Score q·k/√W`, say`Weight`, say`Weight × value`],
        keys.map((key, j) => [
          labelOf(key),
          parts ? signed(dots(parts.query(query), parts.key(j))) : '–',
          signed(scores[j] ?? 0),
          probability(weights[j] ?? 0),
          strip(weighted[j] as Float32Array, largest),
        ]),
      )}
      ${output ? numberRow(say`Sum of the weighted values, as the GPU computed it`, output) : nothing}
    </div>`;
}

/** Shows a head in a heat map; the largest weight of a row is selected. */
export function showHead(
  heat: HeatMap,
  inspection: Inspection,
  map: AttentionMap,
  head: number,
  row: number,
): void {
  const { queries, keys } = sidesOf(inspection, map.kind);
  heat.show({ source: keys, target: queries, layers: 1, heads: 1, weights: headOf(map, map.weights, head) });
  heat.selectRow(row);
}

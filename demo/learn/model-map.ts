// The map of the model, the frame of the page: encoder and decoder as boxes that open their chapters, with the numbers
// of the chosen tokens on their way.

import type { Inspection } from '../../src/entries/reports.ts';
import { field, options } from '../common/form-fields.ts';
import { fixed, formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { probability } from '../common/tables.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { dots, rowOf, tensorOf } from './tensor-views.ts';

type Side = 'encoder' | 'decoder';

/** A box: what it is, the chapters that it opens, and what it does to the chosen token. */
interface Box {
  readonly name: string;
  /** Ids of chapters; the box links to the first, and is lit in all. */
  readonly chapters: readonly string[];
  readonly value?: Content;
}

/** The map. It keeps the chosen tokens and the layer. */
export class ModelMap extends Panel {
  #inspection: Inspection | undefined;
  #chapter = '';
  #source = 0;
  #target = 0;
  #layer = 0;

  constructor() {
    super('map');
    this.draw();
  }

  /** Shows the numbers of an inspection. */
  set inspection(inspection: Inspection | undefined) {
    this.#inspection = inspection;
    this.#source = Math.min(this.#source, (inspection?.source.length ?? 1) - 1);
    this.#target = Math.min(this.#target, (inspection?.target.length ?? 1) - 1);
    this.draw();
  }

  /** Lights the boxes of a chapter. */
  set chapter(id: string) {
    this.#chapter = id;
    this.draw();
  }

  protected override template(): Content {
    const found = this.#inspection;
    if (!found) return nothing;
    const layers = (kind: string) => found.attention.filter((map) => map.kind === kind).length;
    const count = Math.max(layers('encoder'), layers('cross'));
    this.#layer = Math.min(this.#layer, count - 1);
    const tokens = found.source.map(({ label }, i) => [String(i), labelOf(label)] as const);
    const targets = found.target.map(({ label }, i) => [String(i), labelOf(label)] as const);
    const numbers = Array.from({ length: count }, (_, i) => [String(i), say`${i + 1} of ${count}`] as const);
    const select = (
      id: string,
      label: string,
      list: readonly (readonly [string, string])[],
      key: 'source' | 'target' | 'layer',
    ) =>
      field(
        id,
        label,
        html`<select id=${id} @change=${(event: Event) => this.#choose(key, Number((event.target as HTMLSelectElement).value))}>
          ${options(list, String(this.#chosen(key)))}
        </select>`,
      );
    return html`
      <div class="stacks">
        <div class="stack-of" data-side="encoder">
          ${select('map-source', say`Encoder, token`, tokens, 'source')}
          ${this.#boxes(this.#encoder(found))}
        </div>
        <div class="stack-of" data-side="decoder">
          ${select('map-target', say`Decoder, token`, targets, 'target')}
          ${this.#boxes(this.#decoder(found))}
        </div>
      </div>
      ${count > 1 ? select('map-layer', say`Layer`, numbers, 'layer') : nothing}`;
  }

  #chosen(key: 'source' | 'target' | 'layer'): number {
    return { source: this.#source, target: this.#target, layer: this.#layer }[key];
  }

  #choose(key: 'source' | 'target' | 'layer', value: number): void {
    if (key === 'source') this.#source = value;
    else if (key === 'target') this.#target = value;
    else this.#layer = value;
    this.draw();
  }

  #encoder(found: Inspection): Box[] {
    const token = found.source[this.#source];
    return [
      { name: say`Tokens`, chapters: ['tokens'], value: token && `id ${token.id}` },
      {
        name: say`Embedding + position`,
        chapters: ['embeddings'],
        value: this.#length('encoder', 'encoder.embed'),
      },
      this.#attention(say`Self-attention`, 'encoder', ['queries', 'softmax', 'heads']),
      {
        name: say`Feed-forward`,
        chapters: ['residual'],
        value: this.#feedForward('encoder', 2),
      },
      {
        name: say`Memory, for every token of the decoder`,
        chapters: ['cross'],
        value: this.#length('encoder', 'encoder.norm'),
      },
    ];
  }

  #decoder(found: Inspection): Box[] {
    const token = found.target[this.#target];
    const [best] = found.next[this.#target] ?? [];
    const says = best && html`<bdi>${labelOf(best.label)}</bdi> ${probability(best.probability)}`;
    return [
      { name: say`Tokens`, chapters: ['tokens', 'batches'], value: token && `id ${token.id}` },
      {
        name: say`Embedding + position`,
        chapters: ['embeddings'],
        value: this.#length('decoder', 'decoder.embed'),
      },
      this.#attention(
        found.attention.some(({ kind }) => kind === 'decoder') ? say`Masked self-attention` : 'SSRU',
        'decoder',
        ['heads', 'queries', 'softmax'],
      ),
      this.#attention(say`Cross-attention`, 'cross', ['cross']),
      {
        name: say`Feed-forward`,
        chapters: ['residual'],
        value: this.#feedForward('decoder', 3),
      },
      { name: say`Output, next token`, chapters: ['output', 'loss', 'learning', 'decoding'], value: says },
    ];
  }

  /** The token that the chosen one attends to most, in the mean of the heads. */
  #attention(name: string, kind: 'encoder' | 'decoder' | 'cross', chapters: readonly string[]): Box {
    const found = this.#inspection;
    const map = found?.attention.find((m) => m.kind === kind && m.layer === this.#layer);
    if (!found || !map) return { name, chapters };
    const query = kind === 'encoder' ? this.#source : this.#target;
    const means = Array.from({ length: map.keys }, (_, key) => {
      let sum = 0;
      for (let head = 0; head < map.heads; head++)
        sum += map.weights[(head * map.queries + query) * map.keys + key] ?? 0;
      return sum / map.heads;
    });
    const best = means.indexOf(Math.max(...means));
    const label = (kind === 'decoder' ? found.target : found.source)[best]?.label ?? '';
    return { name, chapters, value: html`<bdi>${labelOf(label)}</bdi> ${formatPercent(means[best] ?? 0)}` };
  }

  /** Length of the vector after the layer: the sum with the feed-forward network, or its norm in post-norm models. */
  #feedForward(side: Side, sublayer: number): Content {
    const layer = `${side}.layers.${this.#layer}`;
    const sum = this.#length(side, `${layer}.add ${sublayer}`);
    return sum === nothing ? this.#length(side, `${layer}.norm${sublayer}`) : sum;
  }

  /** Length of the vector of the chosen token in a tensor; nothing if the model has no such tensor. */
  #length(side: Side, name: string): Content {
    const tensor = this.#inspection && tensorOf(this.#inspection, name);
    if (!tensor) return nothing;
    const row = rowOf(tensor.data, tensor.shape[1] ?? 0, side === 'encoder' ? this.#source : this.#target);
    return say`[${tensor.shape.join(', ')}] length ${fixed(Math.sqrt(dots(row, row)), 1)}`;
  }

  #boxes(boxes: readonly Box[]): Content {
    return html`
      <ol class="boxes">
        ${boxes.map(({ name, chapters: [first = '', ...rest], value }) => {
          const isLit = [first, ...rest].includes(this.#chapter);
          return html`
            <li>
              <a href="#${first}" class="box" aria-current=${isLit ? 'true' : nothing}>
                <span>${name}</span><span class="number hint">${value ?? nothing}</span>
              </a>
            </li>`;
        })}
      </ol>`;
  }
}

// The attention of a text that was translated sentence by sentence: the heat map of one sentence, which is chosen.

import type { Attention } from '../../../src/entries/reports.ts';
import { field, options } from '../../common/form-fields.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { HeatMap } from './heat-map.ts';

/** Maximum number of characters of a sentence in the list. */
const maxCharacters = 60;

/** The maps; hidden until they have weights. */
export class SentenceMaps extends Panel {
  readonly #heat = new HeatMap();
  #sentences: readonly Attention[] = [];
  #chosen = 0;

  constructor() {
    super();
    this.draw();
  }

  /** Shows the attention of a translation: of each of its sentences. */
  show(sentences: readonly Attention[]): void {
    this.#sentences = sentences;
    if (this.#chosen >= sentences.length) this.#chosen = 0;
    this.#choose(this.#chosen);
  }

  clear(): void {
    this.#sentences = [];
    this.#heat.clear();
    this.draw();
  }

  #choose(index: number): void {
    this.#chosen = index;
    const attention = this.#sentences[index];
    this.draw();
    if (attention) this.#heat.show(attention);
    else this.#heat.clear();
  }

  protected override template(): Content {
    this.element.hidden = this.#sentences.length === 0;
    const rows = this.#sentences.map(({ source }, i) => [String(i), `${i + 1}. ${nameOf(source)}`] as const);
    const change = (event: Event) => this.#choose(Number((event.target as HTMLSelectElement).value));
    const list = html`<select id="map-sentence" @change=${change}>${options(rows, String(this.#chosen))}</select>`;
    return html`
      <div ?hidden=${rows.length < 2}>${field('map-sentence', say`Attention of the sentence`, list)}</div>
      ${this.#heat.element}`;
  }
}

/** The text of a sentence from its tokens, without special ones, cut. */
function nameOf(tokens: readonly string[]): string {
  const text = tokens
    .filter((token) => !/^\[.*\]$/.test(token))
    .join('')
    .replaceAll('▁', ' ')
    .trim();
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
}

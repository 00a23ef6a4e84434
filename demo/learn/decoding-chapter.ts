// Chapter on decoding: likely next tokens, sampling, beam search.

import { live } from 'lit-html/directives/live.js';
import type { Inspection } from '../../src/entries/reports.ts';
import { field, markValid } from '../common/form-fields.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { probability } from '../common/tables.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { type BeamPath, beamTree } from './beam-tree.ts';
import { type Chapter, type ChapterHost, sliderField } from './chapter.ts';
import { spacedLabel } from './tensor-views.ts';

/** Tokens that a continuation has at most. */
const maxTokens = 25;

/** Likely tokens at each position, a sample, and the tree of beam search. */
class DecodingFigure extends Panel {
  readonly #inspection: Inspection;
  readonly #host: ChapterHost;
  /** Ids of the target, and of the token that ends it. */
  readonly #written: readonly number[];
  readonly #end: number;
  #next: Inspection['next'];
  #sample = '';
  #beams: readonly BeamPath[] = [];

  constructor(inspection: Inspection, host: ChapterHost) {
    super();
    this.#inspection = inspection;
    this.#host = host;
    this.#written = inspection.target.slice(1).map(({ id }) => id);
    this.#end = inspection.source.at(-1)?.id ?? -1; // as at the end of the source
    this.#next = inspection.next;
    this.draw();
    host.attempt(this.#search().then(() => this.#applyTemperature()));
  }

  get #temperature(): number {
    return this.#host.kept.get('decoding temperature', 1);
  }

  get #seed(): number {
    return this.#host.kept.get('seed', 1);
  }

  #set(name: 'decoding temperature' | 'seed', value: number): void {
    this.#host.kept.set(name, value);
    this.draw();
    this.#host.attempt(this.#applyTemperature());
  }

  /** Appends a token to the first `length` ones, and then the most likely ones until the end. */
  async #continueFrom(length: number, token: number): Promise<void> {
    const { session, text, compute } = this.#host;
    const ids = this.#written.slice(0, length);
    let id: number | undefined = token;
    while (id !== undefined && id !== this.#end && ids.length < length + maxTokens) {
      ids.push(id);
      id = (await session.inspect(text(), { target: ids, likely: 1 })).next.at(-1)?.[0]?.id;
    }
    await compute(ids);
  }

  async #search(): Promise<void> {
    const { session, text } = this.#host;
    const found = await session.translate(text(), { method: 'beam', beams: 4, numReturn: 4 });
    const paths: BeamPath[] = [];
    for (const { ids, score } of found.candidates) {
      const target = ids.filter((id) => id !== this.#end);
      paths.push({ ...(await session.inspect(text(), { target, likely: 1 })), score });
    }
    this.#beams = paths;
    this.draw();
  }

  /** Shows the probabilities and a sample at the temperature; those of an earlier temperature are dropped. */
  async #applyTemperature(): Promise<void> {
    const { session, text } = this.#host;
    const [temperature, seed] = [this.#temperature, this.#seed];
    const isShown = () => temperature === this.#temperature && seed === this.#seed;
    if (!markValid(this.find('#decoding-seed'))) return;
    const found = await session.inspect(text(), { target: this.#written, temperature });
    if (!isShown()) return;
    this.#next = found.next;
    this.draw();
    const sample = await session.translate(text(), { method: 'sample', temperature, seed });
    if (!isShown()) return;
    this.#sample = sample.text;
    this.draw();
  }

  protected override template(): Content {
    const temperature = sliderField({
      id: 'decoding-temperature',
      label: say`Temperature`,
      value: this.#temperature,
      min: 0.2,
      max: 3,
      onInput: (value) => this.#set('decoding temperature', value),
    });
    const seed = html`<input
      id="decoding-seed"
      type="number"
      inputmode="decimal"
      required
      min="0"
      max="1000"
      step="1"
      .value=${live(Number.isNaN(this.#seed) ? '' : String(this.#seed))}
      @input=${(event: Event) => this.#set('seed', (event.target as HTMLInputElement).valueAsNumber)}
    />`;
    return html`
      <div class="row controls">
        ${temperature}
        ${field('decoding-seed', say`Seed of the sample`, seed)}
      </div>
      <div class="stack" data-picture>${this.#next.map((likely, at) => this.#choices(likely, at))}</div>
      <h3>A sample at this temperature</h3>
      <output class="translation" dir="auto" id="sampled">${this.#sample}</output>
      <h3>Beam search with four beams</h3>
      <div class="scroll" id="beams" tabindex="0" role="region" aria-label="Beam tree">
        ${this.#beams.length > 0 ? beamTree(this.#beams) : ''}
      </div>`;
  }

  /** The likely tokens at a position; the written one is pressed. */
  #choices(likely: Inspection['next'][number], at: number): Content {
    const written = this.#written[at] ?? this.#end;
    return html`
      <div class="row choices">
        <span class="hint">after ${labelOf(this.#inspection.target[at]?.label ?? '')}</span>
        ${likely.map(({ probability: share, ...token }) => {
          const press = () => this.#host.attempt(this.#continueFrom(at, token.id));
          return html`
            <button
              type="button"
              data-key="${at} ${token.id}"
              aria-pressed=${token.id === written}
              @click=${press}
            >${spacedLabel(token)}<span class="number hint">${probability(share)}</span></button>`;
        })}
      </div>`;
  }
}

export const decoding: Chapter = {
  id: 'decoding',
  title: say`Decoding word by word`,
  question: say`Would you always take the most likely word? Write a translation word by word, and see where another choice leads.`,
  text: [
    say`To translate, the decoder starts with [start] and appends one token at a time. Greedy decoding takes the most likely one. Beam search keeps several hypotheses and returns the one with the best score. Sampling draws a token at random by its probability; a temperature below 1 makes likely tokens more likely, a temperature above 1 less.`,
    say`Click another token: the translation continues from there, as if the model had chosen it. The tree below shows the hypotheses of beam search, which share their first tokens, with the probability of each token and the score of each hypothesis.`,
  ],
  figure: (inspection, host) => new DecodingFigure(inspection, host),
};

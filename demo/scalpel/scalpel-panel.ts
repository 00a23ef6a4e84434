// Look inside: parts of a model are switched off, hidden or replaced, and the translation changes at once. A page mounts
// it with a function that inspects:
//
//   const scalpel = new ScalpelPanel({ inspect: (text, options) => session.inspect(text, options), text: 'I love you.' });
//   place.append(scalpel.element);
//   void scalpel.start();

import './scalpel.css';
import { live } from 'lit-html/directives/live.js';
import type { Ablation, Inspection, InspectOptions, ModelPart } from '../../src/entries/reports.ts';
import { BusyPanel } from '../common/busy-panel.ts';
import { field, options } from '../common/form-fields.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { hint } from '../common/tables.ts';
import { type GridLayer, gridOf, headsOf } from './model-grid.ts';
import { type HeadRow, headMap, logitLens, shade, wordOf } from './scalpel-tables.ts';

/** What the panel needs. */
export interface ScalpelOptions {
  inspect(text: string, options: InspectOptions): Promise<Inspection>;
  /** The sentence at first. */
  readonly text: string;
  /** Whether the model may be training: then the panel can repeat what it shows. [false] */
  readonly isLive?: boolean;
}

/** Milliseconds between repetitions while a model trains. */
const pace = 3000;

/** The panel. */
export class ScalpelPanel extends BusyPanel {
  readonly #options: ScalpelOptions;
  #text: string;
  /** The sentence without an intervention, and with it. */
  #base: Inspection | undefined;
  #result: Inspection | undefined;
  /** Losses of the translation without an intervention, under it. */
  #losses: readonly number[] = [];
  readonly #off = new Set<ModelPart>();
  readonly #hidden = new Set<number>();
  #by: 'zero' | 'mean' = 'zero';
  #other = '';
  /** Number of the source token whose memory comes from the other sentence; -1: none. */
  #patched = -1;
  #map: readonly HeadRow[] = [];
  /** The head that the visitor thinks matters most. */
  #guess: ModelPart | undefined;
  #isMapping = false;
  /** Counts changes, so that the answer to an earlier one is dropped. */
  #changes = 0;
  #timer = 0;

  constructor(given: ScalpelOptions) {
    super('stack scalpel');
    this.#options = given;
    this.#text = given.text;
    this.draw();
  }

  /** Translates the sentence, or another one, without an intervention. */
  async start(text = this.#text): Promise<void> {
    this.#text = text;
    this.#off.clear();
    this.#hidden.clear();
    this.#patched = -1;
    this.#map = [];
    this.#guess = undefined;
    await this.run(() => this.#read(), say`Computing…`);
  }

  async #read(): Promise<void> {
    const change = ++this.#changes;
    const found = await this.#options.inspect(this.#text, { lens: true, likely: 3 });
    if (change !== this.#changes) return;
    this.#base = found;
    this.#result = found;
    this.#losses = found.loss;
  }

  get #interventions(): Pick<InspectOptions, 'ablate' | 'patch'> {
    const ablate: Ablation[] = [...this.#off].map((part) => ({ part, by: this.#by }));
    if (this.#hidden.size > 0) ablate.push({ part: 'decoder.*.cross', keys: [...this.#hidden] });
    const tokens = [this.#patched];
    const patch =
      this.#patched >= 0 && this.#other.trim()
        ? [{ part: 'encoder.output' as const, from: this.#other, tokens, fromTokens: tokens }]
        : [];
    return { ablate, patch };
  }

  /** Translates under the present interventions, and asks how likely the first translation still is. */
  #apply(): void {
    const base = this.#base;
    if (!base) return;
    const change = ++this.#changes;
    const target = base.target.slice(1).map(({ id }) => id);
    const work = async () => {
      const given = this.#interventions;
      if (given.ablate?.length === 0 && given.patch?.length === 0) {
        this.#result = base;
        this.#losses = base.loss;
        return;
      }
      const { loss } = await this.#options.inspect(this.#text, { ...given, target });
      if (change !== this.#changes) return;
      this.#losses = loss;
      this.drawSoon();
      const found = await this.#options.inspect(this.#text, { ...given, lens: true, likely: 3 });
      if (change === this.#changes) this.#result = found;
    };
    void work()
      .then(() => {
        this.error = '';
      })
      .catch((error) => {
        this.error = (error as Error).message;
      })
      .finally(() => this.drawSoon());
    this.draw();
  }

  #toggle(part: ModelPart): void {
    if (!this.#off.delete(part)) this.#off.add(part);
    if (/\.\d+$/.test(part) && part.split('.').length === 4) this.#guess ??= part;
    this.#apply();
  }

  #hide(token: number): void {
    if (!this.#hidden.delete(token)) this.#hidden.add(token);
    this.#apply();
  }

  #reset(): void {
    this.#off.clear();
    this.#hidden.clear();
    this.#patched = -1;
    this.#apply();
  }

  /** Switches off one head at a time; the picture fills row by row. */
  async #fill(): Promise<void> {
    const base = this.#base;
    if (!base) return;
    if (this.#isMapping) {
      this.#isMapping = false;
      return;
    }
    this.#isMapping = true;
    this.#map = [];
    this.error = '';
    const target = base.target.slice(1).map(({ id }) => id);
    try {
      for (const part of headsOf(gridOf(base))) {
        const ablate = [{ part, by: this.#by }];
        const { loss } = await this.#options.inspect(this.#text, { target, ablate });
        if (!this.#isMapping || this.#base !== base) break;
        this.#map = [...this.#map, { part, rises: loss.map((x, t) => x - (base.loss[t] ?? 0)) }];
        this.draw();
      }
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.#isMapping = false;
    this.draw();
  }

  /** Repeats the sentence while the model trains. */
  #repeat(event: Event): void {
    window.clearInterval(this.#timer);
    this.#timer = 0;
    if (!(event.target as HTMLInputElement).checked) return;
    let isUnderWay = false;
    this.#timer = window.setInterval(() => {
      if (isUnderWay || this.#isMapping || document.visibilityState === 'hidden' || !this.element.isConnected)
        return;
      isUnderWay = true;
      void this.#read()
        .then(() => this.#apply())
        .catch((error) => this.showError((error as Error).message))
        .finally(() => {
          isUnderWay = false;
        });
    }, pace);
  }

  protected override template(): Content {
    const submit = (event: Event) => {
      event.preventDefault();
      void this.start(this.find('#scalpel-text').value);
    };
    return html`
      <form class="sentence row" @submit=${submit}>
        ${field(
          'scalpel-text',
          say`Sentence`,
          html`<input id="scalpel-text" type="text" autocomplete="off" spellcheck="false" dir="auto" .value=${live(this.#text)}
            @input=${(event: Event) => {
              this.#text = (event.target as HTMLInputElement).value;
            }} />`,
        )}
        <button type="submit" ?disabled=${this.isBusy}>Translate</button>
        ${
          this.#options.isLive
            ? html`<label class="check"><input type="checkbox" @change=${this.#repeat} />Repeat while it trains</label>`
            : nothing
        }
      </form>
      ${this.messages('scalpel-status')}
      ${this.#base && this.#result ? this.#table(this.#base, this.#result) : nothing}`;
  }

  #table(base: Inspection, result: Inspection): Content {
    const isChanged = this.#off.size + this.#hidden.size > 0 || this.#patched >= 0;
    const grid = gridOf(base);
    return html`
      ${this.#translations(base, result)}
      <div class="row">
        <button type="button" class="main" @click=${() => void this.#fill()}>
          ${this.#isMapping ? say`Stop` : say`Switch off every head, one by one`}
        </button>
        <button type="button" ?disabled=${!isChanged} @click=${this.#reset}>Switch all on</button>
        ${field(
          'scalpel-by',
          say`Off means`,
          html`<select id="scalpel-by" @change=${(event: Event) => {
            this.#by = (event.target as HTMLSelectElement).value as 'zero' | 'mean';
            this.#apply();
          }}>${options(
            [
              ['zero', say`adds nothing`],
              ['mean', say`adds its mean`],
            ],
            this.#by,
          )}</select>`,
        )}
      </div>
      <div class="scalpel-parts">
        ${(['encoder', 'decoder'] as const).map(
          (stack) => html`
          <div class="stack">
            <h3>${stack === 'encoder' ? say`Encoder: click what to switch off` : say`Decoder`}</h3>
            ${grid.filter((layer) => layer.stack === stack).map((layer) => this.#layer(layer))}
          </div>`,
        )}
      </div>
      ${headMap(base, this.#map, this.#guess)}
      ${this.#patch(base)}
      ${logitLens(result)}`;
  }

  /** The translation without and with the interventions. */
  #translations(base: Inspection, result: Inspection): Content {
    const words = base.source.slice(0, -1);
    return html`
      <div class="scalpel-text">
        <h3>Source: click a word to hide it from cross-attention</h3>
        <p class="scalpel-words" role="group" aria-label="Source words">
          ${words.map((token, i) => this.#switch(this.#hidden.has(i), wordOf(token), say`Hide “${token.label}”`, () => this.#hide(i)))}
        </p>
        <h3>Translation, as it was: how likely each word still is</h3>
        <p class="scalpel-words">
          ${base.target.slice(1).map((token, t) => {
            const [now, before] = [this.#losses[t] ?? 0, base.loss[t] ?? 0];
            return html`<span class="scalpel-word" .style=${`--weight: ${Math.round(100 * shade(now - before))}%`} dir="auto"
              >${wordOf(token)} <small class="number">${formatPercent(Math.exp(-now))}</small></span
            >`;
          })}
        </p>
        <h3>Translation now</h3>
        <p class="scalpel-now" role="status" id="scalpel-now" dir="auto" data-changed=${result.targetText === base.targetText ? nothing : ''}>
          ${result.targetText || say`(nothing)`}
        </p>
      </div>`;
  }

  /** A button that is pressed while its part is off. */
  #switch(isOff: boolean, label: Content, name: string, act: () => void): Content {
    return html`<button
      type="button"
      class="scalpel-switch"
      aria-pressed=${isOff ? 'true' : 'false'}
      aria-label=${name}
      title=${name}
      @click=${act}
    >${label}</button>`;
  }

  #layer({ part, layer, sublayers }: GridLayer): Content {
    const isOff = this.#off.has(part);
    return html`
      <div class="scalpel-layer" data-off=${isOff ? '' : nothing}>
        ${this.#switch(isOff, say`Layer ${layer + 1}`, say`Switch off layer ${layer + 1}`, () => this.#toggle(part))}
        ${sublayers.map(({ part: sublayer, kind, heads }) => {
          const name = sublayerName(kind);
          return html`
            <span class="scalpel-sublayer" role="group" aria-label=${name}>
              ${this.#switch(this.#off.has(sublayer), name, say`Switch off ${name}, layer ${layer + 1}`, () => this.#toggle(sublayer))}
              ${heads.map((head, h) =>
                this.#switch(
                  this.#off.has(head),
                  String(h + 1),
                  say`Switch off head ${h + 1} of ${name}, layer ${layer + 1}`,
                  () => this.#toggle(head),
                ),
              )}
            </span>`;
        })}
      </div>`;
  }

  /** The memory of one word from another sentence. */
  #patch(base: Inspection): Content {
    const words = base.source.map((token, i) => [String(i), `${i + 1}: ${token.label}`] as const);
    const submit = (event: Event) => {
      event.preventDefault();
      this.#other = this.find('#scalpel-other').value;
      this.#patched = Number(this.find('#scalpel-at').value);
      this.#apply();
    };
    return html`
      <details class="scalpel-more">
        <summary>Take a thought from another sentence</summary>
        <form class="row" @submit=${submit}>
          ${field(
            'scalpel-other',
            say`Another sentence`,
            html`<input id="scalpel-other" type="text" autocomplete="off" spellcheck="false" dir="auto" .value=${live(this.#other)} />`,
          )}
          ${field('scalpel-at', say`What the encoder says about`, html`<select id="scalpel-at">${options(words, String(Math.max(0, this.#patched)))}</select>`)}
          <button type="submit">Replace</button>
        </form>
        ${hint(say`The memory of this word becomes that of the token at the same place of the other sentence: activation patching.`)}
      </details>`;
  }
}

function sublayerName(kind: 'self' | 'cross' | 'feedForward'): string {
  if (kind === 'self') return say`Self-attention`;
  return kind === 'cross' ? say`Cross-attention` : say`Feed-forward`;
}

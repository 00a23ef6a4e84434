// Panel that translates a text: selects a model that ships with the page, streams the translation, lists the
// hypotheses and shows the cross-attention of the selected one.

import { live } from 'lit-html/directives/live.js';
import { formatNumber, formatPercent } from '../../../src/core/format-numbers.ts';
import type { TextRange } from '../../../src/pages.ts';
import { field } from '../../common/form-fields.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { signed } from '../../common/tables.ts';
import type { SentDecodeOptions, TranslationCandidate, TranslationResult } from '../protocol.ts';
import { DecodingForm } from './decoding-form.ts';
import { type DemoModel, demoModels } from './demo-models.ts';
import type { GalleryModel } from './gallery-models.ts';
import { HeatMap } from './heat-map.ts';
import { LanguageFields } from './language-fields.ts';
import { type Session, SessionError } from './training-session.ts';

/** Below this mean probability of its tokens a translation is doubtful. */
const doubtful = 0.5;

const noModel = 'No model is loaded. Train one, or load one below.';

/** The panel. */
export class TranslatePanel extends Panel {
  readonly #session: Session;
  readonly #decoding = new DecodingForm();
  readonly #languages = new LanguageFields((source, target) => this.setLanguages(source, target));
  readonly #heat = new HeatMap();
  #running: AbortController | undefined;
  /** Name of the loaded model; empty if there is none. */
  #model = '';
  /** The model of the page that is loaded or being loaded. */
  #demo: DemoModel | undefined;
  /** Example texts with their translations by the model of the page that was loaded last. */
  #examples: DemoModel['examples'] = [];
  /** Whether the model is loaded, so that it can translate. */
  #isReady = false;
  #isTraining = false;
  /** Last step of the training after which its model has answered, and the answer that is hoped for. */
  #answered = 0;
  #expected: string | undefined;
  #text = '';
  /** Text that the page has filled in; the first key in the field replaces it. */
  #suggested = '';
  #source = '';
  #target = '';
  /** The translation so far, and the hypotheses at its end. */
  #translation = '';
  #isEmpty = false;
  /** The text that was translated, and its words that the model does not know. */
  #translated = '';
  #unknown: readonly TextRange[] = [];
  /** Mean probability of the tokens of the translation; undefined until it is known. */
  #confidence: number | undefined;
  /** Models that have translated once. */
  readonly #rated = new Set<string>();
  #candidates: readonly TranslationCandidate[] = [];
  #chosen = 0;
  #note = noModel;
  #isWrong = false;

  constructor(session: Session) {
    super();
    this.#session = session;
    this.draw();
  }

  /** Sets the name of the model that is loaded; empty if there is none. */
  setModel(name: string): void {
    if (name === this.#model) return;
    if (name === '') this.#running?.abort();
    this.#demo = undefined;
    this.#model = name;
    this.#isReady = name !== '';
    this.#showNothing();
    this.#say(name ? `${name} is loaded.` : noModel);
    void this.#findLanguages();
  }
  /** Follows a model that was renamed, or deleted (`as` is empty), if it is the one that is loaded. */
  renameModel(name: string, as: string): void {
    if (name !== this.#model || this.#demo) return;
    if (as === '') this.setModel('');
    else {
      this.#model = as;
      this.draw();
    }
  }
  /** Sets the languages of source and target, as BCP 47 tags; empty if unknown. */
  setLanguages(source: string, target: string): void {
    this.#source = source;
    this.#target = target;
    this.draw();
  }
  /** Fills in a sentence, unless the visitor has entered one. */
  suggest(text: string): void {
    const isTheirs = this.#text !== this.#suggested || document.activeElement === this.#area;
    if (isTheirs || this.#expected !== undefined) return;
    this.#fillIn(text);
    this.draw();
  }
  /** Loads a model that ships with the page, and translates its first example. */
  async useDemo(chosen: DemoModel): Promise<void> {
    this.#running?.abort();
    this.#demo = chosen;
    this.#examples = chosen.examples;
    this.#model = '';
    this.#isReady = false;
    this.#source = chosen.source;
    this.#target = chosen.target;
    this.#showNothing();
    this.#say(`Loading ${chosen.name}…`);
    try {
      await this.#session.load(chosen.name, { url: chosen.url, step: chosen.step });
    } catch (error) {
      if (this.#demo === chosen) this.#say((error as Error).message, true);
      return;
    }
    if (this.#demo !== chosen) return;
    this.#model = chosen.name;
    this.#isReady = true;
    this.#languages.offer(undefined);
    if (this.#text === this.#suggested) this.#fillIn(chosen.examples[0]?.[0] ?? '');
    await this.#translate();
  }
  /** Loads a model of the gallery that is stored under `name`, and translates its example. */
  async useStored({ example, languages }: GalleryModel, name: string): Promise<void> {
    this.setModel('');
    this.#say(`Loading ${name}…`);
    await this.#session.load(name, undefined, languages);
    this.setModel(name);
    this.#fillIn(example);
    await this.#translate();
  }
  /** While a training runs, its model translates; it answers the examples of the model before it. */
  setTraining(training: boolean): void {
    if (training === this.#isTraining) return;
    this.#isTraining = training;
    this.#answered = 0;
    if (!training) this.#expected = undefined;
    this.draw();
  }
  /** Asks the model of the training that begins a question, again and again while it learns the answer. */
  follow(question: string, answer: string): void {
    this.#fillIn(question);
    this.#expected = answer;
    this.draw();
  }
  /** A step of the training: its model translates the text again at steps 25, 50 and 100, then every 100. */
  onStep(step: number): void {
    const isDue = step >= 25 && step >= Math.min(2 * this.#answered, this.#answered + 100);
    if (!isDue || !this.#isTraining || !this.#isReady || this.#running) return;
    this.#answered = step;
    if (this.#text.trim() !== '' && document.activeElement !== this.#area) void this.#translate();
  }

  get #area(): HTMLTextAreaElement {
    return this.find('#translate-text');
  }
  #say(text: string, isWrong = false): void {
    this.#note = text;
    this.#isWrong = isWrong;
    this.draw();
  }
  /** Fills in a text that the visitor's first key replaces. */
  #fillIn(sentence: string): void {
    this.#text = this.#suggested = sentence;
  }
  /** Removes the translation of another model. */
  #showNothing(): void {
    this.#candidates = [];
    this.#translation = '';
    this.#isEmpty = false;
    this.#unknown = [];
    this.#confidence = undefined;
    this.#heat.clear();
  }
  /** Shows the languages of the loaded model. */
  async #findLanguages(): Promise<void> {
    const model = this.#model;
    const found = model ? await this.#session.languages().catch(() => undefined) : undefined;
    if (this.#model === model) this.#languages.offer(found);
  }

  async #translate(): Promise<void> {
    this.draw();
    const invalid = this.#decoding.firstInvalid();
    if (invalid) return invalid.focus();
    const source = this.#text.trim();
    if (source === '') return this.#area.focus();
    this.#running?.abort();
    const controller = new AbortController();
    this.#running = controller;
    this.#showNothing();
    this.#say('Translating…');
    const append = ({ text }: { readonly text: string }) => {
      if (this.#running !== controller) return;
      this.#translation += text;
      this.drawSoon();
    };
    try {
      const result = await this.#session.translate(source, this.#options(), append, controller.signal);
      if (this.#running !== controller) return;
      this.#showResult(source, result);
      if (!this.#isTraining) void this.#judge(source, result.text);
    } catch (error) {
      if (this.#running !== controller) return;
      const isAborted = error instanceof SessionError && error.kind === 'aborted';
      this.#say(isAborted ? 'Cancelled.' : (error as Error).message, !isAborted);
    } finally {
      if (this.#running === controller) {
        this.#running = undefined;
        this.draw();
      }
    }
  }
  #options(): SentDecodeOptions {
    const attention = this.find('#show-attention').checked;
    return { ...this.#decoding.options(), ...this.#languages.read(), attention };
  }
  #showResult(
    source: string,
    { text, candidates, ms, tokens, unknown, model, step }: TranslationResult,
  ): void {
    // The first translation compiles kernels: its rate says nothing about the model.
    const speed = ms > 0 && this.#rated.has(model) ? `, ${formatNumber((1000 * tokens) / ms)} tokens/s` : '';
    const at = step > 0 ? `, step ${step.toLocaleString('en')}` : '';
    this.#rated.add(model);
    this.#translated = source;
    this.#unknown = unknown;
    this.#translation = text;
    this.#isEmpty = text === '';
    this.#candidates = candidates;
    this.#showCandidate(0);
    this.#say(`${tokens} tokens in ${formatNumber(ms)} ms${speed} · ${model}${at}`);
  }
  /** Finds out how sure the model is of a translation, and says it if it is not. */
  async #judge(source: string, translation: string): Promise<void> {
    if (translation === '') return;
    const inspection = await this.#session
      .inspect(source, { ...this.#languages.read(), target: translation })
      .catch(() => undefined);
    if (!inspection || this.#translation !== translation || this.#translated !== source) return;
    const { loss } = inspection;
    this.#confidence = Math.exp(-loss.reduce((sum, each) => sum + each, 0) / loss.length);
    this.draw();
  }
  /** Shows one of the translations with the attention of its own tokens. */
  #showCandidate(index: number): void {
    const candidate = this.#candidates[index];
    if (!candidate) return;
    this.#chosen = index;
    this.#translation = candidate.text;
    if (candidate.attention) this.#heat.show(candidate.attention);
    else this.#heat.clear();
    this.draw();
  }
  #submit(event: Event): void {
    event.preventDefault();
    if (this.#isReady) void this.#translate();
  }
  #edit(): void {
    this.#text = this.#area.value;
    this.draw(); // the marks are those of the translated text
  }
  /** Enter translates; Shift+Enter starts a new line. */
  #press(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.find<HTMLFormElement>('form').requestSubmit();
  }
  #focusText(): void {
    if (this.#text === this.#suggested) this.#area.select();
  }
  #tryExample(sentence: string): void {
    this.#fillIn(sentence);
    this.draw();
    if (this.#isReady) void this.#translate();
  }

  protected override template(): Content {
    return html`
      ${this.#picker()}
      <ul class="try" aria-label="Examples" ?hidden=${!this.#demo && !this.#isTraining}>
        ${this.#examples.map(([from, to]) => this.#example(from, this.#demo ? to : ''))}
      </ul>
      <div class="translate">
        ${this.#form()}
        <div class="stack">
          <h3>Translation</h3>
          <output
            class=${this.#running ? 'translation running' : 'translation'}
            id="translation"
            dir="auto"
            for="translate-text"
            lang=${this.#target}
            >${this.#isEmpty ? html`<span class="soft">(empty)</span>` : this.#translation}</output
          >
          <p class="good-text" id="learned" aria-live="polite" ?hidden=${!this.#isLearned()}>Right: it has learned this one.</p>
          <p class="note bad doubt" id="doubt" aria-live="polite" ?hidden=${!this.#isDoubtful()}>${this.#doubt()}</p>
          <p class=${this.#isWrong ? 'wrong' : 'hint'} role="status">${this.#note}</p>
          <ol class="others" ?hidden=${this.#candidates.length < 2}>
            ${this.#candidates.map((candidate, i) => this.#alternative(candidate, i))}
          </ol>
        </div>
        ${this.#heat.element}
      </div>`;
  }
  #picker(): Content {
    const demo = this.#demo;
    return html`
      <div class="row picker" role="group" aria-label="Model">
        ${demoModels.map(
          (model) => html`
            <button
              type="button"
              data-demo=${model.id}
              aria-pressed=${model === demo}
              ?disabled=${this.#isTraining}
              @click=${() => void this.useDemo(model)}
            >${model.name}</button>`,
        )}
        <span class="hint" ?hidden=${!demo}>${demo?.knows}</span>
        <span class="tag" ?hidden=${demo !== undefined || this.#model === ''}>${this.#model}</span>
        <a href="#gallery-card" class="push">More models</a>
      </div>`;
  }
  #example(sentence: string, translation: string): Content {
    const { source, target } = this.#demo ?? {};
    return html`
      <li>
        <button type="button" class="quiet" @click=${() => this.#tryExample(sentence)}>
          <span lang=${source}>${sentence}</span>
          <span class="soft" aria-hidden="true" ?hidden=${translation === ''}>→</span>
          <span lang=${target} dir="auto" class="soft">${translation}</span>
        </button>
      </li>`;
  }
  #form(): Content {
    const text = html`<textarea
      id="translate-text"
      rows="3"
      placeholder="Text in the source language. Press Enter to translate."
      lang=${this.#source}
      .value=${live(this.#text)}
      @input=${this.#edit}
      @keydown=${this.#press}
      @focus=${this.#focusText}
      @scroll=${this.#scrollMarks}
    ></textarea>`;
    const marked = html`<div class="marked">
      <div class="marks" aria-hidden="true" lang=${this.#source}>${this.#marks()}</div>
      ${text}
    </div>`;
    return html`
      <form class="stack" novalidate @submit=${this.#submit}>
        ${this.#languages.element}
        ${field('translate-text', 'Text', marked)}
        <p class="hint" id="unknown" aria-live="polite" ?hidden=${this.#unknown.length === 0}>${this.#unknownText()}</p>
        ${this.#decoding.element}
        <div class="row">
          <button type="submit" class="main" id="translate" ?disabled=${!this.#isReady}>Translate</button>
          <button type="button" ?hidden=${!this.#running} @click=${() => this.#running?.abort()}>Cancel</button>
          <label class="check"><input type="checkbox" id="show-attention" checked />Show attention</label>
        </div>
      </form>`;
  }
  /** The text with marks under the unknown words; empty after an edit. */
  #marks(): Content {
    if (this.#text.trim() !== this.#translated) return '';
    const offset = this.#text.indexOf(this.#translated);
    let at = 0;
    const parts: Content[] = [];
    for (const { start, end } of this.#unknown) {
      parts.push(
        this.#text.slice(at, start + offset),
        html`<mark>${this.#text.slice(start + offset, end + offset)}</mark>`,
      );
      at = end + offset;
    }
    return parts;
  }
  #scrollMarks(): void {
    this.find('.marks').scrollTop = this.#area.scrollTop;
  }
  #unknownText(): string {
    const words = this.#unknown.map(({ start, end }) => this.#translated.slice(start, end));
    return `Not in the vocabulary of this model, which cannot translate ${words.length === 1 ? 'it' : 'them'}: ${[...new Set(words)].join(', ')}.`;
  }
  /** Whether the model has given the answer of the lesson. */
  #isLearned(): boolean {
    return this.#expected !== undefined && !this.#running && this.#translation === this.#expected;
  }
  #isDoubtful(): boolean {
    return this.#confidence !== undefined && this.#confidence < doubtful;
  }
  #doubt(): string {
    return `The model is not sure of this translation: the mean probability of its tokens is ${formatPercent(this.#confidence ?? 0)}.`;
  }
  #alternative({ text, score }: TranslationCandidate, index: number): Content {
    return html`
      <li>
        <button
          type="button"
          class="quiet"
          aria-pressed=${index === this.#chosen}
          @click=${() => this.#showCandidate(index)}
        >
          <span dir="auto" lang=${this.#target}>${text || '(empty)'}</span>
          <span class="hint number">${signed(score)}</span>
        </button>
      </li>`;
  }
}

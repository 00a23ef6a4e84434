// Panel that translates a text: selects a model that ships with the page, streams the translation, and shows the
// cross-attention of the selected hypothesis.

import { live } from 'lit-html/directives/live.js';
import { formatInteger, formatNumber } from '../../common/format.ts';
import { say, sayCount, translated } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { shortName } from '../../storage/model-names.ts';
import { pageGuests } from '../guests/page-guests.ts';
import type { SentDecodeOptions, TranslationResult } from '../protocol.ts';
import { DecodingForm } from './decoding-form.ts';
import { type DemoModel, demoModels } from './demo-models.ts';
import type { GalleryModel } from './gallery-models.ts';
import { LanguageFields } from './language-fields.ts';
import { SentenceMaps } from './sentence-maps.ts';
import { SourceText } from './source-text.ts';
import { type Session, SessionError } from './training-session.ts';
import { TranslationView } from './translation-view.ts';

const noModel = say`No model is loaded. Train one, or load one below.`;

/** The panel. */
export class TranslatePanel extends Panel {
  readonly #session: Session;
  readonly #decoding = new DecodingForm();
  readonly #languages = new LanguageFields((source, target) => this.setLanguages(source, target));
  readonly #source = new SourceText();
  readonly #maps = new SentenceMaps();
  /** The image that a model of the task read-line has read. */
  readonly #picture = document.createElement('div');
  readonly #view = new TranslationView(({ attention }) =>
    attention ? this.#maps.show(attention) : this.#maps.clear(),
  );
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
  /** Last step of the training after which its model has answered. */
  #answered = 0;
  /** Whether the model translates a text sentence by sentence. */
  #bySentence = false;
  /** Models that have translated once. */
  readonly #rated = new Set<string>();

  constructor(session: Session) {
    super();
    this.#session = session;
    this.#view.say(noModel);
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
    this.#view.say(name ? say`${name} is loaded.` : noModel);
    this.draw();
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
    this.#source.setLanguage(source);
    this.#view.setLanguage(target);
  }

  /** Fills in a sentence, unless the visitor has entered one. */
  suggest(text: string): void {
    if (this.#source.isSuggested && !this.#source.isActive) this.#source.fillIn(text);
  }

  /** Loads a model that ships with the page, and translates its first example. */
  async useDemo(chosen: DemoModel): Promise<void> {
    this.#running?.abort();
    this.#demo = chosen;
    this.#examples = chosen.examples;
    this.#model = '';
    this.#isReady = false;
    this.#bySentence = chosen.bySentence ?? false;
    this.setLanguages(chosen.source, chosen.target);
    this.#showNothing();
    this.#view.say(say`Loading ${translated(shortName(chosen.name))}…`);
    this.draw();
    try {
      await this.#session.load(chosen.name, { url: chosen.url, step: chosen.step });
    } catch (error) {
      if (this.#demo === chosen) this.#view.say((error as Error).message, true);
      return;
    }
    if (this.#demo !== chosen) return;
    this.#model = chosen.name;
    this.#isReady = true;
    this.#languages.offer(undefined);
    if (this.#source.isSuggested) this.#source.fillIn(chosen.examples[0]?.[0] ?? '');
    await this.#translate();
  }

  /** Loads a model of the gallery that is stored under `name`, and translates its example. */
  async useStored({ example, languages }: GalleryModel, name: string): Promise<void> {
    this.setModel('');
    this.#view.say(say`Loading ${name}…`);
    await this.#session.load(name, undefined, languages);
    this.setModel(name);
    this.#source.fillIn(example);
    await this.#translate();
  }

  /** While a training runs, its model translates; it answers the examples of the model before it. */
  setTraining(training: boolean): void {
    if (training === this.#isTraining) return;
    this.#isTraining = training;
    this.#answered = 0;
    this.draw();
  }

  /** A step of the training: its model translates the text again at steps 25, 50 and 100, then every 100. */
  onStep(step: number): void {
    const isDue = step >= 25 && step >= Math.min(2 * this.#answered, this.#answered + 100);
    if (!isDue || !this.#isTraining || !this.#isReady || this.#running) return;
    this.#answered = step;
    if (this.#source.text !== '' && !this.#source.isActive) void this.#translate();
  }

  /** Removes the translation of another model. */
  #showNothing(): void {
    this.#view.clear();
    this.#picture.replaceChildren();
    this.#source.showUnknown('', []);
    this.#maps.clear();
  }

  /** Shows the languages of the loaded model. */
  async #findLanguages(): Promise<void> {
    const model = this.#model;
    const found = model ? await this.#session.languages().catch(() => undefined) : undefined;
    if (this.#model !== model) return;
    this.#languages.offer(found);
    this.#bySentence = found !== undefined; // a multilingual translator was trained on sentences
    this.draw();
  }

  async #translate(): Promise<void> {
    this.draw();
    const invalid = this.#decoding.firstInvalid();
    if (invalid) return invalid.focus();
    const { text } = this.#source;
    if (text === '') return this.#source.focus();
    this.#running?.abort();
    const controller = new AbortController();
    this.#setRunning(controller);
    this.#showNothing();
    this.#view.say(say`Translating…`);
    const append = (piece: { readonly text: string }) => {
      if (this.#running === controller) this.#view.append(piece.text);
    };
    try {
      const result = await this.#session.translate(text, this.#options(), append, controller.signal);
      if (this.#running !== controller) return;
      this.#showResult(text, result);
      if (!this.#isTraining) void this.#judge(result);
    } catch (error) {
      if (this.#running !== controller) return;
      const isAborted = error instanceof SessionError && error.kind === 'aborted';
      this.#view.say(isAborted ? say`Cancelled.` : (error as Error).message, !isAborted);
    } finally {
      if (this.#running === controller) this.#setRunning(undefined);
    }
  }

  #setRunning(running: AbortController | undefined): void {
    this.#running = running;
    this.#view.setRunning(running !== undefined);
    this.draw();
  }

  #options(): SentDecodeOptions {
    const isChecked = (id: string) => this.find(`#${id}`).checked;
    return {
      ...this.#decoding.options(),
      ...this.#languages.read(),
      attention: isChecked('show-attention'),
      bySentence: isChecked('by-sentence'),
    };
  }

  #showResult(
    source: string,
    { text, candidates, ms, tokens, unknown, sentences, model, step, drawn }: TranslationResult,
  ): void {
    // The first translation compiles kernels: its rate says nothing about the model.
    const speed =
      ms > 0 && this.#rated.has(model) ? say`, ${formatNumber((1000 * tokens) / ms)} tokens/s` : '';
    const each = sentences.length > 1 ? say` · ${sentences.length} sentences, one at a time` : '';
    const at = step > 0 ? say`, step ${formatInteger(step)}` : '';
    this.#rated.add(model);
    this.#source.showUnknown(source, unknown);
    this.#view.show(text, candidates);
    if (drawn !== undefined) void this.#showPicture(drawn);
    this.#view.say(
      sayCount(
        tokens,
        '{0} token in {1} ms{2}{3} · {4}{5}',
        '{0} tokens in {1} ms{2}{3} · {4}{5}',
        tokens,
        formatNumber(ms),
        speed,
        each,
        translated(model),
        at,
      ),
    );
  }

  /** Shows the image that the model has read. */
  async #showPicture(drawn: string): Promise<void> {
    const picture = await pageGuests.picture?.();
    if (picture) this.#picture.replaceChildren(picture(drawn));
  }

  /** Finds out how sure the model is of a translation, and says it if it is not. */
  async #judge({ text, sentences }: TranslationResult): Promise<void> {
    const pairs = sentences.filter(({ source, target }) => source.trim() !== '' && target !== '');
    if (pairs.length === 0) return;
    try {
      const scores = await this.#session.score(pairs, this.#languages.read());
      if (this.#view.text !== text || this.#running) return;
      const tokens = scores.flatMap((score) => score?.tokens ?? []);
      if (tokens.length === 0) return;
      const mean = tokens.reduce((sum, { logProb }) => sum + logProb, 0) / tokens.length;
      this.#view.showConfidence(Math.exp(mean));
    } catch (error) {
      // Another model was loaded meanwhile, or the pair does not fit: the translation stays without a judgement.
      console.warn('the translation was not judged:', error);
    }
  }

  #submit(event: Event): void {
    event.preventDefault();
    if (this.#isReady) void this.#translate();
  }

  #tryExample(sentence: string): void {
    this.#source.fillIn(sentence);
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
        ${this.#view.element}
        ${this.#picture}
        ${this.#maps.element}
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
            >${translated(model.name)}</button>`,
        )}
        <span class="hint" ?hidden=${!demo}>${demo?.knows}</span>
        <span class="tag" ?hidden=${demo !== undefined || this.#model === ''}>${translated(shortName(this.#model))}</span>
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
    return html`
      <form class="stack" novalidate @submit=${this.#submit}>
        ${this.#languages.element}
        ${this.#source.element}
        ${this.#decoding.element}
        <div class="row">
          <button type="submit" class="main" id="translate" ?disabled=${!this.#isReady}>Translate</button>
          <button type="button" ?hidden=${!this.#running} @click=${() => this.#running?.abort()}>Cancel</button>
          <label class="check"><input type="checkbox" id="show-attention" checked />Show attention</label>
          <label class="check" title="For models that were trained on single sentences">
            <input type="checkbox" id="by-sentence" .checked=${live(this.#bySentence)} @change=${this.#setBySentence} />One
            sentence at a time
          </label>
        </div>
      </form>`;
  }

  #setBySentence(event: Event): void {
    this.#bySentence = (event.target as HTMLInputElement).checked;
    this.draw();
  }
}

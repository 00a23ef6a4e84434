// The translator of the front page: text, translation, what the model is not sure of, and the threads of attention.

import type { Doubt, DoubtLimits } from '../../src/decode/word-weights.ts';
import { formatInteger, formatPercent } from '../common/format.ts';
import { language as pageLanguage, say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { DecodingForm } from '../train/page/decoding-form.ts';
import { generalModel, largeModel } from '../train/page/demo-models.ts';
import type { HeatMap } from '../train/page/heat-map.ts';
import { downloadModel } from './download-model.ts';
import { ThreadLines } from './thread-lines.ts';
import { TranslateClient } from './translate-client.ts';
import { translateGuests } from './translate-guests.ts';
import type { InputProblem, TranslatedSentence } from './translate-protocol.ts';

const wordsUrl = new URL('./known-words.txt', import.meta.url).href;

/** The models in the order in which they answer: each replaces the one before it when it has arrived. */
const models: readonly { readonly url: string; readonly doubtLimits?: DoubtLimits }[] = [
  { url: generalModel.url },
  // Calibrated: see "The models of the page Translate" in docs/models.md.
  { url: largeModel.url, doubtLimits: { base: 0.17, most: 0.5 } },
];

/** Milliseconds without a key after which a text is translated. */
const pause = 120;

/** Texts to try. */
const examples = [
  'Where can I buy a ticket?',
  'The cat is sleeping on the sofa.',
  'My name is Oliver and I arrive at 9:30.',
] as const;

/** The panel. */
export class TranslatorPanel extends Panel {
  readonly #client = new TranslateClient();
  readonly #decoding = new DecodingForm();
  readonly #threads = new ThreadLines({ onSelect: (word) => this.#askSecond(word) });
  #text = '';
  #sentences: TranslatedSentence[] = [];
  /** The sentence whose threads are shown. */
  #chosen = 0;
  #run = 0;
  #timer = 0;
  #isReady = false;
  /** The part of the model that has arrived. */
  #arrived = 0;
  /** Whether a better model is on its way. */
  #isBetterLoading = true;
  #isWasm = false;
  #isBusy = false;
  #error = '';
  #problem: InputProblem | null = null;
  /** Milliseconds of the last translation. */
  #ms = 0;
  /** Second choices by sentence and word. */
  readonly #second = new Map<string, string>();
  #heat: HeatMap | undefined;
  #showsMatrix = false;
  #microphone: HTMLElement | undefined;

  constructor() {
    super('translator');
    this.#client.onSentence = (run, index, of, sentence) => {
      if (run === this.#run) this.#add(index, of, sentence);
    };
    this.draw();
  }

  /** Loads the models one after the other, and translates the first example or what the visitor has typed. */
  async open(): Promise<void> {
    try {
      const words = this.#client.call('readWords', wordsUrl); // starts the worker
      words.catch(() => undefined); // reported below, once the model is here
      for (const [index, { url, doubtLimits }] of models.entries()) {
        const file = await downloadModel(url, (share) => {
          this.#arrived = share;
          this.drawSoon();
        });
        await words;
        await this.#client.call('load', file, doubtLimits, index === models.length - 1);
        const field = this.#field;
        if (!this.#isReady && field.value === '' && document.activeElement !== field)
          field.value = examples[0];
        this.#isReady = true;
        this.#isBetterLoading = index < models.length - 1;
        this.#text = field.value;
        // The next model is on its way while this one translates.
        void this.#translate();
      }
    } catch (error) {
      console.error(error);
      this.#isBetterLoading = false;
      if (!this.#isReady) this.#error = (error as Error).message; // otherwise the model before answers
      this.draw();
    }
  }

  get #field(): HTMLTextAreaElement {
    return this.find<HTMLTextAreaElement>('#source');
  }

  #input(): void {
    this.#text = this.#field.value;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#translate(), pause);
    this.draw();
  }

  #use(text: string): void {
    this.#field.value = text;
    this.#text = text;
    void this.#translate();
  }

  async #translate(): Promise<void> {
    if (!this.#isReady || this.#decoding.firstInvalid()) return;
    const run = ++this.#run;
    const text = this.#text;
    this.#error = '';
    this.#problem = null;
    if (text.trim() === '') {
      this.#sentences = [];
      this.#choose(0);
      return;
    }
    this.#isBusy = true;
    this.draw();
    const begin = performance.now();
    try {
      const { numReturn: _, ...options } = this.#decoding.options();
      const { problem, isWasm } = await this.#client.call('translate', run, text, options);
      if (run !== this.#run) return;
      this.#problem = problem;
      this.#isWasm = isWasm;
      this.#ms = performance.now() - begin;
    } catch (error) {
      // An empty message: a newer text has replaced this one.
      if (run !== this.#run || (error as Error).message === '') return;
      this.#error = (error as Error).message;
      console.error(error);
    }
    this.#isBusy = false;
    this.draw();
  }

  #add(index: number, of: number, sentence: TranslatedSentence): void {
    this.#sentences = [...this.#sentences.slice(0, index), sentence, ...this.#sentences.slice(index + 1, of)];
    if (index === this.#chosen || this.#chosen >= of) this.#choose(Math.min(this.#chosen, of - 1));
    else this.drawSoon();
  }

  #choose(index: number): void {
    this.#chosen = index;
    const sentence = this.#sentences[index];
    this.#threads.show(sentence);
    if (this.#showsMatrix && sentence) this.#heat?.show(sentence.attention);
    this.draw();
  }

  async #toggleMatrix(): Promise<void> {
    this.#showsMatrix = !this.#showsMatrix;
    if (this.#showsMatrix && !this.#heat) {
      const { HeatMap } = await import('../train/page/heat-map.ts');
      this.#heat ??= new HeatMap();
    }
    this.draw();
    const sentence = this.#sentences[this.#chosen];
    if (this.#showsMatrix && sentence) this.#heat?.show(sentence.attention);
  }

  /** Asks for the second choice of a doubtful word of the sentence that is shown. */
  #askSecond(word: number | undefined): void {
    const sentence = this.#sentences[this.#chosen];
    if (word !== undefined && sentence?.doubts.some((doubt) => doubt.word === word))
      void this.#findSecond(sentence, word);
  }

  async #findSecond({ source, target }: TranslatedSentence, word: number): Promise<void> {
    const key = `${target}\n${word}`;
    if (this.#second.has(key)) return;
    this.#second.set(key, '');
    try {
      const found = await this.#client.call('secondChoice', source, target, word);
      this.#second.set(key, found ?? '');
      this.draw();
    } catch (error) {
      console.error('the second choice of a word was not found:', error);
    }
  }

  async #openMicrophone(): Promise<void> {
    const dictation = await translateGuests.microphone?.();
    this.#microphone = dictation?.({
      onText: (text) => this.#use(text),
      onProblem: (text) => {
        this.#error = text;
        this.draw();
      },
    });
    this.draw();
    this.#microphone?.querySelector('button')?.focus();
  }

  protected override template(): Content {
    return html`
      <div class="panes">
        <div class="pane">
          <label class="pane-name" for="source">English</label>
          <textarea
            id="source"
            rows="3"
            lang="en"
            maxlength="20000"
            spellcheck="false"
            placeholder="Type something in English…"
            @input=${this.#input}
          ></textarea>
          <div class="row pane-foot">
            ${this.#microphone ?? (translateGuests.microphone ? this.#microphoneButton() : nothing)}
            <span class="push hint number">${this.#text.length > 0 ? formatInteger(this.#text.length) : ''}</span>
          </div>
        </div>
        <div class="pane answer">
          <span class="pane-name" id="answer-name">Spanish</span>
          <output id="translation" for="source" lang="es" aria-labelledby="answer-name" class=${this.#isBusy ? 'running' : ''}
            >${this.#isReady || this.#error ? this.#answer() : html`<span class="soft">${say`Loading the model… ${formatPercent(this.#arrived)}`}</span>`}</output
          >
          <p class="hint pane-foot" role="status">${this.#status()}</p>
        </div>
      </div>
      ${this.#remarks()}
      ${this.#threads.element}
      <div class="row tools">
        ${examples.map(
          (text) =>
            html`<button type="button" class="small example" lang="en" @click=${() => this.#use(text)}>${text}</button>`,
        )}
        <button
          type="button"
          class="small push"
          id="matrix"
          aria-expanded=${this.#showsMatrix}
          ?disabled=${this.#sentences.length === 0}
          @click=${() => void this.#toggleMatrix()}
        >As a matrix</button>
        <details class="settings">
          <summary class="button small">Settings</summary>
          <div class="card settings-body" @input=${() => this.#input()} @change=${() => this.#input()}>${this.#decoding.element}</div>
        </details>
      </div>
      ${this.#showsMatrix ? html`<div class="card">${this.#heat?.element ?? nothing}</div>` : nothing}`;
  }

  #microphoneButton(): Content {
    return html`
      <button type="button" class="quiet microphone" id="microphone" aria-label="Speak into the microphone" title="Speak into the microphone" @click=${() => void this.#openMicrophone()}>
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path class="icon" d="M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M5 11a7 7 0 0 0 14 0M12 18v3"></path>
        </svg>
      </button>`;
  }

  #status(): string {
    if (this.#error || this.#sentences.length === 0 || this.#isBusy) return '';
    const time = say`${Math.round(this.#ms)} ms`;
    const where = this.#isWasm ? say`${time}, in WebAssembly` : say`${time}, on your GPU`;
    return this.#isBetterLoading ? say`${where}; a better model is loading` : where;
  }

  /** The translation: a part for each sentence, with its doubtful words. */
  #answer(): Content {
    const isSeveral = this.#sentences.length > 1;
    return this.#sentences.map((sentence, i) => {
      const words = this.#marked(sentence);
      const text = isSeveral
        ? html`<button
            type="button"
            class=${i === this.#chosen ? 'sentence chosen' : 'sentence'}
            aria-pressed=${i === this.#chosen}
            @click=${() => this.#choose(i)}
          >${words}</button>`
        : words;
      return [text, sentence.space];
    });
  }

  #marked(sentence: TranslatedSentence): Content {
    const { target, targetWords, doubts } = sentence;
    const parts: Content[] = [];
    let at = 0;
    for (const doubt of [...doubts].sort((a, b) => a.word - b.word)) {
      const range = targetWords[doubt.word];
      if (!range) continue;
      parts.push(target.slice(at, range.start));
      parts.push(
        html`<u class="doubt" title=${this.#doubtText(sentence, doubt)} @pointerenter=${() => void this.#findSecond(sentence, doubt.word)}
          >${target.slice(range.start, range.end)}</u>`,
      );
      at = range.end;
    }
    parts.push(target.slice(at));
    return parts;
  }

  #doubtText({ target }: TranslatedSentence, { word, probability }: Doubt): string {
    const second = this.#second.get(`${target}\n${word}`);
    const sure = say`The model is not sure of this word: ${formatPercent(probability)}.`;
    return second ? say`${sure} Its second choice is “${second}”.` : sure;
  }

  /** What a visitor should know about the text or its translation. */
  #remarks(): Content {
    const sentence = this.#sentences[this.#chosen];
    const problem = this.#error ? '' : problemText(this.#problem);
    const doubts = this.#isBusy ? [] : (sentence?.doubts ?? []);
    const words = doubts.map((doubt) => {
      const range = sentence?.targetWords[doubt.word];
      const text = range ? (sentence?.target.slice(range.start, range.end) ?? '') : '';
      const second = this.#second.get(`${sentence?.target}\n${doubt.word}`);
      return second ? say`“${text}” (or “${second}”)` : `“${text}”`;
    });
    return html`
      <div class="remarks">
        <p class="wrong" role="alert">${this.#error}</p>
        <p class="note" id="problem" aria-live="polite" ?hidden=${problem === ''}>${problem}</p>
        <p class="hint" id="doubt" aria-live="polite" ?hidden=${words.length === 0}>${
          words.length > 0 ? say`The model is not sure of ${words.join(', ')}.` : ''
        }</p>
      </div>`;
  }
}

/** Why a text cannot be translated well, in a sentence; empty if it can. */
function problemText(problem: InputProblem | null): string {
  if (!problem) return '';
  if (problem.kind === 'language') {
    const name =
      new Intl.DisplayNames(pageLanguage, { type: 'language' }).of(problem.language) ?? problem.language;
    return say`This does not look like English (perhaps ${name}). The model reads only English, so the translation is a guess.`;
  }
  return {
    noise: say`These are no English words, so there is nothing to translate.`,
    'no-words': say`There are no words to translate here.`,
    'unknown-words': say`The model knows few of these words, so the translation is a guess.`,
  }[problem.kind];
}

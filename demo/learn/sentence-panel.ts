// Panel of the model and the sentence that the figures show.

import { live } from 'lit-html/directives/live.js';
import type { Inspection } from '../../src/entries/reports.ts';
import { field, options } from '../common/form-fields.ts';
import { say, translated } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import {
  type DemoModel,
  earlierModels,
  generalModel,
  learnedPositionsModel,
  toyModels,
} from '../train/page/demo-models.ts';
import type { Session } from '../train/page/training-session.ts';
import type { TakenLesson } from '../train/protocol.ts';
import { type Chapter, type ChapterHost, KeptValues } from './chapter.ts';
import { GuessPanel } from './guess-panel.ts';
import { settingsByHand } from './learning-chapter.ts';
import { firstSentence, type Lesson, readLesson } from './lesson.ts';

const [firstToy, ...otherToys] = toyModels as readonly [DemoModel, ...DemoModel[]];
const shippedModels: readonly DemoModel[] = [
  firstToy,
  ...earlierModels,
  ...otherToys,
  learnedPositionsModel,
  generalModel,
];

/** The panel. */
export class SentencePanel extends Panel {
  readonly #session: Session;
  #models: readonly (readonly [string, string])[];
  readonly #onCompute: () => void;
  readonly #kept: KeptValues;
  /** The visitor's guesses by chapter. */
  readonly #guesses = new Map<string, string>();
  /** Name of the selected model. */
  #model = firstToy.name;
  #text = firstSentence;
  /** The sentence that the address asks for; the first load takes it. */
  #wanted: string | undefined;
  #inspection: Inspection | undefined;
  /** The sentence of the inspection. */
  #computed = '';
  /** Counts requests, to discard the answer of an earlier one. */
  #requests = 0;
  #status = '';
  #isWrong = false;
  /** Says that the model of the address is missing. */
  #missing = '';

  /** `stored`: names of the models in the browser; `onCompute` is called when a sentence was computed. */
  constructor(session: Session, stored: readonly string[], onCompute: () => void) {
    super();
    this.#session = session;
    this.#models = [
      ...shippedModels.map(({ name }) => [name, translated(name)] as const),
      ...stored.map((name) => [name, name] as const),
    ];
    this.#onCompute = onCompute;
    const { model, text, values } = readLesson(location.search);
    this.#kept = new KeptValues(values);
    this.#wanted = text;
    if (this.#models.some(([name]) => name === model)) this.#model = model as string;
    else if (model !== undefined) this.#missing = say`There is no model ${model} in this browser. `;
    this.draw();
  }

  /** What a link to this page fixes, besides the chapter. */
  get lesson(): Lesson {
    return { model: this.#model, text: this.#computed, values: this.#kept.all };
  }

  /** What a visitor takes away: the pair that is shown, and the rate and warm-up of the chapter on learning. */
  get taken(): { readonly name: string; readonly lesson: TakenLesson } | undefined {
    if (!this.#inspection) return undefined;
    const pair = { source: this.#computed, target: this.#inspection.targetText };
    return { name: this.#model, lesson: { pairs: [pair], settings: settingsByHand(this.#kept) } };
  }

  /** The computed sentence; undefined before there is one. */
  get inspection(): Inspection | undefined {
    return this.#inspection;
  }

  /** The figure of a chapter for the computed sentence; undefined before there is one. */
  figureOf(chapter: Chapter): Panel | undefined {
    const inspection = this.#inspection;
    if (!inspection) return undefined;
    const figure = () => chapter.figure(inspection, this.#host());
    const prediction = chapter.prediction?.(inspection);
    if (!prediction) return figure();
    const { id } = chapter;
    return new GuessPanel(prediction, figure, this.#guesses.get(id), (guess) => this.#guesses.set(id, guess));
  }

  /** Stores a model of the visitor, a file or the files of its folder, and computes the sentence with it. */
  async openModel(files: readonly File[]): Promise<void> {
    const [file] = files;
    if (!file) return;
    const request = ++this.#requests;
    this.#say(say`Loading ${file.name}…`);
    try {
      const name = await this.#session.importFiles(files);
      if (!this.#models.some(([known]) => known === name)) this.#models = [...this.#models, [name, name]];
      if (request !== this.#requests) return;
      this.#model = name;
      this.#missing = '';
    } catch (error) {
      if (request === this.#requests) this.#showError(error);
      return;
    }
    await this.load();
  }

  /** Loads the selected model and computes a sentence: that of the address, or the one of the form. */
  async load(): Promise<void> {
    const request = ++this.#requests;
    const shipped = shippedModels.find(({ name }) => name === this.#model);
    this.#text = this.#wanted ?? this.#text;
    this.#wanted = undefined;
    this.#say(say`Loading ${translated(this.#model)}…`);
    try {
      await this.#session.load(this.#model, shipped && { url: shipped.url, step: shipped.step });
    } catch (error) {
      if (request === this.#requests) this.#showError(error);
      return;
    }
    if (request === this.#requests) await this.#compute();
  }

  /**
   * Computes the sentence of the form with its translation, or again the same sentence with a given target.
   */
  async #compute(target?: readonly number[]): Promise<void> {
    const request = ++this.#requests;
    this.#say(say`Computing…`);
    try {
      const sentence = target ? this.#computed : this.#text;
      const options = target ? { tensors: true, target } : { tensors: true };
      const found = await this.#session.inspect(sentence, options);
      if (request !== this.#requests) return;
      this.#inspection = found;
      this.#computed = sentence;
      this.#say(say`${found.source.length} source tokens, ${found.target.length} target tokens.`);
      this.#onCompute();
    } catch (error) {
      if (request === this.#requests) this.#showError(error);
    }
  }

  /** What the figure of the present chapter can ask for. */
  #host(): ChapterHost {
    const request = this.#requests;
    const { source = 'en', target = 'es' } = shippedModels.find(({ name }) => name === this.#model) ?? {};
    return {
      session: this.#session,
      kept: this.#kept,
      languages: { source, target },
      text: () => this.#computed,
      compute: (target) => this.#compute(target),
      use: async ({ name }, text) => {
        this.#model = name;
        this.#text = text ?? this.#text;
        await this.load();
      },
      attempt: (work) =>
        void work.catch((error) => {
          if (request === this.#requests) this.#showError(error);
        }),
    };
  }

  #say(text: string, isWrong = false): void {
    this.#status = text;
    this.#isWrong = isWrong;
    this.draw();
  }

  #showError(error: unknown): void {
    this.#say((error as Error).message, true);
  }

  #select(event: Event): void {
    this.#model = (event.target as HTMLSelectElement).value;
    void this.load();
  }

  #pick(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = '';
    void this.openModel(files);
  }

  #edit(event: Event): void {
    this.#text = (event.target as HTMLInputElement).value;
  }

  #submit(event: Event): void {
    event.preventDefault();
    void this.#compute();
  }

  protected override template(): Content {
    const models = html`<select id="sentence-model" @change=${this.#select}>${options(
      this.#models,
      this.#model,
    )}</select>`;
    const text = html`<input
      id="sentence-text"
      type="text"
      autocomplete="off"
      spellcheck="false"
      dir="auto"
      .value=${live(this.#text)}
      @input=${this.#edit}
    />`;
    return html`
      <form class="sentence" @submit=${this.#submit}>
        ${field('sentence-model', say`Model`, models)}
        ${field('sentence-text', say`Sentence`, text)}
        <button type="submit" class="main">Compute</button>
      </form>
      <div class="row">
        <p class=${this.#isWrong ? 'wrong' : 'hint'} role="status" id="sentence-status">${this.#missing}${this.#status}</p>
        <button
          type="button"
          class="link push"
          title="A zip archive or a .safetensors file, or the files of a folder; you can also drop it on this page. It stays in this browser."
          @click=${() => this.find('#own-model').click()}
        >Open your own model…</button>
        <input
          type="file"
          multiple
          class="unseen"
          id="own-model"
          tabindex="-1"
          aria-label="Model file (zip archive or safetensors), or the files of a folder"
          @change=${this.#pick}
        />
      </div>`;
  }
}

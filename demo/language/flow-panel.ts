// The steps of a language, what each does, and what came out of them.

import {
  type LanguageState,
  type LanguageStepName,
  languageStepNames,
} from '../../src/features/language/language-flow.ts';
import { BusyPanel } from '../common/busy-panel.ts';
import { fixed, formatBytes, formatDuration, formatInteger } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { dataTable, factList } from '../common/tables.ts';
import { termList } from '../common/terms.ts';
import type { FirefoxTrial, TriedModel } from '../train/page/firefox-trial.ts';
import type { WorkerEvent } from './language-protocol.ts';

/** What the panel asks for. All reject with a message for the visitor. */
export interface FlowActions {
  /** Runs the steps that are left; rejects with an empty message if it was stopped. */
  run(): Promise<LanguageState>;
  stop(): Promise<void>;
  download(what: 'firefox' | 'configuration'): Promise<void>;
  /** Returns the name of the model. */
  keep(): Promise<string>;
  tried(): Promise<TriedModel>;
  discard(): Promise<void>;
}

/** What each step does. */
const texts: Readonly<Record<LanguageStepName, string>> = {
  clean: say`Clean the pairs, hold out dev pairs`,
  tokenizer: say`Train a vocabulary of pieces`,
  teacher: say`Train the teacher`,
  student: say`Translate with the teacher, train the student on its translations`,
  quantize: say`Train the student with 8-bit weights`,
  shortlist: say`Align the translations, make the shortlist`,
  export: say`Write the files for Firefox`,
  measure: say`Measure all models on the dev pairs`,
};

/** The panel. */
export class FlowPanel extends BusyPanel {
  readonly #actions: FlowActions;
  #state: LanguageState;
  #now: WorkerEvent | undefined;
  #trial: FirefoxTrial | undefined;

  constructor(state: LanguageState, actions: FlowActions) {
    super();
    this.#state = state;
    this.#actions = actions;
    this.draw();
  }

  /** Shows what the worker does. */
  showProgress(event: WorkerEvent): void {
    this.#now = event;
    this.#state = event.state;
    this.drawSoon();
  }

  /** Runs the steps that are left. */
  start(): Promise<void> {
    return this.run(async () => {
      this.#state = await this.#actions.run();
    });
  }

  get #isDone(): boolean {
    return languageStepNames.every((name) => this.#state.seconds[name] !== undefined);
  }

  #step(name: LanguageStepName): Content {
    const seconds = this.#state.seconds[name];
    const now = this.isBusy && this.#now?.step === name ? this.#now : undefined;
    const { pairs } = this.#state;
    const result =
      name === 'clean' && pairs
        ? say`${formatInteger(pairs.kept)} of ${formatInteger(pairs.all)} pairs kept, ${formatInteger(pairs.dev)} of them for measuring`
        : undefined;
    return html`
      <li aria-current=${now ? 'step' : nothing} data-step=${name}>
        <span>${texts[name]}</span>
        <span class="number">${seconds !== undefined ? formatDuration(seconds) : now ? say`now` : ''}</span>
        ${
          now && now.share !== null
            ? html`<progress max="1" value=${now.share} aria-label=${texts[name]}></progress>`
            : nothing
        }
        ${now?.text || result ? html`<p class="hint number">${now?.text || result}</p>` : nothing}
      </li>`;
  }

  #results(): Content {
    if (!this.#isDone) return nothing;
    const { quality, files } = this.#state;
    const download = (what: 'firefox' | 'configuration') => () =>
      void this.run(() => this.#actions.download(what));
    const keep = () =>
      void this.run(async () => this.#say(say`It is now ${await this.#actions.keep()} on the page Train.`));
    return html`
      <h3>Quality on the dev pairs</h3>
      ${dataTable(
        say`Quality on the dev pairs`,
        [say`Model`, 'BLEU', 'chrF2'],
        quality.map(({ model, bleu, chrf }) => [model, fixed(bleu, 1), fixed(chrf, 1)]),
      )}
      ${termList('language', ['dev', 'BLEU', 'chrF', 'loss'])}
      <h3>Files for Firefox</h3>
      ${factList(Object.entries(files).map(([name, bytes]) => [name, formatBytes(bytes)] as const))}
      <div class="row">
        <button type="button" class="main" id="download-firefox" ?disabled=${this.isBusy} @click=${download('firefox')}>
          Download the files (zip)
        </button>
        <button type="button" id="try-firefox" ?disabled=${this.isBusy} @click=${() => void this.run(() => this.#try())}>
          Try it as Firefox would
        </button>
        <button type="button" id="keep-language" ?disabled=${this.isBusy} @click=${keep}>Keep it on the page Train</button>
        <button type="button" id="download-configuration" ?disabled=${this.isBusy} @click=${download('configuration')}>
          Download configuration and pairs
        </button>
      </div>
      <p class="hint">With the configuration, <code>heddle language language.json --out out</code> does the same on a computer.</p>
      ${this.#trial?.element}`;
  }

  #said = '';
  #say(text: string): void {
    this.#said = text;
  }

  async #try(): Promise<void> {
    this.#trial?.close();
    const { FirefoxTrial } = await import('../train/page/firefox-trial.ts');
    this.#trial = await FirefoxTrial.open(await this.#actions.tried());
  }

  protected override template(): Content {
    const { languages } = this.#state.plan;
    const stop = () => void this.#actions.stop();
    const discard = () => {
      if (confirm(say`Delete this language? Its models and files are deleted from this browser.`))
        void this.#actions.discard();
    };
    return html`
      <p class="number">${languages.join(' → ')}</p>
      <ol class="steps" id="steps">${languageStepNames.map((name) => this.#step(name))}</ol>
      ${this.messages('language-status')}
      <p class="hint" role="status" id="language-said">${this.#said}</p>
      ${this.#results()}
      <div class="row">
        ${
          this.#isDone
            ? nothing
            : this.isBusy
              ? html`<button type="button" id="stop-language" @click=${stop}>Stop</button>`
              : html`<button type="button" class="main" id="continue-language" @click=${() => void this.start()}>
                  Continue
                </button>`
        }
        <button type="button" class="quiet push" id="discard-language" ?disabled=${this.isBusy} @click=${discard}>
          Delete this language
        </button>
      </div>`;
  }
}

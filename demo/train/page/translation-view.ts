// The result of a translation: the text as it comes, how sure the model is of it, and other hypotheses.

import { formatPercent } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { signed } from '../../common/tables.ts';
import type { TranslationCandidate } from '../protocol.ts';

/** Below this mean probability of its tokens a translation is doubtful. */
const doubtful = 0.5;

/** The view. */
export class TranslationView extends Panel {
  readonly #onChoose: (chosen: TranslationCandidate) => void;
  #language = '';
  #isRunning = false;
  /** The translation so far, and the hypotheses at its end. */
  #text = '';
  #candidates: readonly TranslationCandidate[] = [];
  #chosen = 0;
  /** Mean probability of the tokens of the translation; undefined until it is known. */
  #confidence: number | undefined;
  #note = '';
  #isWrong = false;

  /** `onChoose` is called with each hypothesis that is shown. */
  constructor(onChoose: (chosen: TranslationCandidate) => void) {
    super();
    this.#onChoose = onChoose;
    this.draw();
  }

  /** The translation that is shown. */
  get text(): string {
    return this.#text;
  }

  /** Sets the language of the translation, as a BCP 47 tag; empty if unknown. */
  setLanguage(language: string): void {
    this.#language = language;
    this.draw();
  }

  /** A line below the translation: what is done, or what failed. */
  say(text: string, isWrong = false): void {
    this.#note = text;
    this.#isWrong = isWrong;
    this.draw();
  }

  setRunning(isRunning: boolean): void {
    this.#isRunning = isRunning;
    this.draw();
  }

  clear(): void {
    this.#text = '';
    this.#candidates = [];
    this.#confidence = undefined;
    this.draw();
  }

  append(piece: string): void {
    this.#text += piece;
    this.drawSoon();
  }

  /** Shows the hypotheses of a translation, the best first, which is selected. */
  show(text: string, candidates: readonly TranslationCandidate[]): void {
    this.#text = text;
    this.#candidates = candidates;
    this.#choose(0);
  }

  /** Says how sure the model is of the translation: the mean probability of its tokens. */
  showConfidence(probability: number): void {
    this.#confidence = probability;
    this.draw();
  }

  #choose(index: number): void {
    const candidate = this.#candidates[index];
    if (candidate) {
      this.#chosen = index;
      this.#text = candidate.text;
      this.#onChoose(candidate);
    }
    this.draw();
  }

  protected override template(): Content {
    const isEmpty = this.#candidates.length > 0 && this.#text === '';
    const isDoubtful = this.#confidence !== undefined && this.#confidence < doubtful;
    return html`
      <h3>Translation</h3>
      <output
        class=${this.#isRunning ? 'translation running' : 'translation'}
        id="translation"
        dir="auto"
        for="translate-text"
        lang=${this.#language}
        >${isEmpty ? html`<span class="soft">(empty)</span>` : this.#text}</output
      >
      <p class="note bad doubt" id="doubt" aria-live="polite" ?hidden=${!isDoubtful}>${this.#doubt()}</p>
      <p class=${this.#isWrong ? 'wrong' : 'hint'} role="status">${this.#note}</p>
      <ol class="others" ?hidden=${this.#candidates.length < 2}>
        ${this.#candidates.map((candidate, i) => this.#alternative(candidate, i))}
      </ol>`;
  }

  #doubt(): string {
    return say`The model is not sure of this translation: the mean probability of its tokens is ${formatPercent(this.#confidence ?? 0)}.`;
  }

  #alternative({ text, score }: TranslationCandidate, index: number): Content {
    return html`
      <li>
        <button
          type="button"
          class="quiet"
          aria-pressed=${index === this.#chosen}
          @click=${() => this.#choose(index)}
        >
          <span dir="auto" lang=${this.#language}>${text || '(empty)'}</span>
          <span class="hint number">${signed(score)}</span>
        </button>
      </li>`;
  }
}

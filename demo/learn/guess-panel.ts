// The visitor's guess before the figure of a chapter: the figure is hidden until there is one.

import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import type { Prediction } from './chapter.ts';

/** The guess, and then the figure with a sentence that compares both. */
export class GuessPanel extends Panel {
  readonly #prediction: Prediction;
  readonly #figure: () => Panel;
  readonly #onGuess: (guess: string) => void;
  #guess: string | undefined;
  #shown: Panel | undefined;

  /** `guess`: an earlier guess, '' for none that was wanted; `onGuess` is called with a new one. */
  constructor(
    prediction: Prediction,
    figure: () => Panel,
    guess: string | undefined,
    onGuess: (guess: string) => void,
  ) {
    super();
    this.#prediction = prediction;
    this.#figure = figure;
    this.#guess = guess;
    this.#onGuess = onGuess;
    this.draw();
  }

  #take(guess: string): void {
    this.#guess = guess;
    this.#onGuess(guess);
    this.draw();
    this.element.querySelector<HTMLElement>('.guess-result')?.focus({ preventScroll: true });
  }

  protected override template(): Content {
    if (this.#guess === undefined) {
      const options = [...new Set(this.#prediction.options)];
      return html`
        <div class="row guess" role="group" aria-label="Your guess">
          ${options.map((option) => html`<button type="button" @click=${() => this.#take(option)}><bdi>${option}</bdi></button>`)}
          <button type="button" class="quiet" id="guess-skip" @click=${() => this.#take('')}>Show it without a guess</button>
        </div>`;
    }
    this.#shown ??= this.#figure();
    return html`
      <p class="guess-result" role="status" tabindex="-1">${this.#guess ? this.#compared(this.#guess) : nothing}</p>
      ${this.#shown.element}`;
  }

  #compared(guess: string): Content {
    const { right } = this.#prediction;
    if (right === undefined) return say`Your guess: ${guess}. Now look.`;
    return guess === right ? say`You guessed it.` : say`You guessed ${guess}. It is ${right}.`;
  }
}

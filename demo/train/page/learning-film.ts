// The film on the first screen: what a model predicts and attends to for one pair, from the first step of a
// recorded training to the last. scripts/train-demo-models.mjs writes its file.

import { live } from 'lit-html/directives/live.js';
import { whenVisible } from '../../common/dom.ts';
import { formatInteger, formatPercent } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { weightsOf } from './probe-maps.ts';

/** A film. */
export interface Film {
  /** Tokens of the source and of its translation; the model predicts each token of the target. */
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly frames: readonly FilmFrame[];
}

/** One recorded step. */
export interface FilmFrame {
  readonly step: number;
  /**
   * Cross-attention of the last layer, the mean of its heads, [target, source]: a byte for each weight, in
   * base64.
   */
  readonly attention: string;
  /** For each token of the target: the most probable tokens there, with their probabilities. */
  readonly next: readonly (readonly (readonly [token: string, probability: number])[])[];
}

/** Milliseconds that the film takes. */
const length = 6000;

/** The film with its buttons. */
class LearningFilm extends Panel {
  readonly #film: Film;
  /** Index of the frame, and of the token of the target whose predictions are shown. */
  #at = 0;
  #token: number;
  /** Timer of the playback; 0 while it does not play. */
  #timer = 0;

  constructor(film: Film) {
    super('stack film');
    this.#film = film;
    this.#token = Math.min(4, film.target.length - 1);
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (isStill) this.#at = film.frames.length - 1;
    else whenVisible(this.element, () => this.#play());
    this.draw();
  }

  #play(): void {
    const { frames } = this.#film;
    this.#stop();
    if (this.#at >= frames.length - 1) this.#at = 0;
    this.#timer = window.setInterval(() => {
      if (document.visibilityState === 'hidden') return;
      this.#at++;
      if (this.#at >= frames.length - 1) this.#stop();
      this.drawSoon();
    }, length / frames.length);
    this.drawSoon();
  }

  #stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = 0;
  }

  #toggle(): void {
    if (this.#timer) this.#stop();
    else this.#play();
    this.draw();
  }

  #move(event: Event): void {
    this.#stop();
    this.#at = (event.target as HTMLInputElement).valueAsNumber;
    this.draw();
  }

  #choose(token: number): void {
    this.#token = token;
    this.draw();
  }

  protected override template(): Content {
    const { frames, source, target } = this.#film;
    const frame = frames[this.#at] as FilmFrame;
    const keys = source.length;
    const row = weightsOf(frame.attention, keys).subarray(this.#token * keys, (this.#token + 1) * keys);
    return html`
      <p class="film-line" lang="en">
        ${source.map((token, i) => this.#source(token, row[i] ?? 0))}
      </p>
      <p class="film-line" role="group" aria-label="Predicted tokens" lang="es">
        ${target.map((token, i) => this.#guess(frame, token, i))}
      </p>
      <ol class="film-next" aria-label="Most probable tokens" lang="es">
        ${(frame.next[this.#token] ?? []).map((entry) => bar(entry, target[this.#token]))}
      </ol>
      <div class="row probe-steps">
        <button type="button" class="quiet" @click=${this.#toggle}>${this.#timer ? say`Stop` : say`Play`}</button>
        <input
          type="range"
          id="film-step"
          aria-label="Step of the recorded training"
          aria-valuetext="step ${frame.step}"
          min="0"
          max=${frames.length - 1}
          step="1"
          .value=${live(String(this.#at))}
          @input=${this.#move}
        />
        <output class="number" for="film-step">step ${formatInteger(frame.step)}</output>
      </div>`;
  }

  /** A token of the source, with the attention that it gets as the colour under it. */
  #source(token: string, weight: number): Content {
    // As a property: the page's content security policy forbids style attributes.
    const share = `--weight: ${Math.round(100 * weight)}%`;
    return html`<span class="film-source" .style=${share}>${token}</span>`;
  }

  /** The token that the model would write at a place of the target. */
  #guess(frame: FilmFrame, right: string, index: number): Content {
    const [token = '', probability = 0] = frame.next[index]?.[0] ?? [];
    const isRight = token === right;
    return html`<button
      type="button"
      class=${isRight ? 'film-guess right' : 'film-guess'}
      aria-pressed=${index === this.#token}
      aria-label="${token}, ${formatPercent(probability)}, ${isRight ? say`right` : say`wrong: ${right} is right`}"
      @click=${() => this.#choose(index)}
    >${token}</button>`;
  }
}

function bar([token, probability]: readonly [string, number], right: string | undefined): Content {
  return html`<li class=${token === right ? 'right' : ''}>
    <span>${token}</span>
    <meter min="0" max="1" value=${probability} aria-hidden="true"></meter>
    <span class="number">${formatPercent(probability)}</span>
  </li>`;
}

/** Loads the film into its place on the page; the place stays empty if the file cannot be loaded. */
export async function showFilm(place: HTMLElement): Promise<void> {
  const response = await fetch(new URL('../../models/en-es-film.json', import.meta.url)).catch(
    () => undefined,
  );
  if (response?.ok) place.append(new LearningFilm(await response.json()).element);
}

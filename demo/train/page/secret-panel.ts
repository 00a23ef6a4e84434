// "Teach it your secret language": five pairs, some seconds of LoRA on the model of the page, and a link with which a
// friend guesses the rule.

import { live } from 'lit-html/directives/live.js';
import type { Pair } from '../../../src/entries/heddle.ts';
import { copyAddress } from '../../common/copy-address.ts';
import { formatDuration } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { generalModel } from './demo-models.ts';
import { isSameAnswer, maxSide, secretHash, secretOf, secretPairs } from './secret-link.ts';
import './secret.css';
import type { Session } from './training-session.ts';

/** A secret language to begin with: Spanish as a cat speaks it. */
const example: readonly Pair[] = [
  { source: 'I love you.', target: 'Te quiero, miau.' },
  { source: 'Good morning.', target: 'Buenos días, miau.' },
  { source: 'The cat is sleeping.', target: 'El gato está durmiendo, miau.' },
  { source: 'Where is the station?', target: '¿Dónde está la estación, miau?' },
  { source: 'I would like a coffee.', target: 'Me gustaría un café, miau.' },
];

/** A sentence that is not among the pairs. */
const newSentence = 'She works in a hospital.';

/** Pairs that a friend sees before guessing the others. */
const seen = 3;

/** The panel. */
export class SecretPanel extends Panel {
  readonly #session: Session;
  #pairs: readonly Pair[] = example;
  /** The pair that a friend guesses; undefined for the author, and after the last. */
  #guessing: number | undefined;
  #guess = '';
  #verdict: { readonly text: string; readonly isRight: boolean } | undefined;
  #question = newSentence;
  #answer = '';
  #isTaught = false;
  #isBusy = false;
  #share = 0;
  #note = '';

  constructor(session: Session) {
    super('secret stack');
    this.#session = session;
    this.draw();
  }

  /** Shows the secret language of a link, to guess it. */
  openLink(hash: string): void {
    const pairs = secretOf(hash);
    this.#guessing = pairs ? seen : undefined;
    if (pairs) this.#pairs = pairs;
    else this.#note = say`The link is damaged or cut off. Here is another secret language.`;
    this.draw();
  }

  #edit(index: number, side: keyof Pair, event: Event): void {
    const { value } = event.target as HTMLInputElement;
    this.#pairs = this.#pairs.map((pair, i) => (i === index ? { ...pair, [side]: value } : pair));
    this.#isTaught = false;
    this.draw();
  }

  async #teach(event: Event): Promise<void> {
    event.preventDefault();
    if (this.#isBusy || this.#isTraining()) return;
    this.#isBusy = true;
    this.#share = 0;
    this.#note = say`Learning…`;
    this.draw();
    const begin = performance.now();
    try {
      await this.#session.teachSecret(generalModel.url, this.#pairs, (share) => {
        this.#share = share;
        this.drawSoon();
      });
      this.#isTaught = true;
      await this.#ask();
      this.#note = say`Learned from ${secretPairs} pairs in ${formatDuration((performance.now() - begin) / 1000)}. Ask it something else.`;
    } catch (error) {
      this.#note = (error as Error).message;
    }
    this.#isBusy = false;
    this.draw();
  }

  #isTraining(): boolean {
    return document.querySelector<HTMLFieldSetElement>('#setup')?.disabled ?? false;
  }

  async #ask(): Promise<void> {
    const question = this.#question;
    const { text } = await this.#session.translate(question, { method: 'greedy' });
    if (question === this.#question) this.#answer = text;
    this.draw();
  }

  #setQuestion(event: Event): void {
    this.#question = (event.target as HTMLInputElement).value;
    this.#answer = '';
    this.draw();
    if (this.#isTaught && this.#question.trim() !== '')
      void this.#ask().catch((error: Error) => {
        this.#note = error.message;
        this.draw();
      });
  }

  async #copyLink(): Promise<void> {
    history.replaceState(null, '', secretHash(this.#pairs));
    this.#note = (await copyAddress())
      ? say`The link was copied. Whoever opens it sees three pairs, and guesses the others.`
      : say`The address of this page is the link. Whoever opens it sees three pairs, and guesses the others.`;
    this.draw();
  }

  #check(event: Event): void {
    event.preventDefault();
    const pair = this.#pairs[this.#guessing ?? -1];
    if (!pair || this.#guess.trim() === '') return;
    const isRight = isSameAnswer(this.#guess, pair.target);
    this.#verdict = {
      isRight,
      text: isRight ? say`Right: ${pair.target}` : say`No: ${pair.target}`,
    };
    this.draw();
  }

  #next(): void {
    const next = (this.#guessing ?? 0) + 1;
    this.#guessing = next < this.#pairs.length ? next : undefined;
    this.#guess = '';
    this.#verdict = undefined;
    this.draw();
  }

  protected override template(): Content {
    return html`
      <h2>${this.#guessing === undefined ? say`Teach it your secret language` : say`Guess the secret language`}</h2>
      ${this.#guessing === undefined ? this.#author() : this.#friend(this.#guessing)}
      <p class="hint" role="status" id="secret-note">${this.#note}</p>`;
  }

  #friend(index: number): Content {
    const { source = '' } = this.#pairs[index] ?? {};
    return html`
      <ul class="secret-known">
        ${this.#pairs
          .slice(0, index)
          .map(
            (pair) =>
              html`<li><bdi>${pair.source}</bdi> <span aria-hidden="true">→</span> <b><bdi>${pair.target}</bdi></b></li>`,
          )}
      </ul>
      <form class="stack" @submit=${this.#check}>
        <label for="secret-guess">How does it say <b><bdi>${source}</bdi></b></label>
        <div class="row secret-row">
          <input
            type="text"
            id="secret-guess"
            autocomplete="off"
            .value=${live(this.#guess)}
            @input=${(event: Event) => {
              this.#guess = (event.target as HTMLInputElement).value;
            }}
          />
          <button type="submit" class="main" ?hidden=${this.#verdict !== undefined}>Check</button>
          <button type="button" id="secret-next" ?hidden=${!this.#verdict} @click=${this.#next}>Go on</button>
        </div>
        <p class=${this.#verdict?.isRight ? 'good-text' : 'wrong'} role="status" id="secret-verdict">${this.#verdict?.text ?? ''}</p>
      </form>`;
  }

  #author(): Content {
    const field = (pair: Pair, i: number, side: keyof Pair) => html`<input
      type="text"
      required
      maxlength=${maxSide}
      autocomplete="off"
      aria-label=${side === 'source' ? say`English ${i + 1}` : say`In your language ${i + 1}`}
      .value=${live(pair[side])}
      @input=${(event: Event) => this.#edit(i, side, event)}
    />`;
    return html`
      <p class="hint">Write five sentences in a language of your own, best with one rule. The model of the page learns them as a LoRA adapter in about ten seconds on a GPU, and carries the rule over.</p>
      <form class="stack" @submit=${this.#teach}>
        ${this.#pairs.map(
          (pair, i) =>
            html`<div class="secret-pair">${field(pair, i, 'source')}<span aria-hidden="true">→</span>${field(pair, i, 'target')}</div>`,
        )}
        <div class="row">
          <button type="submit" class="main" id="secret-teach" ?disabled=${this.#isBusy}>Teach it</button>
          <button type="button" id="secret-link" @click=${this.#copyLink}>Copy a link: a friend guesses the rule</button>
          <progress max="1" value=${this.#share} aria-label="Learning" ?hidden=${!this.#isBusy}></progress>
        </div>
      </form>
      ${this.#isTaught ? this.#result() : nothing}`;
  }

  #result(): Content {
    return html`
      <div class="stack secret-result">
        <label for="secret-question">A sentence that it has not seen</label>
        <input type="text" id="secret-question" autocomplete="off" .value=${live(this.#question)} @input=${this.#setQuestion} />
        <output class="stage-answer" id="secret-answer" for="secret-question" dir="auto">${this.#answer}</output>
      </div>`;
  }
}

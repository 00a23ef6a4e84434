// Chapter on how a vocabulary is made: merges of byte pair encoding on a small text, one by one.

import { live } from 'lit-html/directives/live.js';
import type { Inspection } from '../../src/entries/reports.ts';
import { field } from '../common/form-fields.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html } from '../common/panel.ts';
import { hint } from '../common/tables.ts';
import { type Merge, mergesOf, piecesOf } from '../toys/merges.ts';
import { type Chapter, type ChapterHost, Figure } from './chapter.ts';

/** The text whose pairs are counted. */
const corpus =
  'the cat sat on the mat. the cat and the dog chased the other cats. the dogs chased that cat. she is reading and he is writing. they are sleeping. the singer is singing a song in the morning. this is the thing that they think.';
const most = 40;

/** The merges, and how the text of the visitor is split so far. */
class VocabularyFigure extends Figure {
  #text = 'The dogs are singing in the morning';
  readonly #merges: readonly Merge[] = mergesOf(corpus, most);

  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.draw();
  }

  get #count(): number {
    return Math.min(this.#merges.length, this.host.kept.get('merges', 0));
  }

  #set(count: number): void {
    this.host.kept.set('merges', Math.min(this.#merges.length, Math.max(0, count)));
    this.draw();
  }

  protected override controls(): Content {
    const type = (event: Event) => {
      this.#text = (event.target as HTMLInputElement).value;
      this.draw();
    };
    return html`
      ${field(
        'merge-text',
        say`Type something`,
        html`<input id="merge-text" type="text" autocomplete="off" spellcheck="false" dir="auto" .value=${live(this.#text)} @input=${type} />`,
      )}
      <button type="button" class="main" id="merge-next" ?disabled=${this.#count >= this.#merges.length} @click=${() => this.#set(this.#count + 1)}>
        Merge the next pair
      </button>
      <button type="button" @click=${() => this.#set(this.#merges.length)}>All ${this.#merges.length}</button>
      <button type="button" ?disabled=${this.#count === 0} @click=${() => this.#set(0)}>Start again</button>`;
  }

  protected override picture(): Content {
    const done = this.#merges.slice(0, this.#count);
    const pieces = piecesOf(this.#text, done);
    const [last, next] = [done.at(-1), this.#merges[this.#count]];
    return html`
      <ol class="tokens" id="merge-pieces">
        ${pieces.map((piece) => html`<li data-new=${last && piece === last.left + last.right ? '' : 'no'}><b dir="auto">${piece}</b></li>`)}
      </ol>
      <p>${say`${pieces.length} pieces after ${done.length} merges.`}
        ${next ? say`The most frequent pair now: “${next.left}” and “${next.right}”, ${next.count} times.` : say`No pair is left that occurs twice.`}</p>
      ${hint(html`The text that is counted: <span lang="en">${corpus}</span>`)}`;
  }
}

export const vocabulary: Chapter = {
  id: 'vocabulary',
  title: say`How a vocabulary is made`,
  question: say`Which pair of letters would you join first to make English shorter? Press the button and see, then type a word that is not in the text.`,
  text: [
    say`A vocabulary of whole words lacks most names and endings; one of letters makes long rows. Byte pair encoding begins with letters, counts which two neighbours are most frequent, and makes one piece of them; then again, some thousands of times. Frequent words become one piece, rare ones stay in several, and nothing is unknown.`,
    say`The general models of this page were made in this way or by its cousin, unigram, which begins with many pieces and drops those that help least.`,
  ],
  figure: (inspection, host) => new VocabularyFigure(inspection, host),
};

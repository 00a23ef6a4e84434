// Chapter on why there is attention: a word that depends on another one far away.

import type { Inspection } from '../../src/entries/reports.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { generalModel } from '../train/page/demo-models.ts';
import { type Chapter, type ChapterHost, Figure } from './chapter.ts';
import { valuesOf } from './tensor-views.ts';

/** “is” belongs to the cat, not to the dogs beside it. */
const farSentence = 'The cat that chased the dogs is tired.';

const words = farSentence.replace('.', '').split(' ');
/** Words on which “is” might depend. */
const guesses = ['cat', 'dogs', 'tired'];

/** A guess, then where the heads of the encoder look. */
class WhyFigure extends Figure {
  #guess = '';

  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.draw();
  }

  protected override controls(): Content {
    const guess = (word: string) => () => {
      this.#guess = word;
      this.draw();
    };
    return html`
      <p class="far-sentence" role="group" aria-label="Your guess" lang="en">
        ${words.map((word) =>
          guesses.includes(word)
            ? html`<button type="button" aria-pressed=${this.#guess === word ? 'true' : 'false'} @click=${guess(word)}>${word}</button>`
            : html`<span data-asked=${word === 'is' ? '' : nothing}>${word}</span>`,
        )}
      </p>`;
  }

  protected override picture(): Content {
    if (!this.#guess) return nothing;
    const said =
      this.#guess === 'cat'
        ? say`Right: the cat is tired, so Spanish says “está cansado”. The plural beside it must not count.`
        : this.#guess === 'dogs'
          ? say`The nearest noun, but the dogs are not tired. It is the cat, four words before.`
          : say`It says what, not who. The verb is singular because of the cat, four words before.`;
    return html`<p role="status">${said}</p>${this.#heads()}`;
  }

  /** Where the heads of the encoder look from “is”; a button that loads the sentence if another one is shown. */
  #heads(): Content {
    const { source, attention } = this.inspection;
    const from = source.findIndex(({ label }) => label.trim() === 'is');
    const cat = source.findIndex(({ label }) => label.trim() === 'cat');
    if (from < 0 || cat < 0)
      return html`<button type="button" class="main" id="far-load" @click=${() => this.host.attempt(this.host.use(generalModel, farSentence))}>
        See where a real model looks from “is”
      </button>`;
    const maps = attention.filter(({ kind }) => kind === 'encoder');
    const rows = source.map((token, key) => {
      let best = { weight: 0, name: '' };
      for (const { layer, heads, queries, keys, weights } of maps)
        for (let head = 0; head < heads; head++) {
          const weight = weights[(head * queries + from) * keys + key] ?? 0;
          if (weight > best.weight) best = { weight, name: say`Encoder ${`${layer + 1}.${head + 1}`}` };
        }
      return [html`<bdi>${token.label}</bdi>`, formatPercent(best.weight), best.name] as const;
    });
    return html`
      ${valuesOf([say`From “is” to`, say`Strongest weight`, say`Head`], rows)}
      <p>${say`The model translates: ${this.inspection.targetText}`}</p>`;
  }
}

export const why: Chapter = {
  id: 'why',
  title: say`Why attention?`,
  question: say`Who is tired? Click the word on which “is” depends: a translator must know whether it is one or many.`,
  text: [
    say`Words depend on words far away. A network that reads one word after the other must carry the cat past the dogs in its memory, and each step blurs it. Attention lets each word look at every other one directly, near or far, and learns where it pays to look.`,
    say`The table shows for each word the head that looks at it most from “is”. A small model does not always look at the right one: see whether it says “está” or “están”.`,
  ],
  figure: (inspection, host) => new WhyFigure(inspection, host),
};

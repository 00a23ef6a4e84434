// Chapter on measures: held-out pairs, BLEU and chrF of the shown translation against a reference, and MFU.

import { corpusBleu, corpusChrf, wordDifferences } from '../../src/entries/metrics.ts';
import type { Inspection } from '../../src/entries/reports.ts';
import { field } from '../common/form-fields.ts';
import { fixed } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { factList } from '../common/tables.ts';
import type { Chapter } from './chapter.ts';

/** Scores of a translation that the visitor can write against a reference. */
class MeasuringFigure extends Panel {
  readonly #reference: string;
  #translation: string;

  constructor({ targetText }: Inspection) {
    super();
    this.#reference = targetText;
    this.#translation = targetText;
    this.draw();
  }

  #edit(event: Event): void {
    this.#translation = (event.target as HTMLInputElement).value;
    this.draw();
  }

  protected override template(): Content {
    const [translation, reference] = [this.#translation, this.#reference];
    const input = html`<input
      id="measured"
      type="text"
      autocomplete="off"
      spellcheck="false"
      dir="auto"
      value=${reference}
      @input=${this.#edit}
    />`;
    const parts = wordDifferences(translation, reference).a;
    const marked = parts.map(({ text, same }) => (same ? text : html`<ins>${text}</ins>`));
    const score = (x: number, id: string) => html`<span class="number" id=${id}>${fixed(x, 1)}</span>`;
    return html`
      ${field('measured', say`Translation: change a letter or a word`, input)}
      <div data-picture>
        ${factList([
          [say`Reference`, html`<bdi>${reference}</bdi>`],
          [say`Words that differ`, html`<bdi>${marked}</bdi>`],
          ['BLEU', score(corpusBleu([translation], [[reference]]).score, 'measured-bleu')],
          ['chrF2', score(corpusChrf([translation], [[reference]]).score, 'measured-chrf')],
          [say`Exact match`, translation === reference ? say`yes` : say`no`],
        ])}
      </div>`;
  }
}

export const measuring: Chapter = {
  id: 'measuring',
  title: say`Measuring: dev pairs, BLEU, chrF`,
  question: say`Is the best translation the one with the most words of the reference? Guess, then change a word and look at the scores.`,
  prediction: () => ({ options: [say`yes`, say`no`] }),
  text: [
    say`A model can learn its training pairs by heart. So some pairs are held out, the dev pairs: the model never trains on them, and its loss and translations of them show what it does with new sentences.`,
    say`BLEU counts how many runs of one to four words of the translations are in the references. A wrong ending makes a wrong word. chrF counts runs of one to six characters instead; chrF2 weights what is missing twice as much as what is too much. Both go from 0 to 100 and are meant for many sentences at once: of one short sentence BLEU is coarse.`,
    say`Speed has a measure too. MFU (model FLOPs utilization) is the arithmetic that the model needs for a step, divided by what the GPU could do in the time of the step.`,
  ],
  figure: (inspection) => new MeasuringFigure(inspection),
};

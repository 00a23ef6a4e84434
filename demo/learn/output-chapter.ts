// Chapter on the output layer: the last vector of the decoder, the logits, and the softmax over the
// vocabulary.

import type { Inspection } from '../../src/entries/reports.ts';
import { fixed, formatPercent, inDigits } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import type { Content } from '../common/panel.ts';
import { html } from '../common/panel.ts';
import { probability, signed } from '../common/tables.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { TokenFigure } from './attention-views.ts';
import type { Chapter, ChapterHost } from './chapter.ts';
import { dots, numberRow, rowOf, tensorOf, valuesOf } from './tensor-views.ts';

/** From the last vector at a place of the target to the probabilities of the next token. */
class OutputFigure extends TokenFigure {
  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.draw();
  }

  protected override controls(): Content {
    return this.picker(say`After the token`, this.inspection.target);
  }

  protected override picture(): Content {
    const { next } = this.inspection;
    const likely = next[this.token] ?? [];
    const [best] = likely;
    if (!best) return '';
    // The softmax divides by the sum of e^logit over the whole vocabulary: that of the best token and its
    // probability tell the sum.
    const sum = Math.exp(best.logit) / best.probability;
    const shown = likely.reduce((total, token) => total + token.probability, 0);
    const rows = likely.map(({ label, logit, probability: share }): readonly Content[] => [
      html`<bdi>${labelOf(label)}</bdi>`,
      signed(logit),
      inDigits(Math.exp(logit).toPrecision(4)),
      probability(share),
    ]);
    return html`
      ${this.#vector()}
      <div class="logits">${valuesOf([say`Token`, say`Logit`, 'e^logit', say`Probability`], rows)}</div>
      <p>
        The sum of e^logit over the vocabulary is ${inDigits(sum.toPrecision(4))}. All other tokens together have the
        probability ${probability(Math.max(0, 1 - shown))}.
      </p>`;
  }

  /** The last vector of the decoder at the chosen place. */
  #vector(): Content {
    const last = tensorOf(this.inspection, 'decoder.norm') ?? this.inspection.tensors.at(-1);
    if (!last) return '';
    const row = rowOf(last.data, last.shape[1] ?? 0, this.token);
    return numberRow(say`Last vector of the decoder: length ${fixed(Math.sqrt(dots(row, row)), 2)}`, row);
  }
}

export const output: Chapter = {
  id: 'output',
  title: say`From a vector to a word`,
  question: say`How sure is the model of its first word? Guess, then select a token.`,
  prediction: ({ next }) => {
    const share = next[0]?.[0]?.probability ?? 0;
    const shares = [0.3, 0.6, 0.99];
    const [nearest = 0] = [...shares].sort((a, b) => Math.abs(a - share) - Math.abs(b - share));
    return { options: shares.map((one) => formatPercent(one)), right: formatPercent(nearest) };
  },
  text: [
    say`After the last layer the decoder has one vector for each place of the target. The output table has a row for each token of the vocabulary. The logit of a token is the dot product of the vector and its row, plus a bias: it is large if they point the same way.`,
    say`The softmax makes probabilities of the logits: e to the power of each logit, divided by the sum over the whole vocabulary. A logit that is larger by 1 makes a token 2.7 times as probable; only differences count.`,
    say`Many models use the table of the target’s embeddings as the output table too (tied weights): then tokens with similar embeddings get similar logits, and the model is smaller.`,
  ],
  figure: (inspection, host) => new OutputFigure(inspection, host),
};

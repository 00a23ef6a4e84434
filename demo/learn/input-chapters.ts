// Chapters on the input of the model: tokens, embeddings and positions.

import type { Inspection } from '../../src/entries/reports.ts';
import { segmentedChoice } from '../common/form-fields.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel, svg } from '../common/panel.ts';
import { hint } from '../common/tables.ts';
import { type DemoModel, learnedPositionsModel, toyModels } from '../train/page/demo-models.ts';
import { TokenFigure } from './attention-views.ts';
import type { Chapter, ChapterHost } from './chapter.ts';
import { noTensor, numberRow, rowOf, spacedLabel, tensorOf } from './tensor-views.ts';

/** The tokens of the sentence and of its translation, with their ids. */
class TokensFigure extends Panel {
  readonly #inspection: Inspection;

  constructor(inspection: Inspection) {
    super();
    this.#inspection = inspection;
    this.draw();
  }

  protected override template(): Content {
    const { source, target } = this.#inspection;
    return html`
      ${tokenList(say`Source, read by the encoder`, source)}
      ${tokenList(say`Target, read by the decoder`, target)}`;
  }
}

const tokenList = (title: string, tokens: Inspection['source']): Content => html`
  <div>
    <h3>${title}</h3>
    <ol class="tokens">
      ${tokens.map((token) => html`<li>${spacedLabel(token)}<span class="hint number">${token.id}</span></li>`)}
    </ol>
  </div>`;

export const tokens: Chapter = {
  id: 'tokens',
  title: say`Tokens`,
  text: [
    say`A transformer for translation has two halves: the encoder reads the source, the decoder writes the target. Both read numbers, not letters. A tokenizer cuts the text into tokens, words or pieces of words, and looks up the id of each in its vocabulary. Punctuation and digits are tokens too.`,
    say`Two tokens have no text: [start] begins the target, and [end] ends the source and the target. A token that begins a word has a space before it, shown as ␣. Change the sentence above and press Compute: words that the vocabulary lacks become [UNK], and the model does not know which words they were.`,
  ],
  figure: (inspection) => new TokensFigure(inspection),
};

/** The models that the figure of the positions can load. */
const positionModels = { sines: toyModels[0] as DemoModel, learned: learnedPositionsModel };

/** The vector of a token: embedding, position and their sum. */
class EmbeddingFigure extends TokenFigure {
  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.draw();
  }

  protected override controls(): Content {
    return html`
      <div class="pick">
        <span class="label" aria-hidden="true">Positions</span>
        ${segmentedChoice<keyof typeof positionModels>({
          name: 'positions',
          legend: say`Positions`,
          options: [
            ['sines', say`Sines`],
            ['learned', say`Learned`],
          ],
          selected: this.inspection.learnedPositions ? 'learned' : 'sines',
          onChange: (kind) => void this.host.use(positionModels[kind]),
        })}
      </div>
      ${this.picker(say`Token`, this.inspection.source)} ${this.scaleSwitch()}`;
  }
  protected override picture(): Content {
    const embed = tensorOf(this.inspection, 'encoder.embed');
    if (!embed) return noTensor;
    const { positions } = this.inspection;
    const sum = rowOf(embed.data, embed.shape[1] ?? 0, this.token);
    if (!positions)
      return html`
        ${hint(say`This model adds no positions here: they are a bias on the scores.`)} ${numberRow(say`= sum`, sum)}`;
    const { learnedPositions = false, source } = this.inspection;
    const position = rowOf(positions, sum.length, this.token);
    const embedding = sum.map((x, i) => x - (position[i] ?? 0));
    const scale = this.sharedScale(embedding, position, sum);
    return html`
      ${numberRow(say`Embedding × √D`, embedding, { scale })}
      ${numberRow(learnedPositions ? say`+ learned position` : say`+ position`, position, { scale })}
      ${numberRow(say`= sum`, sum, { scale })}
      ${waves(positions, sum.length, source.length, this.token, learnedPositions)}
      ${hint(say`The first eight numbers of the position vectors, a curve for each, from the first token to the last.`)}`;
  }
}

export const embeddings: Chapter = {
  id: 'embeddings',
  title: say`Embeddings and positions`,
  text: [
    say`Each token id selects a row of a table: its embedding, a vector of D learned numbers, multiplied by √D. Tokens that are used in similar ways get similar vectors.`,
    say`A transformer reads all tokens at once, so a vector must also contain the position of its token: the positional encoding. The models of this page add sines and cosines of the position, with high to low frequencies: sin(p / 10000^(2i/D)) and the cosine of the same at dimensions 2i and 2i+1 of position p. BART instead learns a table with a row for each position: select Learned to load a model with such a table.`,
    say`The sum is what the first layer reads. Select another token: its position vector changes even if the word is the same.`,
  ],
  figure: (inspection, host) => new EmbeddingFigure(inspection, host),
};

/** The first eight columns of the position vectors as curves, and the selected position. */
function waves(
  positions: Float32Array,
  width: number,
  length: number,
  at: number,
  isLearned: boolean,
): Content {
  const columns = Array.from({ length: Math.min(8, width) }, (_, c) => c);
  const numberAt = (c: number, t: number) => positions[t * width + c] ?? 0;
  const drawn = columns.flatMap((c) => Array.from({ length }, (_, t) => Math.abs(numberAt(c, t))));
  const max = Math.max(1e-9, ...drawn);
  const y = (value: number) => (44 - (36 * value) / max).toFixed(1);
  const path = (c: number) =>
    Array.from({ length }, (_, t) => `${t === 0 ? 'M' : 'L'}${20 + t * 40} ${y(numberAt(c, t))}`).join('');
  return html`
    <svg
      class="waves"
      viewBox="0 0 ${20 + length * 40} 88"
      role="img"
      aria-label=${isLearned ? say`Learned positions` : say`Sines of the positions`}
    >
      <line class="wave-at" x1=${20 + at * 40} x2=${20 + at * 40} y1="4" y2="84"></line>
      ${columns.map((c) => svg`<path class="wave look${(c % 4) + 1}" d=${path(c)}></path>`)}
    </svg>`;
}

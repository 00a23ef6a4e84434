// Chapters on the input of the model: tokens, embeddings and positions.

import type { Inspection } from '../../src/entries/reports.ts';
import { segmentedChoice } from '../common/form-fields.ts';
import { fixed } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel, svg } from '../common/panel.ts';
import { hint, signed } from '../common/tables.ts';
import type { Neighbour } from '../toys/neighbours.ts';
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
  question: say`How many tokens of this sentence begin a word? Guess, then look. Write something rare in the sentence above and press Compute.`,
  prediction: ({ source }) => {
    const count = source.filter(({ spaced, label }) => spaced && label !== '[end]').length;
    return { options: [count - 1, count, count + 2].map(String), right: String(count) };
  },
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
  /** The nearest tokens of source tokens, by id. */
  readonly #near = new Map<number, readonly Neighbour[]>();

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
    return html`${this.#vectors()}${this.#neighbours()}`;
  }

  /** The tokens with the nearest embeddings; they are asked for when a token is shown first. */
  #neighbours(): Content {
    const { id = 0, label = '' } = this.inspection.source[this.token] ?? {};
    const found = this.#near.get(id);
    if (!found) {
      this.#near.set(id, []);
      this.host.attempt(
        this.host.session.neighbours(id, 6).then((near) => {
          this.#near.set(id, near);
          this.draw();
        }),
      );
    }
    const near = (found ?? []).map((one) => `${one.label.trim()} ${fixed(one.cosine, 2)}`).join(' · ');
    return html`
      <p id="neighbours">${say`Nearest embeddings of “${label.trim()}”, by the cosine of the angle:`} <bdi>${near}</bdi></p>`;
  }

  #vectors(): Content {
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
      ${hint(say`Four numbers of the position vectors, a curve for each, over the positions of the sentence. The dashed line is the selected token.`)}`;
  }
}

export const embeddings: Chapter = {
  id: 'embeddings',
  title: say`Embeddings and positions`,
  question: say`Is the same word at another place the same vector? Select tokens and compare the strips.`,
  text: [
    say`Each token id selects a row of a table: its embedding, a vector of D learned numbers, multiplied by √D. Tokens that are used in similar ways get similar vectors: look at the neighbours of a day in English → Spanish.`,
    say`A transformer reads all tokens at once, so a vector must also contain the position of its token: the positional encoding. The models of this page add sines and cosines of the position, with high to low frequencies: sin(p / 10000^(2i/D)) and the cosine of the same at dimensions 2i and 2i+1 of position p. BART instead learns a table with a row for each position: select Learned to load a model with such a table.`,
    say`The sum is what the first layer reads. Select another token: its position vector changes even if the word is the same.`,
  ],
  figure: (inspection, host) => new EmbeddingFigure(inspection, host),
};

/** Four columns of the position vectors as curves over the positions, with axes and a legend; the selected position. */
function waves(
  positions: Float32Array,
  width: number,
  length: number,
  at: number,
  isLearned: boolean,
): Content {
  const columns = [0, 2, 8, 16].filter((c) => c < width);
  const numberAt = (c: number, t: number) => positions[t * width + c] ?? 0;
  const drawn = columns.flatMap((c) => Array.from({ length }, (_, t) => Math.abs(numberAt(c, t))));
  const max = Math.max(1e-9, ...drawn);
  const x = (t: number) => 44 + t * 40;
  const y = (value: number) => Number((60 - (44 * value) / max).toFixed(1));
  // A smooth curve through the points (Catmull-Rom).
  const path = (c: number) =>
    Array.from({ length }, (_, t) => {
      if (t === 0) return `M${x(0)} ${y(numberAt(c, 0))}`;
      const [p0, p1, p2, p3] = [t - 2, t - 1, t, t + 1].map((i) =>
        numberAt(c, Math.min(length - 1, Math.max(0, i))),
      ) as [number, number, number, number];
      return `C${x(t - 1) + 13.3} ${y(p1 + (p2 - p0) / 6)} ${x(t) - 13.3} ${y(p2 - (p3 - p1) / 6)} ${x(t)} ${y(p2)}`;
    }).join('');
  const right = x(length - 1);
  return html`
    <svg
      class="waves"
      viewBox="0 0 ${right + 120} 132"
      role="img"
      aria-label=${isLearned ? say`Learned positions` : say`Sines of the positions`}
    >
      ${[max, 0, -max].map(
        (value) => svg`<line class="wave-axis" x1="44" x2=${right} y1=${y(value)} y2=${y(value)}></line>
          <text class="wave-text" x="38" y=${y(value) + 4} text-anchor="end">${signed(value, 1)}</text>`,
      )}
      ${Array.from(
        { length },
        (_, t) => svg`<text class="wave-text" x=${x(t)} y="124" text-anchor="middle">${t}</text>`,
      )}
      <text class="wave-text" x=${right + 14} y="124">${say`position p`}</text>
      <line class="wave-at" x1=${x(at)} x2=${x(at)} y1="10" y2="110"></line>
      ${columns.map(
        (c, i) => svg`
          <path class="wave look${i + 1}" d=${path(c)}></path>
          ${Array.from({ length }, (_, t) => svg`<circle class="wave-point look${i + 1}" cx=${x(t)} cy=${y(numberAt(c, t))} r="2.2"></circle>`)}
          <line class="wave look${i + 1}" x1=${right + 14} x2=${right + 34} y1=${24 + 22 * i} y2=${24 + 22 * i}></line>
          <text class="wave-text" x=${right + 40} y=${28 + 22 * i}>${say`number ${c + 1}`}</text>`,
      )}
    </svg>`;
}

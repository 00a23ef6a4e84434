// Chapters on the rest of a layer, and on the loss: residual connections, norm, feed-forward; teacher
// forcing.

import { present } from '../../src/core/present.ts';
import type { Inspection } from '../../src/entries/reports.ts';
import { field } from '../common/form-fields.ts';
import { fixed } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { probability } from '../common/tables.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { TokenFigure } from './attention-views.ts';
import type { Chapter, ChapterHost } from './chapter.ts';
import { dots, numberRow, rowOf, tensorOf, valuesOf } from './tensor-views.ts';

/** The vector of a token after each part of a layer. */
class ResidualFigure extends TokenFigure {
  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.draw();
  }

  get #layers(): number {
    return this.inspection.attention.filter(({ kind }) => kind === 'encoder').length;
  }

  get #layer(): number {
    return this.host.kept.get('residual layer', 0, this.#layers);
  }

  protected override controls(): Content {
    return html`
      ${this.numberList(say`Encoder layer`, 'residual layer', this.#layers, this.#layer)}
      ${this.picker(say`Token`, this.inspection.source)} ${this.scaleSwitch()}`;
  }

  protected override picture(): Content {
    const { tensors } = this.inspection;
    const prefix = `encoder.layers.${this.#layer}.`;
    const previous = `encoder.layers.${this.#layer - 1}.`;
    const before =
      tensors.findLast(({ name }) => name.startsWith(previous)) ?? tensorOf(this.inspection, 'encoder.embed');
    const inLayer = tensors.filter(({ name }) => name.startsWith(prefix));
    const rows = present([before ? before : undefined, ...inLayer]).map((tensor) => ({
      stage: tensor === before ? 'x' : stageName(tensor.name.slice(prefix.length)),
      row: rowOf(tensor.data, tensor.shape[1] ?? 0, this.token),
    }));
    const scale = this.sharedScale(...rows.map(({ row }) => row));
    return rows.map(({ stage, row }) =>
      numberRow(say`${stage}: length ${fixed(Math.sqrt(dots(row, row)), 2)}`, row, { scale }),
    );
  }
}

export const residual: Chapter = {
  id: 'residual',
  title: say`Residual, norm, feed-forward`,
  question: say`Which part of the first layer moves the first vector most: attention or the feed-forward network? Guess, then compare the lengths.`,
  prediction: ({ tensors }) => {
    const length = (pattern: RegExp) => {
      const found = tensors.findLast(({ name }) => pattern.test(name));
      const row = found && rowOf(found.data, found.shape[1] ?? 0, 0);
      return row ? dots(row, row) : 0;
    };
    const [attention, network] = [say`Attention`, say`Feed-forward`];
    const isAttention =
      length(/^encoder\.layers\.0\.self_attn\.linear./) > length(/^encoder\.layers\.0\.linear2/);
    return { options: [attention, network], right: isAttention ? attention : network };
  },
  text: [
    say`A layer does not replace a token’s vector, it adds to it: x + f(x), the residual connection. So a part of the gradient reaches the first layer as it is. The change may be large: compare the lengths below.`,
    say`Layer norm keeps the numbers in range: it subtracts the mean of a vector, divides by its standard deviation, and then multiplies each number by a learned gain and adds a learned bias. So the length of the result is learned too. Norms may come before each part (pre-norm, as here) or after the sum (post-norm, as in the first transformer). The feed-forward network then works on each token separately: it widens the vector, sets negative numbers to zero (ReLU), and narrows it again.`,
    say`Select a token and a layer: see how far each part moves the vector x that the layer reads.`,
  ],
  figure: (inspection, host) => new ResidualFigure(inspection, host),
};

/** Name of a tensor in a layer for readers. */
function stageName(name: string): string {
  const stages: readonly (readonly [RegExp, string])[] = [
    [/^norm\d?\.layer_norm/, say`Layer norm`],
    [/^self_attn\.linear$/, say`Queries, keys and values`],
    [/^self_attn\.self_attention/, say`Weighted values of the heads`],
    [/^self_attn\.linear/, say`Output of the attention`],
    [/^linear1\.activation|^linear1\.relu/, say`Feed-forward, after the activation`],
    [/^linear1/, say`Feed-forward, widened`],
    [/^linear2/, say`Feed-forward, narrowed`],
    [/^add/, 'x + f(x)'],
  ];
  return stages.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}

/** The loss at each position of a target that the visitor can write. */
class LossFigure extends Panel {
  readonly #host: ChapterHost;
  readonly #first: Inspection;
  #shown: Inspection;
  #error = '';

  constructor(inspection: Inspection, host: ChapterHost) {
    super();
    this.#host = host;
    this.#first = this.#shown = inspection;
    this.draw();
  }

  async #compute(event: Event): Promise<void> {
    event.preventDefault();
    const target = this.find('#loss-target').value;
    try {
      this.#shown = await this.#host.session.inspect(this.#host.text(), { target });
      this.#error = '';
    } catch (error) {
      this.#error = (error as Error).message;
    }
    this.draw();
  }

  protected override template(): Content {
    const target = html`<input
      id="loss-target"
      type="text"
      autocomplete="off"
      spellcheck="false"
      dir="auto"
      value=${this.#first.targetText}
    />`;
    return html`
      <form class="sentence" @submit=${this.#compute}>
        ${field('loss-target', say`Target`, target)}
        <button type="submit">Compute</button>
      </form>
      <div class="stack" data-picture>${this.#error || this.#losses()}</div>`;
  }

  #losses(): Content {
    const { target, next, loss } = this.#shown;
    const rows = target.map(({ label }, t): readonly Content[] => {
      const [likely] = next[t] ?? [];
      return [
        named(label),
        named(target[t + 1]?.label ?? '[end]'),
        probability(Math.exp(-(loss[t] ?? 0))),
        fixed(loss[t] ?? 0, 3),
        html`<span>${named(likely?.label ?? '')}${` ${probability(likely?.probability ?? 0)}`}</span>`,
      ];
    });
    const mean = loss.reduce((a, b) => a + b, 0) / loss.length;
    return html`
      <div class="losses">
        ${valuesOf([say`After`, say`Correct token`, say`Probability`, say`Loss`, say`Most likely`], rows)}
      </div>
      <p>Mean loss ${fixed(mean, 3)} over ${loss.length} positions.</p>`;
  }
}

/** A token in a cell: its direction does not move the numbers beside it. */
const named = (label: string): Content => html`<bdi>${labelOf(label)}</bdi>`;

export const loss: Chapter = {
  id: 'loss',
  title: say`Teacher forcing and the loss`,
  question: say`Which word of the target surprises the model most? Guess, then write a wrong word and press Compute.`,
  prediction: ({ target, loss }) => {
    const options = loss.map((_, t) => labelOf(target[t + 1]?.label ?? '[end]'));
    return { options, right: options[loss.indexOf(Math.max(...loss))] };
  },
  text: [
    say`While the model learns, the decoder reads the correct target, not its own output. This is called teacher forcing. So all positions are predicted at once, each from the tokens before it.`,
    say`The loss of a position is the negative logarithm of the probability of the correct next token: 0 if the probability is 1, 0.69 if it is one half, and large if it is small. Training lowers the mean over all positions.`,
    say`Label smoothing asks for a little less than probability 1, so that the model does not become too sure. Write another target below and press Compute: a wrong word has a large loss, and changes what the model expects after it.`,
  ],
  figure: (inspection, host) => new LossFigure(inspection, host),
};

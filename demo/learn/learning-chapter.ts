// Chapter on learning: updates of the model on the shown pair, one at a time, with what each does to one weight.

import { live } from 'lit-html/directives/live.js';
import type { TrainSettings } from '../../src/entries/heddle.ts';
import type { Inspection } from '../../src/entries/reports.ts';
import { BusyPanel } from '../common/busy-panel.ts';
import { field, markValid, options } from '../common/form-fields.ts';
import { inDigits } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { dataTable, factList, hint } from '../common/tables.ts';
import type { HandUpdate, PairState, WeightPlace } from '../toys/hand-training.ts';
import { labelOf } from '../train/page/heat-map.ts';
import type { HandStart } from '../train/protocol.ts';
import type { Chapter, ChapterHost, KeptValues } from './chapter.ts';

/** Learning rates of the slider: powers of ten in thirds. */
const rates = Array.from({ length: 13 }, (_, i) => Number((10 ** (-5 + i / 3)).toPrecision(1)));
const defaultRate = rates.indexOf(0.0005);

/** A number with six digits, or few if it is short. */
const digits = (x: number): string => inDigits(String(Number(x.toPrecision(6)))).replaceAll('-', '−');

/** The settings of the updates that the chapter does, at the rate and warm-up that are chosen. */
export const settingsByHand = (kept: KeptValues): TrainSettings => ({
  optimizer: 'adamw',
  schedule: 'constant',
  clipNorm: 0,
  labelSmoothing: 0,
  learningRate: rates[rateIndex(kept)],
  warmupSteps: kept.get('warm-up', 0),
});
const rateIndex = (kept: KeptValues): number => kept.get('learning rate', defaultRate, rates.length);

/** The name of a matrix for readers: “Encoder 1, self-attention, queries, keys, values”. */
function matrixName(name: string): string {
  const [, stack = '', layer = '0', rest = ''] =
    /^transformer\.(encoder|decoder)\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  if (!rest) {
    if (name.startsWith('src_embed')) return say`Embeddings of the source`;
    if (name.startsWith('tgt_embed')) return say`Embeddings of the target`;
    return name.startsWith('generator') ? say`Output layer` : name;
  }
  const kinds: readonly (readonly [RegExp, string])[] = [
    [/^self_attn\.in_proj/, say`self-attention: queries, keys, values`],
    [/^self_attn\.out_proj/, say`self-attention: output`],
    [/^multihead_attn\.q_proj/, say`cross-attention: queries`],
    [/^multihead_attn\.kv_proj/, say`cross-attention: keys, values`],
    [/^multihead_attn\.out_proj/, say`cross-attention: output`],
    [/^linear1/, say`feed-forward, widening`],
    [/^linear2/, say`feed-forward, narrowing`],
  ];
  const kind = kinds.find(([pattern]) => pattern.test(rest))?.[1] ?? rest;
  return stack === 'encoder'
    ? say`Encoder ${Number(layer) + 1}, ${kind}`
    : say`Decoder ${Number(layer) + 1}, ${kind}`;
}

/** A training of the shown pair by hand. */
class LearningFigure extends BusyPanel {
  readonly #host: ChapterHost;
  readonly #inspection: Inspection;
  /** What the model is trained to say: at first a wrong translation, to which it will come round. */
  #target: string;
  #start: HandStart | undefined;
  #place: WeightPlace = { name: '', row: 0, column: 0 };
  #updates: readonly HandUpdate[] = [];

  constructor(inspection: Inspection, host: ChapterHost) {
    super();
    this.#host = host;
    this.#inspection = inspection;
    this.#target = inspection.targetText;
    this.draw();
    void this.#work(async () => {
      this.#target = await this.#otherTarget();
      await this.#restart();
    });
  }

  /** The translation with the second choice where the model hesitates most; the translation itself if there is none. */
  async #otherTarget(): Promise<string> {
    const { target, next, targetText } = this.#inspection;
    const ids = target.slice(1).map(({ id }) => id);
    const sure = next.slice(0, ids.length).map(([best]) => best?.probability ?? 1);
    const at = sure.indexOf(Math.min(...sure));
    const second = next[at]?.[1];
    if (!second) return targetText;
    const changed = ids.map((id, i) => (i === at ? second.id : id));
    return (await this.#host.session.inspect(this.#host.text(), { target: changed, likely: 1 })).targetText;
  }

  get #rate(): number {
    return rateIndex(this.#host.kept);
  }

  get #warmup(): number {
    return this.#host.kept.get('warm-up', 0);
  }

  get #now(): PairState | undefined {
    return this.#updates.at(-1)?.after ?? this.#start?.now;
  }

  /** Runs work in the worker with the buttons disabled, and shows its error. */
  async #work(work: () => Promise<void>): Promise<void> {
    if (!this.isBusy) await this.run(work);
  }

  async #restart(): Promise<void> {
    this.#start = await this.#host.session.startByHand({ source: this.#host.text(), target: this.#target });
    this.#updates = [];
    const matrices = this.#start.matrices;
    const known = matrices.find(({ name }) => name === this.#place.name);
    const wanted =
      known ?? matrices.find(({ name }) => name.endsWith('self_attn.in_proj_weight')) ?? matrices[0];
    if (!known && wanted) this.#place = { name: wanted.name, row: 0, column: 0 };
  }

  async #update(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const update = await this.#host.session.updateByHand(
        this.#place,
        rates[this.#rate] as number,
        this.#warmup,
      );
      this.#updates = [...this.#updates, update];
      this.draw();
    }
  }

  protected override template(): Content {
    const button = (text: string, work: () => Promise<void>) =>
      html`<button type="button" ?disabled=${this.isBusy || !this.#start} @click=${() => void this.#work(work)}>${text}</button>`;
    return html`
      ${this.#targetField()}
      <div class="row">
        ${button(say`Step`, () => this.#update(1))}
        ${button(say`Ten steps`, () => this.#update(10))}
        ${button(say`Start again`, () => this.#restart())}
      </div>
      <div class="row controls">${this.#rateFields()}</div>
      <div class="row controls">${this.#weightFields()}</div>
      <p role="status">${this.error || (this.isBusy ? say`Computing …` : '')}</p>
      <div class="stack" data-picture>${this.#now ? this.#picture(this.#now) : nothing}</div>`;
  }

  #targetField(): Content {
    const change = (event: Event) => {
      this.#target = (event.target as HTMLInputElement).value;
      void this.#work(() => this.#restart());
    };
    const input = html`<input
      id="hand-target"
      type="text"
      autocomplete="off"
      spellcheck="false"
      dir="auto"
      .value=${live(this.#target)}
      @change=${change}
    />`;
    const isOther = this.#target !== this.#inspection.targetText;
    return html`
      ${field('hand-target', say`Teach it to say`, input)}
      ${isOther ? hint(say`It would say: ${this.#inspection.targetText}`) : nothing}`;
  }

  #weightFields(): Content {
    const matrices = this.#start?.matrices ?? [];
    const [rows = 1, columns = 1] = matrices.find(({ name }) => name === this.#place.name)?.shape ?? [];
    const names = matrices.map(
      ({ name, shape }) => [name, `${matrixName(name)} [${shape.join(', ')}]`] as const,
    );
    const select = (event: Event) => {
      this.#place = { name: (event.target as HTMLSelectElement).value, row: 0, column: 0 };
      this.draw();
    };
    const number = (id: string, label: string, key: 'row' | 'column', count: number) =>
      field(
        id,
        label,
        html`<input
          id=${id}
          type="number"
          inputmode="numeric"
          required
          min="1"
          max=${count}
          .value=${live(String(this.#place[key] + 1))}
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement;
            if (markValid(input)) this.#place = { ...this.#place, [key]: input.valueAsNumber - 1 };
          }}
        />`,
      );
    return html`
      ${field('hand-matrix', say`Weight in`, html`<select id="hand-matrix" @change=${select}>${options(names, this.#place.name)}</select>`)}
      ${number('hand-row', say`Row`, 'row', rows)} ${number('hand-column', say`Column`, 'column', columns)}`;
  }

  #rateFields(): Content {
    const keep = (name: string) => (event: Event) => {
      const input = event.target as HTMLInputElement;
      if (!markValid(input)) return;
      this.#host.kept.set(name, input.valueAsNumber);
      this.draw();
    };
    const rate = html`<input
      id="hand-rate"
      type="range"
      min="0"
      max=${rates.length - 1}
      step="1"
      aria-valuetext=${digits(rates[this.#rate] as number)}
      .value=${live(String(this.#rate))}
      @input=${keep('learning rate')}
    />`;
    const warmup = html`<input
      id="hand-warmup"
      type="number"
      inputmode="numeric"
      required
      min="0"
      max="100"
      .value=${live(String(this.#warmup))}
      @change=${keep('warm-up')}
    />`;
    const label = html`Learning rate: <span class="number" aria-hidden="true">${digits(rates[this.#rate] as number)}</span>`;
    return html`${field('hand-rate', label, rate)} ${field('hand-warmup', say`Warm-up steps`, warmup)}`;
  }

  #picture(now: PairState): Content {
    const last = this.#updates.at(-1);
    return html`
      <p>
        ${this.#updates.length > 0 && now.hits === now.tokens ? html`<b class="good-text">It has come round. </b>` : nothing}
        ${say`Says after each token of the target: `}
        <span class="guesses" dir="auto">${now.likeliest.map((label) => html`<bdi>${labelOf(label)}</bdi> `)}</span>
        ${say`· ${now.hits} of ${now.tokens} tokens right, loss `}<b class="number" id="hand-loss">${digits(now.loss)}</b>
      </p>
      ${last ? html`${rises(last) ? hint(say`The loss rose: at this rate the step goes too far. Start again with a smaller one.`) : nothing}${arithmetic(last)}` : nothing}
      ${this.#updates.length > 0 ? this.#history() : nothing}`;
  }

  #history(): Content {
    const rows = this.#updates
      .slice(-20)
      .map(({ step, learningRate, before, after }) => [
        String(step),
        digits(learningRate),
        digits(before.loss),
        digits(after.loss),
        say`${after.hits} of ${after.tokens}`,
      ]);
    return dataTable(
      say`Updates`,
      [say`Step`, say`Rate`, say`Loss before`, say`Loss after`, say`Tokens right`],
      rows,
    );
  }
}

const rises = ({ before, after }: HandUpdate): boolean => !(after.loss <= before.loss);

/** An update in numbers. */
function arithmetic(update: HandUpdate): Content {
  const { step, gradient, difference, h, moments, optimizer, weight, learningRate } = update;
  const [m, v] = moments;
  const [mean, square] = [m / (1 - optimizer.beta1 ** step), v / (1 - optimizer.beta2 ** step)];
  return factList([
    [say`Loss before`, html`<span class="number">${digits(update.before.loss)}</span>`],
    [say`Gradient, backward pass`, html`<span class="number" id="hand-gradient">${digits(gradient)}</span>`],
    [
      say`Finite difference`,
      html`<span class="number" id="hand-difference">${digits(difference)}</span> = (L(w + h) − L(w − h)) / 2h, h = ${h}`,
    ],
    [
      'AdamW',
      html`<span class="number"
        >mean of the gradients m̂ = ${digits(mean)}, of their squares v̂ = ${digits(square)}; w −
        ${digits(learningRate)} · m̂ / (√v̂ + ${digits(optimizer.eps)})</span
      >`,
    ],
    [
      say`Weight`,
      html`<span class="number" id="hand-weight">${digits(weight[0])} → ${digits(weight[1])}</span>`,
    ],
    [say`Loss after`, html`<span class="number">${digits(update.after.loss)}</span>`],
  ]);
}

export const learning: Chapter = {
  id: 'learning',
  title: say`How it learns`,
  question: say`How many steps does it take until a wrong translation is right? Guess, then press Ten steps.`,
  prediction: () => ({ options: ['10', '30', '100'] }),
  text: [
    say`A step of training changes every weight a little, so that the loss falls. The backward pass computes the gradient: by how much the loss changes if a weight changes. You can check it for any weight: move only this one by h in both directions, and compute the loss again.`,
    say`AdamW divides a running mean of the gradients by the root of a running mean of their squares, so that all weights move at about the learning rate. Warm-up raises the rate in the first steps, when these means rest on few gradients.`,
    say`Press Step: the model trains on the sentence above, on a copy that this chapter keeps. Then try a high rate: each step goes too far, and the model forgets what it knew.`,
  ],
  figure: (inspection, host) => new LearningFigure(inspection, host),
};

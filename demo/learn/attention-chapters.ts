// Chapters on attention: queries, keys and values; scores, mask and softmax, or the gates of an SSRU; heads;
// cross-attention.

import type { Inspection } from '../../src/entries/reports.ts';
import { fixed } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html } from '../common/panel.ts';
import { hint, probability, signed } from '../common/tables.ts';
import { gateTable } from '../train/page/gate-view.ts';
import { HeatMap, labelOf } from '../train/page/heat-map.ts';
import {
  attentionRow,
  HeadFigure,
  headOf,
  partsOf,
  showHead,
  sidesOf,
  tokenPicker,
  tokenSelect,
} from './attention-views.ts';
import { type Chapter, type ChapterHost, Figure, sliderField } from './chapter.ts';
import { dots, noTensor, numberRow, rowOf, valuesOf } from './tensor-views.ts';

/** Query, key and value of two tokens, and their score. */
class VectorsFigure extends HeadFigure {
  #from = 0;
  #to = 1;

  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host, 'encoder');
    this.#to = Math.min(1, inspection.source.length - 1);
    this.draw();
  }

  protected override controls(): Content {
    const tokens = this.inspection.source;
    const from = (at: number) => {
      this.#from = at;
      this.draw();
    };
    const to = (at: number) => {
      this.#to = at;
      this.draw();
    };
    return html`
      ${this.headControls()}
      ${tokenSelect({ title: say`Query of`, tokens, at: this.#from, onPick: from })}
      ${tokenSelect({ title: say`Key and value of`, tokens, at: this.#to, onPick: to })} ${this.scaleSwitch()}`;
  }

  protected override picture(): Content {
    const { map, head } = this;
    const parts = partsOf(this.inspection, map, head);
    if (!parts) return noTensor;
    const { width } = parts;
    const [q, k, v] = [parts.query(this.#from), parts.key(this.#to), parts.value(this.#to)];
    const score = dots(q, k) / Math.sqrt(width);
    const scores = headOf(map, map.scores ?? new Float32Array(), head);
    const computed = scores[this.#from * map.keys + this.#to] ?? Number.NaN;
    const options = { shown: width, scale: this.sharedScale(q, k, v) };
    return html`
      ${numberRow(say`Query`, q, options)}
      ${numberRow(say`Key`, k, options)}
      <p data-score=${computed}>q·k/√${width} = ${fixed(score, 3)}; the GPU computed ${fixed(computed, 3)}.</p>
      ${numberRow(say`Value`, v, options)}`;
  }
}

export const queries: Chapter = {
  id: 'queries',
  title: say`Queries, keys, values`,
  question: say`Which two tokens have a large score? Select a query and a key: two strips that point the same way.`,
  text: [
    say`Attention lets a token look at others. Three learned matrices make three vectors of each token: a query (what it looks for), a key (what it offers) and a value (what it passes on).`,
    say`Several heads do this in parallel, each with its own narrow vectors of W numbers. A score is the product of a query with a key: it is large if they point the same way.`,
    say`Select a token and a head. The numbers are the columns of that head in the projection of the layer; the score below is their sum of products, divided by √W. The sum of W products grows with √W; without the division wide heads would have large scores, and the softmax would look at one token only.`,
  ],
  figure: (inspection, host) => new VectorsFigure(inspection, host),
};

/** The scores of a token, and the weights that softmax makes of them. */
class SoftmaxFigure extends HeadFigure {
  #query: number;
  #isMasked: boolean;

  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host, 'decoder');
    this.#query = Math.min(2, inspection.target.length - 1);
    this.#isMasked = host.kept.get('mask', 1) === 1;
    this.draw();
  }

  get #temperature(): number {
    return this.host.kept.get('softmax temperature', 1);
  }

  #setTemperature(value: number): void {
    this.host.kept.set('softmax temperature', value);
    this.draw();
  }

  #setMask(event: Event): void {
    this.#isMasked = (event.target as HTMLInputElement).checked;
    this.host.kept.set('mask', Number(this.#isMasked));
    this.draw();
  }

  #pick(at: number): void {
    this.#query = at;
    this.draw();
  }

  protected override controls(): Content {
    return html`
      ${this.headControls()}
      ${sliderField({
        id: 'softmax-temperature',
        label: say`Temperature`,
        value: this.#temperature,
        min: 0.2,
        max: 4,
        onInput: (value) => this.#setTemperature(value),
      })}
      <label class="check"
        ><input type="checkbox" .checked=${this.#isMasked} @input=${this.#setMask} />Mask</label
      >
      ${tokenPicker({
        title: say`Query of`,
        tokens: this.inspection.target,
        at: this.#query,
        onPick: (at) => this.#pick(at),
      })}`;
  }

  protected override picture(): Content {
    const { map, head } = this;
    const temperature = this.#temperature;
    const scores = rowOf(headOf(map, map.scores ?? new Float32Array(), head), map.keys, this.#query);
    const seen = this.#isMasked ? this.#query + 1 : scores.length;
    const e = scores.map((score, j) => (j < seen ? Math.exp(score / temperature) : 0));
    const total = e.reduce((a, b) => a + b, 0);
    const weights = e.map((x) => x / total);
    const rows = sidesOf(this.inspection, 'decoder').keys.map((key, j) => [
      labelOf(key),
      signed(scores[j] ?? 0),
      j < seen ? signed((scores[j] ?? 0) / temperature) : '−∞',
      probability(weights[j] ?? 0),
    ]);
    return html`
      ${valuesOf([say`Key`, say`Score`, say`Into the softmax`, say`Weight`], rows)}
      ${hint(
        say`The weights sum to ${fixed(
          weights.reduce((a, b) => a + b, 0),
          3,
        )}.`,
      )}`;
  }
}

/** The gates of an SSRU, which a decoder may have in place of self-attention. */
class GatesFigure extends Figure {
  #token: number;

  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.#token = Math.min(2, inspection.target.length - 1);
    this.draw();
  }

  get #layer(): number {
    const layers = this.inspection.gates.length;
    return this.host.kept.get('layer decoder', layers - 1, layers);
  }

  protected override controls(): Content {
    const onPick = (at: number) => {
      this.#token = at;
      this.draw();
    };
    return html`
      ${this.numberList(say`Layer`, 'layer decoder', this.inspection.gates.length, this.#layer)}
      ${tokenPicker({ title: say`State after`, tokens: this.inspection.target, at: this.#token, onPick })}`;
  }

  protected override picture(): Content {
    const unit = this.inspection.gates[this.#layer];
    if (!unit) return noTensor;
    const { gates, states, channels } = unit;
    const row = (values: Float32Array) => rowOf(values, channels, this.#token);
    return html`
      ${hint(
        say`The decoder of this model has no self-attention: no scores and no mask. It has an SSRU (simpler simple recurrent unit): each channel has a state c, and at each token a gate g between 0 and 1, which two matrices compute from the token: c = g · c before + (1 − g) · z. With a gate of 1 the channel keeps what it knows of earlier tokens; with 0 this token z replaces it.`,
      )}
      ${gateTable(sidesOf(this.inspection, 'decoder').keys, gates, channels)}
      ${numberRow(say`Gates`, row(gates))}
      ${numberRow(say`State c; the layer passes on what is above zero`, row(states))}`;
  }
}

export const softmax: Chapter = {
  id: 'softmax',
  title: say`Scores, mask, softmax`,
  question: say`What happens to the largest weight if all scores are divided by 4? Guess, then move the temperature.`,
  prediction: ({ gates }) =>
    gates.length > 0
      ? undefined
      : { options: [say`It rises`, say`It falls`, say`It stays`], right: say`It falls` },
  text: [
    say`The scores of a query become weights by softmax: each is exponentiated, then divided by the sum, so that a row sums to 1.`,
    say`The decoder must not see the tokens that it has not written yet. Their scores are masked (set to minus infinity) before the softmax. If their weights were set to zero after the softmax, the row would no longer sum to 1. Padding, which fills short sentences of a batch, is masked in the same way.`,
    say`Select a token and raise the temperature: scores are divided by it before the softmax. Uncheck the mask to see the weights that the future tokens would get.`,
  ],
  figure: (inspection, host) =>
    inspection.gates.length > 0 ? new GatesFigure(inspection, host) : new SoftmaxFigure(inspection, host),
};

/** The map of a head, and the row of the token that is pointed at. */
class MapFigure extends HeadFigure {
  readonly #tokens: Inspection['source'];
  readonly #heat = new HeatMap();
  #query = 0;

  constructor(inspection: Inspection, host: ChapterHost, kind: 'encoder' | 'cross') {
    super(inspection, host, kind);
    this.#tokens = kind === 'encoder' ? inspection.source : inspection.target;
    this.draw();
  }

  override draw(): void {
    super.draw();
    showHead(this.#heat, this.inspection, this.map, this.head, this.#query);
  }

  protected override controls(): Content {
    const onPick = (at: number) => {
      this.#query = at;
      this.draw();
    };
    return html`
      ${this.headControls()}
      ${tokenPicker({ title: say`Row of`, tokens: this.#tokens, at: this.#query, onPick })}`;
  }

  protected override picture(): Content {
    return html`
      ${attentionRow(this.inspection, this.map, this.head, this.#query)}
      ${this.#heat.element}`;
  }
}

/** Index of the largest number. */
const largest = (numbers: Float32Array): number => numbers.indexOf(Math.max(...numbers));

export const heads: Chapter = {
  id: 'heads',
  title: say`Multi-head attention`,
  question: say`Do all heads look at the same token? Guess, then go through the heads.`,
  prediction: ({ attention }) => {
    const map = attention.findLast(({ kind }) => kind === 'encoder');
    const places = new Set(
      Array.from({ length: map?.heads ?? 0 }, (_, head) =>
        map ? largest(headOf(map, map.weights, head).subarray(0, map.keys)) : 0,
      ),
    );
    return { options: [say`yes`, say`no`], right: places.size === 1 ? say`yes` : say`no` };
  },
  text: [
    say`One head has one set of weights for each token: it averages the values of all tokens. A layer has several heads: one may follow the previous token, another the start of the sentence, another a word of the same kind. Their outputs, weighted sums of values, are concatenated and multiplied by a matrix.`,
    say`Nobody tells a head what to do; what it does comes from training. Select a head, then point at or select a token. The table has its row: products q·k (a row of QKᵀ), scores, weights, and the values times their weights. Their sum is what the head passes on.`,
  ],
  figure: (inspection, host) => new MapFigure(inspection, host, 'encoder'),
};

export const cross: Chapter = {
  id: 'cross',
  title: say`Cross-attention`,
  question: say`Where does the decoder look most before it writes its first word? Guess a token of the source, then select a token.`,
  prediction: ({ source, attention }) => {
    const map = attention.findLast(({ kind }) => kind === 'cross');
    if (!map) return undefined;
    const sums = new Float32Array(map.keys);
    for (let head = 0; head < map.heads; head++)
      for (const [key, weight] of headOf(map, map.weights, head).subarray(0, map.keys).entries())
        sums[key] = (sums[key] ?? 0) + weight;
    const options = source.map(({ label }) => labelOf(label));
    return { options, right: options[largest(sums)] };
  },
  text: [
    say`The encoder has read the source; the decoder writes the target. Cross-attention connects them: the queries come from the target tokens, the keys and values from the output of the encoder.`,
    say`Row by row the map says where the decoder looks while it chooses the next token. In a trained model the weights follow the words that a token translates, also if their order differs. There is no mask here: the whole source is known. Select a token to see its row.`,
    say`Select a layer and a head. Often one head aligns clearly, while others look at the end of the sentence or at everything.`,
  ],
  figure: (inspection, host) => new MapFigure(inspection, host, 'cross'),
};

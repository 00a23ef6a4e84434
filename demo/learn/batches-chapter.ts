// Chapter on what training sees: pairs sorted into buckets by length, padded to batches, and masked.

import type { Inspection } from '../../src/entries/reports.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html } from '../common/panel.ts';
import type { PreviewedBatch } from '../toys/preview-batches.ts';
import { labelOf } from '../train/page/heat-map.ts';
import { type Chapter, type ChapterHost, Figure } from './chapter.ts';

/** Pairs that are shown. */
const pairCount = 12;
const rowCounts = 6;

/** The batches of a few pairs. */
class BatchesFigure extends Figure {
  #batches: readonly PreviewedBatch[] = [];
  #shown = '';

  constructor(inspection: Inspection, host: ChapterHost) {
    super(inspection, host);
    this.draw();
  }

  get #buckets(): number {
    return this.host.kept.get('buckets', 2, 4);
  }

  get #rows(): number {
    return this.host.kept.get('rows in a batch', 3, rowCounts);
  }

  /** Asks for the batches of the controls. */
  async #compute(): Promise<void> {
    const { languages, session } = this.host;
    const options = { buckets: this.#buckets + 1, batchSize: this.#rows + 1 };
    this.#batches = await session.previewBatches({ ...languages, pairs: pairCount }, options);
    this.draw();
  }

  protected override controls(): Content {
    return html`
      ${this.numberList(say`Buckets`, 'buckets', 4, this.#buckets)}
      ${this.numberList(say`Rows in a batch`, 'rows in a batch', rowCounts, this.#rows)}`;
  }

  protected override picture(): Content {
    const wanted = `${this.#buckets} ${this.#rows}`;
    if (wanted !== this.#shown) {
      this.#shown = wanted;
      this.host.attempt(this.#compute());
    }
    const cells = (batch: PreviewedBatch) => batch.sources.length * (batch.source + batch.target);
    const used = (batch: PreviewedBatch) =>
      [...batch.sources, ...batch.inputs].reduce((n, row) => n + row.length, 0);
    const total = this.#batches.reduce((n, batch) => n + cells(batch), 0);
    const padding = this.#batches.reduce((n, batch) => n + cells(batch) - used(batch), 0);
    if (total === 0) return '';
    return html`
      <p>
        ${this.#batches.length} batches, <b class="number" id="padding-share">${formatPercent(padding / total)}</b> of their
        places are padding.
      </p>
      ${this.#batches.map((batch, i) => this.#batch(batch, i))}`;
  }

  #batch(batch: PreviewedBatch, i: number): Content {
    const side = (name: string, rows: PreviewedBatch['sources'], length: number): Content => html`
      <p class="hint">${name} [${batch.rows}, ${length}]</p>
      <div class="scroll heat-scroll" role="region" tabindex="0" aria-label="${name} of batch ${i + 1}">
        <ol class="batch">
          ${rows.map((row) => tokenRow(row, length))}
        </ol>
      </div>`;
    return html`
      <h3>Batch ${i + 1}</h3>
      ${side(say`Source`, batch.sources, batch.source)}
      ${side(say`Input of the decoder`, batch.inputs, batch.target)}`;
  }
}

/** A row of a batch: its tokens, then padding, and the length that the mask is made from. */
const tokenRow = (tokens: readonly string[], length: number): Content => html`
  <li>
    ${Array.from({ length }, (_, t) => {
      const token = tokens[t];
      return token === undefined
        ? html`<span class="pad"></span>`
        : html`<span class="token"><bdi>${labelOf(token)}</bdi></span>`;
    })}
    <span class="number length">${tokens.length}</span>
  </li>`;

export const batches: Chapter = {
  id: 'batches',
  title: say`What training sees`,
  question: say`How much of a batch is empty? Guess the share of padding, then change the number of buckets.`,
  prediction: () => ({ options: [0.05, 0.2, 0.5].map((share) => formatPercent(share)) }),
  text: [
    say`A GPU is fast if it does the same work for many rows, so pairs are trained in batches. All rows of a batch have one length: shorter ones are filled with padding. Attention must not look at padding, and the loss must not count it, so each row carries its length, the number on the right. The padding mask gives the places after it a score of minus infinity.`,
    say`Padding costs time and teaches nothing. Therefore pairs are sorted into buckets of similar length; every bucket has its own shape, for which the kernels are planned once. More buckets have less padding, but more plans.`,
    say`Here are twelve pairs of the built-in corpus. Change the number of buckets and of rows, and watch the share of padding.`,
  ],
  figure: (inspection, host) => new BatchesFigure(inspection, host),
};

// Table of the dev sentences with their references and current translations.

import { wordDifferences } from '../../../src/entries/metrics.ts';
import type { Sample } from '../../../src/entries/reports.ts';
import { formatInteger } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { columnHeads, hint } from '../../common/tables.ts';
import type { SessionEvent } from '../protocol.ts';

/** Text while there are no sentences. */
const empty = say`Dev sentences, which are not trained on, appear here after the first evaluation.`;

/** The panel. */
export class SamplesPanel extends Panel {
  #samples: readonly Sample[] = [];
  #step = 0;
  /** BCP 47 tags; empty if unknown. */
  #source = '';
  #target = '';

  constructor() {
    super();
    this.draw();
  }

  onEvent(event: SessionEvent): void {
    if (event.type === 'state' && event.state === 'preparing') this.#samples = [];
    else if (event.type === 'samples') {
      this.#samples = event.samples;
      this.#step = event.step;
    } else return;
    this.drawSoon();
  }

  /** Sets the languages of source and target, as BCP 47 tags; empty if unknown. */
  setLanguages(source: string, target: string): void {
    this.#source = source;
    this.#target = target;
    this.drawSoon();
  }

  protected override template(): Content {
    const samples = this.#samples;
    const exact = samples.filter((sample) => sample.exact).length;
    const counts = say`${exact} of ${samples.length} translations match the reference exactly`;
    return html`
      ${hint(samples.length === 0 ? empty : say`Step ${formatInteger(this.#step)}: ${counts}.`)}
      <div class="scroll">
        <table class="samples" ?hidden=${samples.length === 0}>
          <thead>
            <tr>${columnHeads([say`Source`, say`Reference`, say`Translation`, say`Exact match`])}</tr>
          </thead>
          <tbody>${samples.map((sample) => this.#row(sample))}</tbody>
        </table>
      </div>`;
  }

  #row({ source, reference, translation, exact }: Sample): Content {
    const parts = exact ? [{ text: translation, same: true }] : wordDifferences(translation, reference).a;
    const marked = parts.map(({ text, same }) => (same ? text : html`<ins>${text}</ins>`));
    return html`
      <tr>
        <td data-side="source"><div dir="auto" lang=${this.#source}>${source}</div></td>
        <td data-side="reference"><div dir="auto" lang=${this.#target}>${reference}</div></td>
        <td data-side="translation">
          <div dir="auto" lang=${this.#target}>${
            translation === '' ? html`<span class="soft">(empty)</span>` : marked
          }</div>
        </td>
        <td>
          <span class="mark-exact ${exact ? 'yes' : 'no'}">${exact ? '✓' : '✗'}<span class="unseen">${
            exact ? say` exact match` : say` differs`
          }</span></span>
        </td>
      </tr>`;
  }
}

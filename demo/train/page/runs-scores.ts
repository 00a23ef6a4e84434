// Compares stored runs on a file of pairs: scores with confidence intervals and p-values, scores by length and by rare
// words, the worst sentences and the signatures of the scores.

import type { SystemScores, TranslationReport } from '../../../src/entries/metrics.ts';
import { fixed, formatInteger } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { download } from '../../common/save-blob.ts';
import { dataTable } from '../../common/tables.ts';
import type { RunScores } from '../protocol.ts';
import type { Session } from './training-session.ts';

/** The panel. */
export class RunsScores extends Panel {
  readonly #session: Session;
  #names: readonly string[] = [];
  #pairs: File | undefined;
  #scores: RunScores | undefined;
  #isBusy = false;
  #note = '';

  constructor(session: Session) {
    super();
    this.#session = session;
    this.draw();
  }

  /** Sets the runs that are compared: the others with the first. */
  setRuns(names: readonly string[]): void {
    this.#names = names;
    this.draw();
  }

  #select(event: Event): void {
    this.#pairs = (event.target as HTMLInputElement).files?.[0];
    this.draw();
  }

  async #evaluate(): Promise<void> {
    const [names, pairs] = [this.#names, this.#pairs];
    if (!pairs || this.#isBusy) return;
    this.#isBusy = true;
    this.#note = say`Translating with ${names.join(', ')} …`;
    this.draw();
    try {
      this.#scores = await this.#session.evaluate(names, pairs);
      const { pairs: count, skipped } = this.#scores.report;
      this.#note = say`${formatInteger(count)} pairs${skipped > 0 ? say`, ${formatInteger(skipped)} skipped` : ''}`;
    } catch (error) {
      this.#note = (error as Error).message;
    }
    this.#isBusy = false;
    this.draw();
  }

  #save(): void {
    if (this.#scores) download(new Blob([this.#scores.html], { type: 'text/html' }), 'evaluation.html');
  }

  protected override template(): Content {
    return html`
      <h3>Scores on a file of pairs</h3>
      <p class="hint">
        The selected runs translate the pairs (TSV, or CSV, JSON lines, TMX by their names). Intervals of 95 % and p-values
        of the difference to the first run are by paired bootstrap resampling, as of sacreBLEU.
      </p>
      <div class="row">
        <label for="runs-pairs">Pairs</label>
        <input id="runs-pairs" type="file" @change=${this.#select} />
        <button
          type="button"
          id="runs-evaluate"
          ?disabled=${this.#isBusy || !this.#pairs || this.#names.length === 0}
          @click=${this.#evaluate}
        >Evaluate the selected runs</button>
      </div>
      <p class="hint" role="status">${this.#note}</p>
      ${this.#scores ? reportOf(this.#scores.report) : nothing}
      <div class="row" ?hidden=${!this.#scores}>
        <button type="button" @click=${this.#save}>Download the report</button>
      </div>`;
  }
}

const scoreOf = ({ mean, score, interval, p, isIdentical }: SystemScores['bleu']): string => {
  const difference = isIdentical ? say`identical` : p === undefined ? undefined : `p = ${fixed(p, 4)}`;
  return `${fixed(score, 2)} (${fixed(mean, 2)} ± ${fixed(interval, 2)})${difference ? `, ${difference}` : ''}`;
};

/** The parts of a report. */
function reportOf({ systems, analysis, signatures }: TranslationReport): Content {
  const { byLength, byRareWords, worst } = analysis;
  const groups = (label: string, rows: typeof byLength) =>
    dataTable(
      label,
      [label, say`pairs`, 'BLEU', 'chrF2'],
      rows.map((row) => [row.group, formatInteger(row.sentences), fixed(row.bleu, 2), fixed(row.chrf, 2)]),
    );
  return html`
    ${dataTable(
      say`Scores of the runs`,
      [say`run`, 'BLEU', 'chrF2', 'chrF2++', 'TER'],
      systems.map(({ name, bleu, chrf, chrfPlus, ter }) => [
        name,
        scoreOf(bleu),
        scoreOf(chrf),
        scoreOf(chrfPlus),
        scoreOf(ter),
      ]),
    )}
    <details>
      <summary>By length and rare words, the worst sentences, signatures</summary>
      ${groups(say`Length of the source`, byLength)} ${groups(say`Words that occur once`, byRareWords)}
      ${dataTable(
        say`Worst sentences`,
        [say`line`, 'chrF2', say`source`, say`translation`, say`reference`],
        worst.map(({ number, chrf, source, translation, references }) => [
          formatInteger(number),
          fixed(chrf, 1),
          source,
          translation,
          references.join(' / '),
        ]),
        'plain',
      )}
      ${signatures.map((signature) => html`<p class="hint"><code>${signature}</code></p>`)}
    </details>`;
}

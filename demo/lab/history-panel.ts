// Panel of earlier runs: show, compare with one as baseline, delete; files of results as baseline.

import { type BenchRun, readBenchRun } from '../../src/bench/bench-file.ts';
import { messageOf } from '../../src/entries/host.ts';
import { fixed, formatMoment, formatNumber } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { columnHeads, hint } from '../common/tables.ts';
import { shortName } from '../storage/model-names.ts';
import type { LabResults } from './lab-protocol.ts';
import { kernelCount, spreadText } from './measurement-text.ts';
import { withShortNames } from './shared-results.ts';

/** A run to compare with. */
export interface Baseline {
  readonly run: BenchRun;
  /** Its source: `earlier run`, `file NAME`, `shared result`. */
  readonly kind: string;
}

/** Callbacks of the panel. */
export interface HistoryHost {
  show(run: LabResults): void;
  /** Sets the baseline; undefined removes it. */
  compare(baseline: Baseline | undefined): void;
  remove(run: LabResults): void;
}

/** Largest file of results, in bytes. */
const maxFile = 20e6;

/** The panel. */
export class HistoryPanel extends Panel {
  readonly #host: HistoryHost;
  #runs: readonly LabResults[] = [];
  /** The run that is shown. */
  #shown: LabResults | undefined;
  #baseline: Baseline | undefined;
  #error = '';

  constructor(host: HistoryHost) {
    super();
    this.#host = host;
    this.draw();
  }

  show(runs: readonly LabResults[], shown: LabResults | undefined, baseline: Baseline | undefined): void {
    this.#runs = runs;
    this.#shown = shown;
    this.#baseline = baseline;
    this.#error = '';
    this.draw();
  }

  /** Opens a file of results as baseline. */
  async openFile(file: File): Promise<void> {
    try {
      if (file.size > maxFile)
        throw new Error(
          say`${shortName(file.name)} has ${fixed(file.size / 1e6, 0)} MB; the limit is ${maxFile / 1e6} MB. Open a JSON file of results.`,
        );
      const run = withShortNames(readBenchRun(await file.text()));
      this.#host.compare({ run, kind: say`file ${shortName(file.name)}` });
    } catch (error) {
      this.#error = messageOf(error);
      this.draw();
    }
  }

  #pick(event: Event): void {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file) void this.openFile(file);
    input.value = '';
  }

  protected override template(): Content {
    const current = this.#baseline ? describe(this.#baseline, this.#shown) : say`No baseline.`;
    const isWrong = this.#error !== '';
    return html`
      ${hint(
        say`A baseline is an earlier run, or a JSON file of this page or of heddle bench --json, which you can also drop here. The table then shows the difference of each kernel, and whether it is larger than the noise.`,
      )}
      <div class="row">
        <button type="button" @click=${() => this.find('input').click()}>Open a file of results …</button>
        <button type="button" ?hidden=${!this.#baseline} @click=${() => this.#host.compare(undefined)}>
          Remove the baseline
        </button>
        <input
          type="file"
          accept=".json,application/json"
          class="unseen"
          tabindex="-1"
          aria-label="File of results"
          @change=${this.#pick}
        />
      </div>
      <p class="status baseline-of ${isWrong ? 'wrong' : ''}" role="status">${this.#error || current}</p>
      <div
        class="scroll"
        role="region"
        aria-label="Earlier runs"
        tabindex="0"
        ?hidden=${this.#runs.length === 0}
      >
        <table class="plain">
          <caption class="unseen">Earlier runs</caption>
          <thead>
            <tr>
              ${columnHeads([say`Earlier run`, say`Adapter`, say`Kernels`, say`Roofs`])}
              <th scope="col"><span class="unseen">Actions</span></th>
            </tr>
          </thead>
          <tbody>${this.#runs.map((run) => this.#row(run))}</tbody>
        </table>
      </div>`;
  }

  #row(run: LabResults): Content {
    const when = whenOf(run.when);
    const isShown = run.when === this.#shown?.when;
    const button = (name: string, act: () => void, isDisabled = false) => html`
      <button type="button" class="quiet" ?disabled=${isDisabled} aria-label="${name}: ${when}" @click=${act}>
        ${name}
      </button>`;
    const compare = () => this.#host.compare({ run, kind: say`earlier run` });
    return html`
      <tr>
        <th scope="row">${when}</th>
        <td>${run.adapter}</td>
        <td>${kernelCount(run.kernels.length)}</td>
        <td>${roofText(run)}</td>
        <td class="actions">
          ${button(say`Show`, () => this.#host.show(run), isShown)}
          ${button(say`Compare`, compare, isShown || run === this.#baseline?.run)}
          ${button(say`Delete`, () => this.#host.remove(run))}
        </td>
      </tr>`;
  }
}

const whenOf = (when: string): string => (when ? formatMoment(Date.parse(when)) : say`unknown time`);

/** `12.3 GB/s ± 2 %, 140 GFLOP/s ± 1 %` */
export function roofText({ roofs, roofSpread }: Pick<BenchRun, 'roofs' | 'roofSpread'>): string {
  if (!roofs) return say`bandwidth and peak not measured`;
  const spread = (name: 'bandwidth' | 'peak') =>
    roofSpread ? ` ${spreadText(roofSpread[name].spread / 2)}` : '';
  return `${formatNumber(roofs.bandwidth.rate)} GB/s${spread('bandwidth')}, ${formatNumber(roofs.peak.rate)} GFLOP/s${spread('peak')}`;
}

function describe({ run, kind }: Baseline, shown: LabResults | undefined): string {
  const text = say`Baseline: ${kind}, ${run.adapter}, ${whenOf(run.when)}, ${kernelCount(run.kernels.length)}, ${roofText(run)}.`;
  return shown && shown.adapter !== run.adapter
    ? say`${text} Its adapter is not that of the run above.`
    : text;
}

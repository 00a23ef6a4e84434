// Note of the lab that says why the numbers of a run must not be quoted.

import type { BenchRun } from '../../src/bench/bench-file.ts';
import { formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';

/** What the note needs of a run. */
type NotedRun = Pick<BenchRun, 'roofSpread'> & {
  readonly machine: { readonly adapter: { readonly software: boolean } };
};

/** The note; hidden if there is nothing to say. */
export class BusyNote extends Panel {
  readonly #again: () => void;
  #run: NotedRun | undefined;

  /** `again` measures again. */
  constructor(again: () => void) {
    super('note');
    this.element.role = 'status';
    this.#again = again;
    this.draw();
  }

  show(run: NotedRun | undefined): void {
    this.#run = run;
    this.draw();
  }

  protected override template(): Content {
    const spread = this.#run?.roofSpread;
    const isBusy = spread?.busy === true;
    const lines: string[] = [];
    if (spread && isBusy) {
      const largest = formatPercent(Math.max(spread.bandwidth.spread, spread.peak.spread));
      lines.push(
        say`This machine is busy: the roofs differ by ${largest} before and after the kernels. Close other programs and tabs, then measure again.`,
      );
    }
    if (this.#run?.machine.adapter.software)
      lines.push(
        say`The adapter is software: it computes on the CPU, which it shares with other programs. These are not the numbers of a GPU.`,
      );
    this.element.hidden = lines.length === 0;
    this.element.classList.toggle('bad', isBusy);
    const button = html`<button type="button" @click=${() => this.#again()}>Measure again</button>`;
    return html`
      <p>${lines.join(' ')}</p>
      ${isBusy ? button : nothing}`;
  }
}

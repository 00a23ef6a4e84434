// Panel of the probe: for one fixed pair, the attention of all layers and heads and the most likely next
// tokens, with a slider over the recorded steps of the run.

import { live } from 'lit-html/directives/live.js';
import type { LogProbe } from '../../../src/entries/reports.ts';
import { onFrame } from '../../common/dom.ts';
import { formatInteger, formatPercent } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { columnHeads, probability } from '../../common/tables.ts';
import { termList } from '../../common/terms.ts';
import { onThemeChange } from '../../common/theme.ts';
import type { SessionEvent } from '../protocol.ts';
import { gateTable } from './gate-view.ts';
import { HeatMap, labelOf } from './heat-map.ts';
import { gatesOf, type MapChoice, mapName, ProbeMaps, sizesOf, weightsOf } from './probe-maps.ts';

/** Milliseconds of one recorded step while playing. */
const frameMs = 150;

/** The panel. */
export class InsidePanel extends Panel {
  readonly #maps = new ProbeMaps((map) => this.#choose(map));
  readonly #heat = new HeatMap();
  #probes: readonly LogProbe[] = [];
  /** Index of the probe that is shown; while it is the last, the panel moves to each new probe. */
  #at = 0;
  #chosen: MapChoice = { kind: 'cross', layer: 0, head: 0 };
  /** Timer of the playback; 0 while it does not play. */
  #playing = 0;
  /** The large map has a frame of its own: a hundred small ones fill theirs. */
  readonly #drawHeat = onFrame(() => this.#showHeat());

  constructor() {
    super();
    onThemeChange(this.drawSoon);
    this.draw();
  }

  onEvent(event: SessionEvent): void {
    if (event.type === 'state' && event.state === 'preparing') this.#show([]);
    else if (event.type === 'history') this.#show(event.probes);
    // A crash of the GPU process clears canvases.
    else if (event.type === 'recovery') this.drawSoon();
    else if (event.type === 'probe') this.#add(event.probe);
  }

  #show(probes: readonly LogProbe[]): void {
    this.#probes = probes;
    this.#at = Math.max(0, probes.length - 1);
    this.drawSoon();
  }

  #add(probe: LogProbe): void {
    const follows = this.#at >= this.#probes.length - 1;
    this.#probes = [...this.#probes.filter(({ step }) => step !== probe.step), probe];
    if (follows) this.#at = this.#probes.length - 1;
    this.drawSoon();
  }

  #choose(map: MapChoice): void {
    this.#chosen = map;
    this.drawSoon();
  }

  #move(event: Event): void {
    this.#at = (event.target as HTMLInputElement).valueAsNumber;
    this.drawSoon();
  }

  #togglePlay(): void {
    const last = this.#probes.length - 1;
    if (this.#playing) this.#stop();
    else {
      if (this.#at >= last) this.#at = 0;
      this.#playing = window.setInterval(() => this.#playNext(), frameMs);
    }
    this.draw();
  }

  #playNext(): void {
    const last = this.#probes.length - 1;
    this.#at = Math.min(this.#at + 1, last);
    if (this.#at >= last) this.#stop();
    this.drawSoon();
  }

  #stop(): void {
    window.clearInterval(this.#playing);
    this.#playing = 0;
  }

  override draw(): void {
    super.draw();
    const probe = this.#probes[this.#at];
    if (!probe) return;
    this.#maps.show(probe, this.#chosen);
    this.#drawHeat();
  }

  #showHeat(): void {
    const probe = this.#probes[this.#at];
    const map = probe && this.#shownMap(probe);
    if (!map) return;
    const [rows, keys] = sizesOf(probe, map.kind);
    const { head } = this.#chosen;
    this.#heat.show({
      source: map.kind === 'decoder' ? probe.target : probe.source,
      target: map.kind === 'encoder' ? probe.source : probe.target,
      layers: 1,
      heads: 1,
      weights: weightsOf(map.weights, keys).slice(head * rows * keys, (head + 1) * rows * keys),
    });
  }

  /** The gates of the chosen layer; undefined if a map of attention is chosen, or the model has no such gates. */
  #shownGates({ gates }: LogProbe): NonNullable<LogProbe['gates']>[number] | undefined {
    const { kind, layer } = this.#chosen;
    return kind === 'gates' ? gates?.find((each) => each.layer === layer) : undefined;
  }

  /** The attention of the chosen layer; of the first if the model has no such layer. */
  #shownMap({ attention }: LogProbe): LogProbe['attention'][number] | undefined {
    const { kind, layer } = this.#chosen;
    return attention.find((each) => each.kind === kind && each.layer === layer) ?? attention[0];
  }

  protected override template(): Content {
    const probe = this.#probes[this.#at];
    return html`
      <p class="hint" ?hidden=${probe !== undefined}>
        While a model trains, its attention for one dev pair is recorded here. This takes at most 3 % of the
        training time; Advanced settings can turn it off.
      </p>
      <div class="stack" ?hidden=${!probe}>${probe ? this.#body(probe) : nothing}</div>`;
  }

  #body(probe: LogProbe): Content {
    const gates = this.#shownGates(probe);
    const map = gates ? { ...gates, kind: 'gates' as const } : this.#shownMap(probe);
    const { share = 0 } = this.#probes.at(-1) ?? {};
    const cost = share > 0 ? say`Recording took ${formatPercent(share)} of the training time.` : '';
    return html`
      <p class="probe-pair">
        ${tokens(probe.source.slice(0, -1))}<span>→</span>${tokens(probe.target.slice(1))}
      </p>
      <div class="row probe-steps">
        <button type="button" class="quiet" @click=${this.#togglePlay}>
          ${this.#playing ? say`Stop` : say`Play`}
        </button>
        <input
          type="range"
          id="probe-step"
          aria-label="Recorded step"
          aria-valuetext="step ${probe.step}"
          min="0"
          max=${this.#probes.length - 1}
          step="1"
          .value=${live(String(this.#at))}
          @input=${this.#move}
        />
        <output class="number" for="probe-step" id="probe-where">step ${formatInteger(probe.step)}</output>
      </div>
      <div class="inside">
        ${this.#maps.element}
        <div class="stack">
          <h3 id="probe-map">${map ? mapName({ ...map, head: this.#chosen.head }) : ''}</h3>
          ${gates ? gateTable(probe.target, gatesOf(gates.values), gates.channels) : this.#heat.element}
        </div>
      </div>
      <h3>Most likely next tokens</h3>
      <div class="scroll" tabindex="0" role="region" aria-label="Most likely next tokens">
        <table class="next-tokens">
          <thead>
            <tr>${columnHeads([say`After`, say`Likely next tokens`])}</tr>
          </thead>
          <tbody>${probe.next.map((next, t) => nextTokens(probe, next, t))}</tbody>
        </table>
      </div>
      ${termList('probe', ['head'])}
      <p class="hint" id="probe-cost">${cost}</p>`;
  }
}

/** A box for each token. */
const tokens = (labels: readonly string[]): Content =>
  labels.map((label) => html`<bdi>${labelOf(label)}</bdi>`);

/** The most likely tokens after a target token; the right one is marked. */
function nextTokens({ target }: LogProbe, next: LogProbe['next'][number], t: number): Content {
  const right = next.findIndex(([token]) => token === (target[t + 1] ?? '[end]'));
  const item = ([token, p]: (typeof next)[number], i: number) =>
    html`<span class=${i === right ? 'likely right' : 'likely'}
      ><bdi>${labelOf(token)}</bdi> <b class="number">${probability(p)}</b></span
    >`;
  return html`<tr><th scope="row">${labelOf(target[t] ?? '')}</th><td>${next.map(item)}</td></tr>`;
}

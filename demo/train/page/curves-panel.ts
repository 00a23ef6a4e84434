// Panel of the training curves: loss, dev metrics, learning rate, norms, throughput, step time and MFU. Its
// memory is bounded.

import type { LogEval, LogStep } from '../../../src/entries/reports.ts';
import { fixed, formatInteger, inDigits } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import { columnHeads } from '../../common/tables.ts';
import { termList } from '../../common/terms.ts';
import type { SessionEvent } from '../protocol.ts';
import { Series } from './averaged-series.ts';
import { type ChartOptions, type Line, LineChart } from './line-chart.ts';
import { compare } from './shared-curve.ts';

/** Maximum number of rows in the table of evaluations; the newest is first. */
const maxRows = 50;

/** A small chart of one series; it is hidden if the run has no such values. */
interface SmallChart {
  readonly title: string;
  readonly series: Series;
  readonly chart: LineChart;
  readonly isForEngineers: boolean;
}

function smallChart(
  title: string,
  name: string,
  series: Series,
  {
    format,
    scale,
    isForEngineers = false,
  }: Pick<ChartOptions, 'format' | 'scale'> & { readonly isForEngineers?: boolean } = {},
): SmallChart {
  const lines: readonly Line[] = [{ name, series, look: 1 }];
  const chart = new LineChart({ title, height: 150, format, scale, lines });
  return { title, series, chart, isForEngineers };
}

const forEngineers = { isForEngineers: true };

/** The panel. */
export class CurvesPanel extends Panel {
  readonly #steps = {
    loss: new Series(),
    learningRate: new Series(),
    gradientNorm: new Series(),
    updateRatio: new Series(),
    rate: new Series(),
    stepMs: new Series(),
    mfu: new Series(),
  };
  readonly #dev = {
    loss: new Series(512),
    tokens: new Series(512),
    exact: new Series(512),
    bleu: new Series(512),
    chrf: new Series(512),
  };
  readonly #all = [...Object.values(this.#steps), ...Object.values(this.#dev)];
  readonly #lossLines: readonly Line[] = [
    { name: say`training`, series: this.#steps.loss, look: 1 },
    { name: say`dev`, series: this.#dev.loss, look: 2, dots: true },
  ];
  readonly #loss = new LineChart({
    title: say`Loss`,
    height: 200,
    format: (x) => inDigits(x.toPrecision(3)),
    lines: this.#lossLines,
  });
  readonly #metrics = new LineChart({
    title: say`Dev metrics`,
    height: 250,
    empty: say`no evaluation yet`,
    range: [0, 100],
    format: (x) => x.toFixed(0),
    lines: [
      { name: say`token accuracy %`, series: this.#dev.tokens, look: 1, dots: true },
      { name: say`exact match %`, series: this.#dev.exact, look: 2, dots: true },
      { name: 'BLEU', series: this.#dev.bleu, look: 3, dots: true },
      { name: 'chrF2', series: this.#dev.chrf, look: 4, dots: true },
    ],
  });
  readonly #smalls = [
    smallChart(say`Learning rate`, say`rate`, this.#steps.learningRate),
    smallChart(say`Gradient norm before clipping`, say`norm`, this.#steps.gradientNorm, {
      scale: 'log',
      ...forEngineers,
    }),
    smallChart(say`Update norm over weight norm`, say`ratio`, this.#steps.updateRatio, {
      scale: 'log',
      ...forEngineers,
    }),
    smallChart(say`Target tokens per second`, 'tokens/s', this.#steps.rate, { format: formatInteger }),
    smallChart(say`Step time`, 'ms', this.#steps.stepMs, forEngineers),
    smallChart(say`Model FLOPs utilization (MFU)`, '%', this.#steps.mfu, forEngineers),
  ];
  /** Charts that change at each step, and all. */
  readonly #stepCharts = [this.#loss, ...this.#smalls.map(({ chart }) => chart)];
  readonly #charts = [...this.#stepCharts, this.#metrics];
  #evals: readonly LogEval[] = [];
  /** Losses of another run, which are behind one's own: of a link, or of a second training. */
  #other: { readonly name: string; readonly series: Series } | undefined;

  constructor() {
    super();
    this.draw();
  }

  onEvent(event: SessionEvent): void {
    switch (event.type) {
      case 'state':
        if (event.state === 'preparing') this.clear();
        break;
      case 'recovery': // a crash of the GPU process clears all canvases
        for (const chart of this.#charts) chart.rebuild();
        break;
      case 'history':
        for (const step of event.steps) {
          this.#addStep(step);
          this.#steps.rate.add(step.step, step.tokensPerSecond);
        }
        for (const one of event.evals) this.#addEval(one);
        this.#update(this.#charts);
        break;
      case 'steps':
        for (const step of event.steps) {
          this.#addStep(step);
          if (step.first) continue; // its time includes the compilation of the kernels
          this.#steps.rate.add(step.step, step.tokensPerSecond);
          this.#steps.stepMs.add(step.step, step.stepMs);
        }
        this.#update(this.#stepCharts);
        break;
      case 'evaluation':
        this.#addEval(event.eval);
        this.#update(this.#charts);
    }
  }

  /** Shows the losses of another run behind one's own, again after a value was added; undefined: none. */
  compare(series: Series | undefined, name = ''): void {
    if (series !== this.#other?.series) {
      this.#other = series && { name, series };
      const lines: readonly Line[] = series ? [{ name, series, look: 1, isBehind: true }] : [];
      this.#loss.setLines([...lines, ...this.#lossLines]);
    }
    this.#loss.update();
    this.drawSoon();
  }

  /** Removes all values. */
  clear(): void {
    for (const series of this.#all) series.clear();
    this.#evals = [];
    this.draw();
    for (const chart of this.#charts) chart.update();
  }

  #update(charts: readonly LineChart[]): void {
    this.drawSoon();
    for (const chart of charts) chart.update();
  }

  /** Adds the values of one update. */
  #addStep({ step, loss, learningRate, gradientNorm, updateRatio, mfu }: LogStep): void {
    const series = this.#steps;
    series.loss.add(step, loss);
    series.learningRate.add(step, learningRate);
    series.gradientNorm.add(step, gradientNorm);
    if (updateRatio !== undefined) series.updateRatio.add(step, updateRatio);
    if (mfu !== undefined) series.mfu.add(step, 100 * mfu);
  }

  #addEval(one: LogEval): void {
    if (one.part !== 'dev') return;
    const put = (series: Series, value: number | undefined, scale = 1) => {
      if (typeof value === 'number') series.add(one.step, value * scale);
    };
    put(this.#dev.loss, one.loss);
    put(this.#dev.tokens, one.tokenAccuracy, 100);
    put(this.#dev.exact, one.exactMatch, 100);
    put(this.#dev.bleu, one.bleu);
    put(this.#dev.chrf, one.chrf);
    this.#evals = [...this.#evals, one].slice(-maxRows);
  }

  #comparison({ name, series }: { readonly name: string; readonly series: Series }): string {
    const curve = series.xs.map((x, i) => [x, series.ys[i] as number] as const);
    const found = compare(this.#steps.loss, curve);
    if (!found) return say`Grey: ${name}. Start the training to compare with it.`;
    const { step, own, other } = found;
    const [mine, theirs] = [fixed(own, 3), fixed(other, 3)];
    const verdict =
      mine === theirs ? say`the same` : own < other ? say`yours is lower` : say`yours is higher`;
    return say`At step ${formatInteger(step)}: your loss ${mine}, ${name} ${theirs}, ${verdict}.`;
  }

  #setScale(event: Event): void {
    this.#loss.setScale((event.target as HTMLInputElement).checked ? 'log' : 'linear');
  }

  protected override template(): Content {
    const isEmpty = this.#all.every(({ xs }) => xs.length === 0) && !this.#other;
    return html`
      <p class="hint" ?hidden=${!isEmpty}>The curves of a training appear here with its first update.</p>
      <div class="stack" ?hidden=${isEmpty}>
        <figure>
            <figcaption class="row">
              <h3>Loss</h3>
              <label class="check push"
                ><input type="checkbox" id="log-scale" @change=${this.#setScale} />Log scale</label
              >
            </figcaption>
            ${this.#loss.element}
            ${this.#other ? html`<p class="hint" role="status" id="comparison">${this.#comparison(this.#other)}</p>` : nothing}
        </figure>
        <details id="more-curves">
          <summary>More curves</summary>
          <div class="stack">
            <figure>
              <figcaption><h3>Dev metrics</h3></figcaption>
              ${this.#metrics.element}
            </figure>
            <div class="charts small">
              ${this.#smalls.map(
                ({ title, series, chart, isForEngineers }) => html`
                  <figure ?hidden=${series.xs.length === 0} class=${isForEngineers ? 'for-engineers' : ''}>
                    <figcaption><h3>${title}</h3></figcaption>
                    ${chart.element}
                  </figure>`,
              )}
            </div>
            ${termList('curves', ['loss', 'dev', 'BLEU', 'chrF', 'MFU'])}
          </div>
        </details>
        <details>
          <summary>Table of evaluations</summary>
          <div class="scroll" tabindex="0" role="region" aria-label="Evaluations">
            <table class="numbers">
              <thead>
                <tr>
                  ${columnHeads([say`step`, say`dev loss`, say`token accuracy`, say`exact match`, 'BLEU', 'chrF2'])}
                </tr>
              </thead>
              <tbody>${[...this.#evals].reverse().map(evalRow)}</tbody>
            </table>
          </div>
        </details>
      </div>`;
  }
}

const cell = (value: number | undefined, digits: number, scale = 1): string =>
  typeof value === 'number' ? fixed(scale * value, digits) : '–';

const evalRow = (e: LogEval): Content =>
  html`<tr><td>${formatInteger(e.step)}</td><td>${cell(e.loss, 3)}</td><td>${cell(
    e.tokenAccuracy,
    1,
    100,
  )}</td><td>${cell(e.exactMatch, 1, 100)}</td><td>${cell(e.bleu, 1)}</td><td>${cell(e.chrf, 1)}</td></tr>`;

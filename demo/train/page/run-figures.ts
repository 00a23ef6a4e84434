// The current values of a training: loss, accuracy, throughput, memory.

import type { LogEval, LogStep } from '../../../src/entries/reports.ts';
import {
  fixed,
  formatBytes,
  formatInteger,
  formatNumber,
  formatPercent,
  inDigits,
} from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import type { RunInfo, SessionEvent, StepEvent } from '../protocol.ts';

/** Formats a loss with three decimals, or with three digits if it is large. */
const formatLoss = (loss: number): string =>
  Math.abs(loss) < 100 ? fixed(loss, 3) : inDigits(loss.toPrecision(3));

/** Formats the time of an update: `21.5 ms`, `12.3 s`. */
const formatStepTime = (ms: number): string =>
  Number.isFinite(ms) ? (ms < 10_000 ? `${formatNumber(ms)} ms` : `${formatNumber(ms / 1000)} s`) : '–';

/** The panel. */
export class RunFigures extends Panel {
  #latest: StepEvent | LogStep | undefined;
  #dev: LogEval | undefined;
  #info: RunInfo | undefined;
  /** Loss of the first update. */
  #first: number | undefined;
  /** Moving average over about the last 20 updates. */
  #stepMs = Number.NaN;
  #rate = Number.NaN;

  constructor() {
    super('');
    this.draw();
  }

  /** Milliseconds of an update; NaN before the second one. */
  get stepMs(): number {
    return this.#stepMs;
  }

  /** Loss of the last update; undefined before the first. */
  get loss(): number | undefined {
    return this.#latest?.loss;
  }

  /** The losses of the first and the last update if the training has diverged: the last one is far above. */
  get diverged(): { readonly from: number; readonly to: number } | undefined {
    const [from, to] = [this.#first, this.#latest?.loss];
    if (from === undefined || to === undefined || to <= 1.5 * from) return undefined;
    return { from, to };
  }

  /** Removes all values: another training is shown. */
  clear(): void {
    this.#clear();
    this.drawSoon();
  }

  onEvent(event: SessionEvent): void {
    if (event.type === 'state' && event.state === 'preparing') this.#clear();
    else if (event.type === 'started') this.#info = event.info;
    else if (event.type === 'evaluation') this.#dev = event.eval;
    else if (event.type === 'history') this.#showHistory(event.steps, event.evals);
    else if (event.type === 'steps') for (const step of event.steps) this.#addStep(step);
    this.drawSoon();
  }

  #clear(): void {
    this.#latest = this.#dev = this.#info = this.#first = undefined;
    this.#stepMs = this.#rate = Number.NaN;
  }

  /** Shows the last values of a stored training; its device and memory are not those of this page. */
  #showHistory(steps: readonly LogStep[], evals: readonly LogEval[]): void {
    const rates = steps.map(({ tokensPerSecond }) => tokensPerSecond).sort((a, b) => a - b);
    this.#first = steps[0]?.loss;
    this.#latest = steps.at(-1);
    this.#rate = rates[rates.length >> 1] ?? Number.NaN;
    this.#dev = evals.findLast((e) => e.part === 'dev');
  }

  #addStep(step: StepEvent): void {
    this.#latest = step;
    this.#first ??= step.loss;
    if (step.first) return; // its time includes the compilation of the kernels
    const mean = this.#stepMs;
    this.#stepMs = Number.isFinite(mean) ? mean + (step.stepMs - mean) / 20 : step.stepMs;
    this.#rate = step.tokensPerSecond;
  }

  protected override template(): Content {
    const latest = this.#latest;
    const info = this.#info;
    const memory = info ? say`GPU memory (planned: ${formatBytes(info.plannedBytes)})` : say`GPU memory`;
    const isEmpty = !info && !latest && !this.#dev; // a recorded run has no present values
    return html`
      <dl class="figures" ?hidden=${isEmpty}>
        ${figure(say`loss`, 'now-loss', latest ? formatLoss(latest.loss) : '–')}
        ${figure(say`dev token accuracy`, 'now-accuracy', formatPercent(this.#dev?.tokenAccuracy ?? Number.NaN))}
        ${figure(say`tokens per second`, 'now-rate', formatInteger(this.#rate))}
        ${figure(say`step time`, 'now-step-time', formatStepTime(this.#stepMs), true)}
        ${figure(say`model FLOPs utilization`, 'now-mfu', formatPercent(latest?.mfu ?? Number.NaN), true)}
        ${figure(say`learning rate`, 'now-learning-rate', formatNumber(latest?.learningRate ?? Number.NaN))}
        ${figure(memory, 'now-memory', info ? formatBytes(info.gpuBytes) : '–', true)}
      </dl>`;
  }
}

const figure = (name: string, id: string, value: string, isForEngineers = false): Content => html`
  <div class=${isForEngineers ? 'for-engineers' : ''}>
    <dt>${name}</dt>
    <dd id=${id}>${value}</dd>
  </div>`;

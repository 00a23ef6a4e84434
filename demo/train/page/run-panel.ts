// Panel of the running training: buttons and progress. It is not tall, because it stays at the bottom of the
// screen. Screen readers announce each tenth and each change of state.

import { fixed, formatDuration, formatInteger, formatNumber, formatTime } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import type { SessionEvent, SessionState } from '../protocol.ts';
import { RunFigures } from './run-figures.ts';

/** Handlers of the buttons. */
export interface RunActions {
  /** Resolves when the training has started or failed to. */
  start(): Promise<void>;
  pause(): void;
  /** Does one update of a paused training; resolves when it is done. */
  singleStep(): Promise<void>;
  continue(): void;
  stop(): void;
  /** The learning rate of the recipe. */
  usualRate(): number | undefined;
  /** Sets the learning rate of the recipe again. */
  resetRate(): void;
}

/** Returns whether a training is running in this state; then no other one can start. */
export const isRunning = (state: SessionState): boolean =>
  ['preparing', 'training', 'paused', 'recovering', 'stopping'].includes(state);

const stateNames: Record<SessionState, string> = {
  idle: say`Ready to train`,
  preparing: say`Preparing`,
  training: say`Training`,
  paused: say`Paused`,
  recovering: say`GPU device lost, recovering`,
  stopping: say`Stopping`,
  stopped: say`Stopped`,
  done: say`Done`,
  failed: say`Failed`,
};

/** The buttons, in the order in which one gets the focus if the focused one is hidden. */
const focusOrder = ['#pause', '#stop', '#start'];

/** The panel. */
export class RunPanel extends Panel {
  /** The current values: another part of the page shows them. */
  readonly figures = new RunFigures();
  readonly #actions: RunActions;
  #state: SessionState = 'idle';
  #text = '';
  #planText = '';
  /** What the training does because the tab is hidden, or did. */
  #awayText = '';
  #model = '';
  #step = 0;
  #steps = 0;
  #savedAt = 0;
  #ready: 'ready' | 'pending' | 'invalid' = 'pending';
  /** Whether Start was pressed before the plan was ready. */
  #queued = false;
  /** Whether a single step is running; other presses are ignored meanwhile. */
  #stepping = false;
  /** Start of the current state, to show the seconds of a recovery. */
  #since = 0;
  #clock = 0;
  /** The last tenth announced to screen readers, and the text. */
  #announced = -1;
  #announcement = '';

  constructor(actions: RunActions) {
    super();
    this.#actions = actions;
    this.draw();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Name of the model that trains, or has trained. */
  get model(): string {
    return this.#model;
  }

  onEvent(event: SessionEvent): void {
    this.figures.onEvent(event);
    if (event.type === 'state') this.#enter(event);
    else if (event.type === 'steps') this.#step = Math.max(this.#step, event.steps.at(-1)?.step ?? 0);
    else if (event.type === 'checkpoint') this.#savedAt = event.time;
    else if (event.type === 'progress' && this.#state === 'preparing')
      this.#text = say`${event.text} · ${event.done} of ${event.total}`;
    this.drawSoon();
  }

  /**
   * Sets whether a training can start, and a message. While the plan is `pending`, a press of Start waits for
   * it.
   */
  setReady(ready: 'ready' | 'pending' | 'invalid', text = ''): void {
    this.#ready = ready;
    if (!isRunning(this.#state)) {
      if (ready !== 'pending' || text !== '') this.#planText = text;
      if (ready === 'invalid') this.#text = '';
    }
    this.draw(); // now, not in the next frame
  }

  /** Shows what the training does because the tab is hidden, or did. */
  setAway(text: string): void {
    this.#awayText = text;
    this.drawSoon();
  }

  /** Shows that the page has the stored training of a model. A training that runs stays. */
  showStored(model: string): void {
    if (isRunning(this.#state)) return;
    this.figures.clear();
    [this.#state, this.#text, this.#model] = ['idle', '', model];
    [this.#step, this.#steps, this.#savedAt] = [0, 0, 0];
    this.draw();
  }

  #enter(event: SessionEvent & { type: 'state' }): void {
    if (event.state === 'preparing') {
      this.#savedAt = 0;
      this.#awayText = '';
      this.#announced = -1;
      if (!this.#queued) this.#planText = ''; // resumed: the plan is not of this training
    }
    const changed = event.state !== this.#state;
    this.#state = event.state;
    this.#text = event.text;
    this.#model = event.model;
    this.#step = event.step;
    this.#steps = event.steps;
    if (!changed) return;
    this.#since = performance.now();
    window.clearInterval(this.#clock);
    // A crashed GPU process may take half a minute to restart: show the seconds.
    if (event.state === 'recovering') this.#clock = window.setInterval(this.drawSoon, 1000);
    this.#announce();
  }

  #announce(): void {
    const { loss } = this.figures;
    const lossText = loss !== undefined && this.#step > 0 ? say`, loss ${fixed(loss, 2)}` : '';
    const share = this.#steps > 0 ? say`, ${Math.floor((100 * this.#step) / this.#steps)} percent` : '';
    const text = `${stateNames[this.#state]}${share}${lossText}. ${this.#text}`.trim();
    this.#announcement = this.#state === 'idle' ? '' : text;
  }

  async #pressStart(): Promise<void> {
    if (this.#queued || this.#ready === 'invalid') return;
    this.#queued = true;
    this.draw();
    await this.#actions.start();
    this.#queued = false;
    this.draw();
  }

  async #pressAgain(): Promise<void> {
    this.#actions.resetRate();
    await this.#pressStart();
  }

  async #pressStep(): Promise<void> {
    if (this.#stepping) return;
    this.#stepping = true;
    this.draw();
    await this.#actions.singleStep();
    this.#stepping = false;
    this.draw();
  }

  #pressPause(): void {
    if (this.#state === 'paused') this.#actions.continue();
    else this.#actions.pause();
  }

  override draw(): void {
    const tenth = this.#steps > 0 ? Math.floor((10 * this.#step) / this.#steps) : 0;
    if (tenth !== this.#announced) {
      this.#announced = tenth;
      this.#announce();
    }
    const focused = this.element.querySelector('button:focus');
    super.draw();
    if (!focused?.matches('[hidden], :disabled')) return;
    // The focused button is hidden now: the button that replaces it gets the focus.
    const next = focusOrder.find((id) => this.find(id).matches(':not([hidden], :disabled)'));
    (next ? this.find<HTMLElement>(next) : document.getElementById('run'))?.focus();
  }

  protected override template(): Content {
    const state = this.#state;
    const isBusy = isRunning(state);
    const isPaused = state === 'paused';
    const [step, steps] = [this.#step, this.#steps];
    const startText = state === 'idle' ? say`Start training` : say`Start a new training`;
    const isWrong =
      state === 'failed' ||
      this.#hasDiverged() ||
      (this.#ready === 'invalid' && this.#planText !== '' && !isBusy);
    return html`
      <div class="row run-row">
        <div class="run-where">
          <span class="state" data-state=${this.#hasDiverged() ? 'failed' : state}>${this.#title()}</span>
          <span class="soft number">${this.#progress()}</span>
        </div>
        <div class="row push">
          <button
            type="button"
            id="again"
            ?hidden=${!this.#hasDiverged()}
            @click=${this.#pressAgain}
          >Again with ${formatNumber(this.#actions.usualRate() ?? 0)}</button>
          <button
            type="button"
            class="main"
            id="start"
            ?hidden=${isBusy}
            ?disabled=${this.#ready === 'invalid'}
            aria-busy=${this.#queued || nothing}
            @click=${this.#pressStart}
          >${this.#queued ? say`Starting…` : startText}</button>
          <button
            type="button"
            class=${isPaused ? 'main' : ''}
            id="pause"
            ?hidden=${!isBusy}
            ?disabled=${state !== 'training' && !isPaused}
            @click=${this.#pressPause}
          >${isPaused ? say`Continue` : say`Pause`}</button>
          <button
            type="button"
            id="single-step"
            aria-label="Step: train a single step"
            ?hidden=${!isPaused}
            aria-busy=${this.#stepping || nothing}
            @click=${this.#pressStep}
          >Step</button>
          <button
            type="button"
            id="stop"
            ?hidden=${!isBusy}
            ?disabled=${state === 'stopping'}
            @click=${() => this.#actions.stop()}
          >Stop</button>
        </div>
      </div>
      <progress
        max="1"
        value=${state === 'preparing' && steps === 0 ? nothing : steps > 0 ? step / steps : 0}
        aria-label="Training progress"
        ?hidden=${steps === 0 && !isBusy}
      ></progress>
      <p class=${isWrong ? 'hint why wrong' : 'hint why'}>${this.#note(isBusy)}</p>
      <p class="unseen" role="status" .textContent=${this.#announcement}></p>`;
  }

  /** Whether the training has ended with a loss far above its first one. */
  #hasDiverged(): boolean {
    return ['done', 'stopped'].includes(this.#state) && this.figures.diverged !== undefined;
  }

  #title(): string {
    if (this.#hasDiverged()) return say`Diverged`;
    if (this.#state === 'idle' && this.#ready === 'pending') return say`Planning`;
    const waited = Math.round((performance.now() - this.#since) / 1000);
    return stateNames[this.#state] + (this.#state === 'recovering' && waited > 0 ? `, ${waited} s` : '');
  }

  #progress(): string {
    const [step, steps] = [this.#step, this.#steps];
    if (steps === 0) return this.#model;
    const left = ((steps - step) * this.figures.stepMs) / 1000;
    const leftText =
      this.#state === 'training' && Number.isFinite(left) ? say` · ${formatDuration(left)} left` : '';
    const model = this.#model ? `${this.#model} · ` : '';
    return say`${model}step ${formatInteger(step)} of ${formatInteger(steps)}${leftText}`;
  }

  #note(isBusy: boolean): string {
    const diverged = this.#hasDiverged() ? this.figures.diverged : undefined;
    if (diverged)
      return say`The loss rose from ${formatNumber(diverged.from)} to ${formatNumber(diverged.to)}: the learning rate is too high.`;
    const time = formatTime(this.#savedAt);
    const checkpoint = this.#savedAt > 0 ? say`Last checkpoint at ${time}.` : '';
    const saved = [this.#awayText, checkpoint].filter(Boolean).join(' ');
    return this.#text || (isBusy ? saved || this.#planText : this.#planText || saved);
  }
}

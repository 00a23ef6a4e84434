// Form of the lab: kernels, duration, libraries to compare with; start, stop, progress.

import { installed } from 'virtual:heddle-peer-names';
import type { Message } from '../../src/core/message.ts';
import { field, segmentedChoice } from '../common/form-fields.ts';

import { say } from '../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../common/panel.ts';
import { translatedMessage } from '../common/translated-message.ts';
import { KernelForm } from './kernel-form.ts';
import { type LabSettings, type PeerName, peerNames } from './lab-protocol.ts';

const lengths = { quick: { span: 20, rounds: 5 }, careful: { span: 100, rounds: 9 } } as const;
const peers = Object.entries(peerNames).map(([id, name]) => ({
  id: id as PeerName,
  name,
  isInstalled: installed.includes(id as PeerName),
}));

/** Callbacks of the buttons. */
export interface LabActions {
  measure(settings: LabSettings): void;
  checkConformance(): void;
  stop(): void;
}

/** The form. */
export class LabControls extends Panel {
  readonly #actions: LabActions;
  readonly #own = new KernelForm(() => {});
  #which: LabSettings['set'] | 'own' = 'small';
  #length: keyof typeof lengths = 'quick';
  readonly #peers = new Set<PeerName>();
  #isRunning = false;
  /** Whether the editor uses the device; a measurement must wait. */
  #isBusy = false;
  #progress: { readonly done: number; readonly total: number } | undefined;
  #status = '';
  #isWrong = false;

  constructor(actions: LabActions) {
    super('');
    this.#actions = actions;
    this.draw();
  }

  /** Starts a measurement, as the button does. */
  start(): void {
    this.find<HTMLFormElement>('form').requestSubmit();
  }

  /** Sets whether the editor uses the device. */
  setBusy(busy: boolean): void {
    this.#isBusy = busy;
    this.draw();
  }

  /** Sets whether a measurement is running. */
  setRunning(running: boolean): void {
    this.#isRunning = running;
    this.#progress = undefined;
    this.#own.setDisabled(running);
    if (running) this.setStatus(say`Opening the device …`);
    this.draw();
  }

  /** Shows the progress: `done` of `total` kernels, and the name of the next one. */
  setProgress(done: number, total: number, next: Message | string): void {
    this.#progress = { done, total };
    this.setStatus(say`${done + 1} of ${total}: ${translatedMessage(next)}`);
  }

  /** Shows how the measurement ended. */
  setStatus(text: string, kind?: 'bad'): void {
    this.#status = text;
    this.#isWrong = kind === 'bad';
    this.draw();
  }

  #submit(event: Event): void {
    event.preventDefault();
    const chosen = peers.filter(({ id }) => this.#peers.has(id)).map(({ id }) => id);
    const common = { ...lengths[this.#length], peers: chosen };
    if (this.#which !== 'own') {
      const filter = this.find('#lab-filter').value;
      this.#actions.measure({ set: this.#which, filter, ...common });
      return;
    }
    const spec = this.#own.read();
    if (spec) this.#actions.measure({ set: 'small', filter: '', specs: [spec], ...common });
  }

  #togglePeer(id: PeerName, event: Event): void {
    if ((event.target as HTMLInputElement).checked) this.#peers.add(id);
    else this.#peers.delete(id);
  }

  #select(which: LabSettings['set'] | 'own'): void {
    this.#which = which;
    this.draw();
  }

  #selectLength(length: keyof typeof lengths): void {
    this.#length = length;
    this.draw();
  }

  protected override template(): Content {
    const isRunning = this.#isRunning;
    this.#own.element.hidden = this.#which !== 'own';
    const { done, total = 1 } = this.#progress ?? {};
    return html`
      <form class="controls" @submit=${this.#submit}>
        <details>
          <summary>Choose kernels and sizes, or check conformance</summary>
          <div class="stack">
            <fieldset class="what" ?disabled=${isRunning}>
              <legend class="unseen">What to measure</legend>
              ${this.#choices()}
            </fieldset>
            ${this.#own.element}
            <div class="row">
              <button type="submit" class="main" ?disabled=${isRunning || this.#isBusy}>Measure</button>
              <button
                type="button"
                title="All kernels at small sizes, 20 training steps, latencies, recovery of a lost device"
                ?disabled=${isRunning}
                @click=${() => this.#actions.checkConformance()}
              >Check conformance</button>
            </div>
          </div>
        </details>
        <div class="row go" ?hidden=${!isRunning && this.#status === ''}>
          <button type="button" ?disabled=${!isRunning} @click=${() => this.#actions.stop()}>Stop</button>
          <progress
            max=${total}
            value=${done ?? nothing}
            aria-label="Progress of the measurements"
            ?hidden=${!isRunning}
          ></progress>
          <p class=${this.#isWrong ? 'status wrong' : 'status'} role="status">${this.#status}</p>
        </div>
      </form>`;
  }

  #choices(): Content {
    const kernels = segmentedChoice<LabSettings['set'] | 'own'>({
      name: 'lab-kernels',
      legend: say`Kernels`,
      options: [
        ['small', say`Small set`],
        ['all', say`All`],
        ['own', say`Your sizes`],
      ],
      selected: this.#which,
      onChange: (which) => this.#select(which),
    });
    const measurements = segmentedChoice<keyof typeof lengths>({
      name: 'lab-length',
      legend: say`Measurements`,
      options: [
        ['quick', say`5 rounds of 20 ms`],
        ['careful', say`9 rounds of 100 ms`],
      ],
      selected: this.#length,
      onChange: (length) => this.#selectLength(length),
    });
    const filter = html`<input
      id="lab-filter"
      type="search"
      placeholder="all"
      autocomplete="off"
      spellcheck="false"
    />`;
    return html`
      ${titled(say`Kernels`, kernels)} ${titled(say`Measurements`, measurements)}
      <div ?hidden=${this.#which === 'own'}>${field('lab-filter', say`Filter by name`, filter)}</div>
      <fieldset class="stack-small" ?hidden=${!peers.some(({ isInstalled }) => isInstalled)}>
        <legend>Compare with</legend>
        ${peers
          .filter(({ isInstalled }) => isInstalled)
          .map(
            ({ id, name }) => html`
            <label class="check"
              ><input
                type="checkbox"
                value=${id}
                aria-describedby="peers-hint"
                @change=${(event: Event) => this.#togglePeer(id, event)}
              />${name}</label
            >`,
          )}
        <p class="hint" id="peers-hint">Loaded from the origin of this page when the measurement starts.</p>
      </fieldset>`;
  }
}

/** A group of radio buttons with its title above it. */
const titled = (title: string, choice: Content): Content => html`
  <div class="field"><span class="label" aria-hidden="true">${title}</span>${choice}</div>`;

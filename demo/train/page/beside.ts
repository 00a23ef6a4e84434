// A second training beside the first, on the same batches, with one setting changed: its loss is grey behind that of
// the first. It has a worker of its own, and pauses, goes on and stops with the first.

import type { TrainSettings } from '../../../src/entries/heddle.ts';
import { field, markValid, options } from '../../common/form-fields.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import type { SessionEvent, TrainingSettings } from '../protocol.ts';
import { Series } from './averaged-series.ts';
import { settingLabel } from './setting-words.ts';
import type { Session } from './training-session.ts';

/** The settings that may differ: batches, their order and the initial weights depend on none of them. */
const knobs = [
  'learningRate',
  'dropout',
  'warmupSteps',
  'weightDecay',
  'labelSmoothing',
  'clipNorm',
] as const;
type Knob = (typeof knobs)[number];

/** What the panel needs of the page. */
export interface BesideHost {
  /** Creates the session of the second training. */
  createSession(): Session;
  /** Shows a series of losses behind those of the first training; undefined: none. */
  show(series: Series | undefined, name: string): void;
  /** Called when the second training has ended. */
  onEnd(): void;
}

/** The name, with a number if a model has it. */
async function freeName(session: Session, name: string): Promise<string> {
  const { models } = await session.storage();
  const taken = new Set(models.map((model) => model.name));
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name}-${n}`;
  return free;
}

/** The choice of the setting, and the second training. */
export class Beside extends Panel {
  readonly #host: BesideHost;
  #isOn = false;
  #knob: Knob = 'learningRate';
  #value = '';
  #session: Session | undefined;
  /** Whether the second training runs. */
  #isRunning = false;
  #loss = new Series();
  #name = '';
  #note = '';

  constructor(host: BesideHost) {
    super('stack');
    this.#host = host;
    this.draw();
  }

  /** Whether both trainings can start; if the value is missing, its field is marked and gets the focus. */
  check(): boolean {
    const input = this.#isOn ? this.find('#beside-value') : undefined;
    if (!input || markValid(input)) return true;
    input.focus();
    return false;
  }

  /** Starts the second training with the settings of the first, if the visitor wants one. */
  async start(settings: TrainingSettings): Promise<void> {
    if (!this.#isOn || this.#isRunning) return;
    const changed: TrainSettings = { ...settings.settings, [this.#knob]: Number(this.#value) };
    this.#name = `${settingLabel(this.#knob).toLowerCase()} ${this.#value}`;
    this.#loss = new Series();
    this.#isRunning = true;
    this.#say('');
    this.#host.show(this.#loss, this.#name);
    this.#session ??= this.#connect();
    try {
      const name = await freeName(this.#session, `${settings.name.slice(0, 50)}-beside`);
      await this.#session.start({ ...settings, name, settings: changed });
    } catch (error) {
      this.#isRunning = false;
      this.#say((error as Error).message);
    }
  }

  /** An event of the first training, which the second one follows. */
  onEvent(event: SessionEvent): void {
    if (event.type !== 'state' || !this.#isRunning || !this.#session) return;
    const session = this.#session;
    const follow = { paused: session.pause, training: session.continue, stopping: session.stop };
    const { state } = event;
    if (state === 'paused' || state === 'training' || state === 'stopping')
      // The second one may be in another state, for example at its end.
      void follow[state].call(session).catch(() => undefined);
  }

  #connect(): Session {
    const session = this.#host.createSession();
    session.on((event) => this.#onOwnEvent(event));
    return session;
  }

  #onOwnEvent(event: SessionEvent): void {
    if (event.type === 'steps') {
      for (const { step, loss } of event.steps) this.#loss.add(step, loss);
      this.#host.show(this.#loss, this.#name);
    } else if (event.type === 'state') {
      this.#isRunning = !['done', 'stopped', 'failed', 'idle'].includes(event.state);
      if (event.state === 'failed') this.#say(event.text);
      if (!this.#isRunning) this.#host.onEnd();
    }
  }

  #say(note: string): void {
    this.#note = note;
    this.draw();
  }

  #toggle(event: Event): void {
    this.#isOn = (event.target as HTMLInputElement).checked;
    this.draw();
  }

  #choose(event: Event): void {
    this.#knob = (event.target as HTMLSelectElement).value as Knob;
    this.draw();
  }

  #edit(event: Event): void {
    this.#value = (event.target as HTMLInputElement).value;
  }

  protected override template(): Content {
    const names = knobs.map((name) => [name, settingLabel(name)] as const);
    const list = html`<select id="beside-knob" @input=${this.#choose}>${options(names, this.#knob)}</select>`;
    const value = html`<input
      id="beside-value"
      type="number"
      inputmode="decimal"
      step="any"
      min="0"
      required
      value=${this.#value}
      @input=${this.#edit}
    />`;
    return html`
      <label class="check"
        ><input type="checkbox" id="beside-on" @change=${this.#toggle} />Train a second model beside it, with one setting
        changed</label
      >
      ${
        this.#isOn
          ? html`<div class="pairs">
                ${field('beside-knob', say`Setting`, list)} ${field('beside-value', say`Its value in the second`, value)}
              </div>
              <p class="hint">Both see the same batches. The loss of the second is grey behind that of the first.</p>`
          : nothing
      }
      <p class="wrong" role="status" id="beside-note">${this.#note}</p>`;
  }
}

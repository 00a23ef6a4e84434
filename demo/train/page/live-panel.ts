// Panel of the settings that can change while a training runs: learning rate, dropout and evaluation
// interval; lists the changes of the run.

import { live } from 'lit-html/directives/live.js';
import type { LiveSettings } from '../../../src/entries/heddle.ts';
import type { LogChange } from '../../../src/entries/reports.ts';
import { liveSettingLabels } from '../../../src/entries/reports.ts';
import { field, markValid } from '../../common/form-fields.ts';
import { formatInteger, formatNumber } from '../../common/format.ts';
import { say, translated } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import type { SessionEvent } from '../protocol.ts';
import { isRunning } from './run-panel.ts';
import type { Session } from './training-session.ts';

type Name = keyof LiveSettings;

const names = Object.keys(liveSettingLabels) as Name[];

/** Label of the learning rate, which depends on the schedule. */
function rateLabel(schedule: string): string {
  if (schedule === '') return say`Learning rate`;
  if (schedule === 'constant') return say`Constant learning rate`;
  return schedule === 'noam' ? say`Learning rate factor (noam)` : say`Maximum learning rate (${schedule})`;
}

/** The panel. */
export class LivePanel extends Panel {
  readonly #session: Pick<Session, 'change'>;
  /** The settings of the training. */
  #now: Required<LiveSettings> = { learningRate: 0, dropout: 0, evalSteps: 0 };
  /** Fields that the visitor has edited, as text. */
  #edited: Partial<Record<Name, string>> = {};
  #schedule = '';
  #changes: readonly LogChange[] = [];
  #isRunning = false;
  #isPreparing = false;
  #note: { readonly text: string; readonly isWrong: boolean } = { text: '', isWrong: false };

  constructor(session: Pick<Session, 'change'>) {
    super();
    this.#session = session;
    this.draw();
  }

  onEvent(event: SessionEvent): void {
    if (event.type === 'state') {
      this.#isRunning = isRunning(event.state);
      this.#isPreparing = event.state === 'preparing';
      if (this.#isPreparing) {
        this.#changes = [];
        this.#note = { text: '', isWrong: false };
      }
    } else if (event.type === 'started') {
      this.#now = event.info.live;
      this.#schedule = event.info.schedule;
      this.#edited = {};
    } else if (event.type === 'change') {
      const { type: _, step: __, ...settings } = event.change;
      this.#now = { ...this.#now, ...settings };
      this.#changes = [...this.#changes, event.change];
      this.#keepFocused();
    } else if (event.type === 'history') this.#changes = event.changes;
    else return;
    this.draw();
  }

  /** After a change only the field that the visitor is editing keeps its text. */
  #keepFocused(): void {
    const name = names.find((each) => this.#input(each) === document.activeElement);
    const text = name && this.#edited[name];
    this.#edited = text === undefined ? {} : { [name as Name]: text };
  }

  #input(name: Name): HTMLInputElement {
    return this.find(`#live-${name}`);
  }

  /** The settings that the visitor has changed; undefined if one is invalid, with a message. */
  #changed(): LiveSettings | undefined {
    const rate = this.#input('learningRate');
    rate.setCustomValidity(rate.valueAsNumber > 0 ? '' : say`must be above 0`);
    const invalid = names.map((name) => this.#input(name)).filter((input) => !markValid(input))[0];
    if (invalid) {
      const text = `${invalid.labels?.[0]?.textContent}: ${invalid.validationMessage}`;
      this.#note = { text, isWrong: true };
      return undefined;
    }
    this.#note = { text: '', isWrong: false };
    return Object.fromEntries(
      names.flatMap((name) => {
        const value = this.#input(name).valueAsNumber;
        return value === this.#now[name] ? [] : [[name, value]];
      }),
    );
  }

  #edit(event: Event): void {
    const input = event.target as HTMLInputElement;
    const name = names.find((each) => this.#input(each) === input);
    if (name) this.#edited = { ...this.#edited, [name]: input.value };
    this.#changed();
    this.draw();
  }

  async #apply(event: Event): Promise<void> {
    event.preventDefault();
    const given = this.#changed();
    if (given && Object.keys(given).length > 0)
      try {
        await this.#session.change(given);
        this.#note = { text: say`Applied. The change is recorded with the run.`, isWrong: false };
      } catch (error) {
        this.#note = { text: (error as Error).message, isWrong: true };
      }
    this.draw();
  }

  protected override template(): Content {
    const isChanged = names.some((name) => {
      const text = this.#edited[name];
      return text !== undefined && Number(text) !== this.#now[name];
    });
    this.element.hidden = this.#isPreparing || (!this.#isRunning && this.#changes.length === 0);
    const { text, isWrong } = this.#note;
    return html`
      <form
        class="stack"
        novalidate
        aria-labelledby="live-title"
        ?hidden=${!this.#isRunning}
        @input=${this.#edit}
        @submit=${this.#apply}
      >
        <h3 id="live-title">From the next step on</h3>
        <div class="live">
          ${this.#field('learningRate', rateLabel(this.#schedule), 'any')}
          ${this.#field('dropout', say`Dropout rate`, 'any', 0.99)}
          ${this.#field('evalSteps', say`Evaluation interval (steps)`, '1')}
          <button type="submit" id="apply-changes" ?disabled=${!isChanged && !isWrong}>Apply</button>
        </div>
        <p class=${isWrong ? 'wrong' : 'hint'} role="status" id="live-note">${text}</p>
      </form>
      <ul
        class="changes hint"
        id="changes"
        aria-label="Changes during this run"
        ?hidden=${this.#changes.length === 0}
      >
        ${this.#changes.map((change) => html`<li>${changeText(change)}</li>`)}
      </ul>`;
  }

  #field(name: Name, label: string, step: string, max?: number): Content {
    const id = `live-${name}`;
    return field(
      id,
      label,
      html`<input
        id=${id}
        type="number"
        inputmode="decimal"
        required
        min="0"
        max=${max ?? nothing}
        step=${step}
        .value=${live(this.#edited[name] ?? String(this.#now[name]))}
      />`,
    );
  }
}

/** `After step 40: learning rate 0.001, dropout 0`. */
function changeText({ step, ...settings }: LogChange): string {
  const parts = names.flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : [`${translated(liveSettingLabels[name])} ${formatNumber(value)}`];
  });
  return say`After step ${formatInteger(step)}: ${parts.join(', ')}`;
}

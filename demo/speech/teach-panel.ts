// Teach it your words: sentences to record, the recordings, and what the model learned from them.

import { BusyPanel } from '../common/busy-panel.ts';
import { field } from '../common/form-fields.ts';
import { fixed, formatPercent } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { download } from '../common/save-blob.ts';
import { termList } from '../common/terms.ts';
import { HoldButton, type SampleStream } from './hold-button.ts';
import { play } from './player.ts';
import { fetchClip, teachClips } from './shipped-speech.ts';
import type { RecordingView, TeachReport } from './speech-protocol.ts';

/** What the panel asks for. All reject with a message for the visitor. */
export interface TeachActions {
  /** Takes the samples of the microphone. */
  readonly stream: SampleStream;
  ready(): Promise<void>;
  /** Stores a file, or the pieces that follow, as a recording of a sentence. */
  record(text: string, from: Blob | number): Promise<RecordingView[]>;
  sound(file: string): Promise<Blob>;
  remove(file: string): Promise<RecordingView[]>;
  archive(): Promise<Blob>;
  teach(): Promise<TeachReport>;
}

/** Fewest recordings to learn from. */
const minRecordings = 5;

/** The panel. */
export class TeachPanel extends BusyPanel {
  readonly #actions: TeachActions;
  readonly #button: HoldButton;
  #recordings: readonly RecordingView[] = [];
  #sentence = teachClips[0]?.text ?? '';
  #report: TeachReport | undefined;

  constructor(actions: TeachActions) {
    super();
    this.#actions = actions;
    this.#button = new HoldButton('record', say`Hold and read it aloud`, actions.stream, {
      onStart: (rate) => {
        void this.run(() => this.#record(rate));
      },
      onProblem: (text) => this.showError(text),
    });
    this.draw();
  }

  show(recordings: readonly RecordingView[]): void {
    this.#recordings = recordings;
    const recorded = new Set(recordings.map(({ text }) => text));
    if (recorded.has(this.#sentence))
      this.#sentence = teachClips.find(({ text }) => !recorded.has(text))?.text ?? '';
    this.draw();
  }

  async #record(rate: number): Promise<void> {
    this.show(await this.#actions.record(this.#sentence, rate));
  }

  /** Takes the built-in clips as recordings. */
  async #takeClips(): Promise<void> {
    for (const clip of teachClips) {
      this.status = say`Taking “${clip.text}”…`;
      this.draw();
      this.show(await this.#actions.record(clip.text, await fetchClip(clip)));
    }
  }

  async #teach(): Promise<void> {
    this.#report = undefined;
    await this.#actions.ready();
    this.#report = await this.#actions.teach();
  }

  #change({ clips, before, after }: TeachReport['learned'], what: string): Content {
    return html`
      <tr>
        <th scope="row">${clips} ${what}</th>
        <td class="number">${formatPercent(before)}</td>
        <td class="number">${formatPercent(after)}</td>
      </tr>`;
  }

  #reportOf(): Content {
    if (!this.#report) return nothing;
    const { learned, heldOut, steps, seconds, unknown } = this.#report;
    return html`
      <div class="note good" id="taught">
        <p><b>Learned in ${seconds.toFixed(0)} s</b>, ${steps} updates of a LoRA adapter. Word error rate:</p>
        <table>
          <caption class="unseen">Word error rate before and after</caption>
          <thead><tr><th scope="col">Recordings</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
          <tbody>
            ${this.#change(learned, say`it learned from`)} ${this.#change(heldOut, say`kept apart`)}
          </tbody>
        </table>
        ${
          unknown.length > 0
            ? html`<p>The model has no token for: ${unknown.join(', ')}. It cannot write these words; a Whisper model can.</p>`
            : nothing
        }
      </div>`;
  }

  #row({ file, text, seconds }: RecordingView): Content {
    const { sound, remove } = this.#actions;
    return html`
      <li class="row">
        <span class="sentence">${text}</span>
        <span class="hint number">${fixed(seconds, 1)} s</span>
        <button
          type="button"
          class="small push"
          aria-label="Play “${text}”"
          @click=${() => void this.run(async () => play(await sound(file)))}
        >Play</button>
        <button
          type="button"
          class="small"
          aria-label="Delete “${text}”"
          ?disabled=${this.isBusy}
          @click=${() => void this.run(async () => this.show(await remove(file)))}
        >Delete</button>
      </li>`;
  }

  protected override template(): Content {
    const count = this.#recordings.length;
    const sentence = html`<input
      id="sentence"
      type="text"
      autocomplete="off"
      .value=${this.#sentence}
      @input=${(event: Event) => {
        this.#sentence = (event.target as HTMLInputElement).value;
      }}
    />`;
    return html`
      <div class="stack">
        ${field('sentence', say`Sentence ${count + 1}`, sentence, say`Change it to what you say; ten sentences are enough.`)}
        <div class="speak">
          ${this.#button.element}
          <button
            type="button"
            id="take-clips"
            ?disabled=${this.isBusy}
            @click=${() => void this.run(() => this.#takeClips())}
          >Take the built-in clips</button>
        </div>
      </div>
      <p class="number" id="recordings-count">${count} of 10 sentences recorded</p>
      <ol class="recordings" id="recordings">${this.#recordings.map((recording) => this.#row(recording))}</ol>
      ${this.messages('teach-status')}
      ${this.#reportOf()}
      <div class="row">
        <button
          type="button"
          class="main"
          id="learn"
          ?disabled=${this.isBusy || count < minRecordings}
          @click=${() => void this.run(() => this.#teach())}
        >Learn from them</button>
        <button
          type="button"
          id="export"
          ?disabled=${this.isBusy || count === 0}
          @click=${() => void this.run(async () => download(await this.#actions.archive(), 'recordings.zip'))}
        >Download the recordings (zip)</button>
      </div>
      ${count < minRecordings ? html`<p class="hint">Record five sentences or more to learn from them.</p>` : nothing}
      ${termList('teach', ['loss'])}`;
  }
}

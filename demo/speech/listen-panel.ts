// The microphone and the clips of the page: what was heard, with times, and the views of the sound.

import { BusyPanel } from '../common/busy-panel.ts';
import { markDoubts } from '../common/doubt-marks.ts';
import { fixed } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, nothing } from '../common/panel.ts';
import { HoldButton, type SampleStream } from './hold-button.ts';
import { play } from './player.ts';
import { fetchClip, listenClips, type ShippedClip } from './shipped-speech.ts';
import { SoundView } from './sound-view.ts';
import type { Heard } from './speech-protocol.ts';

/** What the panel asks for. All reject with a message for the visitor. */
export interface ListenActions {
  /** Takes the samples of the microphone. */
  readonly stream: SampleStream;
  /** Loads the model. */
  ready(): Promise<void>;
  read(sound: Blob): Promise<Heard>;
  /** Transcribes the pieces that follow. */
  listen(rate: number): Promise<Heard>;
}

/** The panel. */
export class ListenPanel extends BusyPanel {
  readonly #actions: ListenActions;
  readonly #view = new SoundView();
  readonly #button: HoldButton;
  #heard: Heard | undefined;
  #partial = '';
  /** Whether it has heard a recording, so that the kernels are compiled. */
  #hasHeard = false;

  constructor(actions: ListenActions) {
    super();
    this.#actions = actions;
    this.#button = new HoldButton('speak', say`Hold and speak`, actions.stream, {
      onStart: (rate) => {
        void this.#hear(async () => {
          await this.#ready(say`Listening…`);
          return actions.listen(rate);
        });
      },
      onProblem: (text) => this.showError(text),
    });
    this.draw();
  }

  /** Shows the text so far, while a recording is heard. */
  showPartial(text: string): void {
    if (!this.isBusy) return;
    this.#partial = text;
    this.drawSoon();
  }

  /** Adds new frames of the microphone to the spectrogram. */
  addFrames(logs: Float32Array, mels: number): void {
    if (this.isBusy) this.#view.add(logs, mels);
  }

  /** Transcribes a file. */
  take(sound: Blob): void {
    void this.#hear(() => this.#read(sound));
  }

  async #hear(hear: () => Promise<Heard>): Promise<void> {
    this.#heard = undefined;
    this.#partial = '';
    this.#view.clear();
    await this.run(async () => {
      const heard = await hear();
      this.#heard = heard;
      this.#hasHeard = true;
      this.#view.show(heard.features, heard.mels, heard.attention);
    }, say`Loading the model…`);
  }

  /** Loads the model; then `status` says what it does. */
  async #ready(status: string): Promise<void> {
    await this.#actions.ready();
    this.showStatus(status);
  }

  /** Loads the model and reads a recording. The first time, its kernels are compiled too, which the visitor waits for. */
  async #read(sound: Blob): Promise<Heard> {
    await this.#ready(
      this.#hasHeard
        ? say`The model listens to the recording…`
        : say`The model listens to the recording. The first time the GPU prepares its programs, which takes some seconds…`,
    );
    return this.#actions.read(sound);
  }

  #clip(clip: ShippedClip): void {
    void this.#hear(async () => {
      this.showStatus(say`Loading the clip…`);
      const sound = await fetchClip(clip);
      this.showStatus(say`Loading the model…`);
      return this.#read(sound);
    });
  }

  #pick(event: Event): void {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    input.value = '';
    if (file) void this.#hear(() => this.#read(file));
  }

  #result(): Content {
    const heard = this.#heard;
    if (!heard) return html`<p class="heard" id="heard" aria-live="polite">${this.#partial}</p>`;
    const { text, doubts, segments, duration, seconds, language, sound } = heard;
    const facts = [
      say`${fixed(duration, 1)} s of sound`,
      say`text after ${fixed(seconds, 1)} s`,
      ...(language ? [say`language ${language}`] : []),
    ];
    return html`
      <p class="heard" id="heard" aria-live="polite">${text ? markDoubts(text, doubts) : html`<i class="hint">Nothing was heard.</i>`}</p>
      ${
        doubts.length > 0
          ? html`<p class="hint" id="heard-doubts">It is not sure of the words with a wavy line. A word that it does not know is heard as one that it knows.</p>`
          : nothing
      }
      <div class="row">
        <button type="button" class="small" @click=${() => void play(sound)}>Play</button>
        <span class="hint number" id="heard-facts">${facts.join(' · ')}</span>
      </div>
      <ol class="segments" id="segments">
        ${segments.map(
          ({ start, end, text: own }) =>
            html`<li><span class="number hint">${fixed(start, 2)} – ${fixed(end, 2)} s</span> ${own}</li>`,
        )}
      </ol>`;
  }

  protected override template(): Content {
    return html`
      <div class="speak">
        ${this.#button.element}
        <p class="hint">By keyboard: hold Space on the button. Nothing leaves this browser.</p>
      </div>
      <div class="row" role="group" aria-label="Clips">
        <span class="hint">Without a microphone:</span>
        ${listenClips.map(
          (clip, i) => html`
            <button type="button" class="small" id="clip-${i + 1}" ?disabled=${this.isBusy} @click=${() => this.#clip(clip)}>
              <span lang="en">“${clip.text}”</span>
            </button>`,
        )}
        <label class="button small file">
          Select a file
          <input type="file" id="pick-sound" accept="audio/*,.wav" ?disabled=${this.isBusy} @change=${this.#pick} />
        </label>
      </div>
      ${this.messages('listen-status')}
      ${this.isBusy || this.#heard ? this.#result() : nothing}
      ${this.#view.element}`;
  }
}

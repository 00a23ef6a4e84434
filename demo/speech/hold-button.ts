// A button that records while it is held: by pointer or by the keys Space and Enter. A click without a press, as
// screen readers make it, starts a recording, and the next one ends it.

import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { Microphone } from './microphone.ts';

/** Takes the samples of a recording. */
export interface SampleStream {
  sendBegin(): void;
  sendPiece(samples: Float32Array): void;
  sendEnd(): void;
}

/** What else happens at a recording. */
export interface Recorder {
  /** Called when the microphone is open, with its samples a second. */
  onStart(rate: number): void;
  /** Called with a message for the visitor; empty: nothing is wrong any more. */
  onProblem(text: string): void;
}

/** The button. */
export class HoldButton extends Panel {
  readonly #stream: SampleStream;
  readonly #recorder: Recorder;
  readonly #id: string;
  readonly #label: string;
  #isHeld = false;
  #isOn = false;
  /** Whether a press has just begun or ended, whose click follows. */
  #wasPressed = false;

  constructor(id: string, label: string, stream: SampleStream, recorder: Recorder) {
    super('hold-place');
    this.#id = id;
    this.#label = label;
    this.#stream = stream;
    this.#recorder = recorder;
    this.draw();
  }

  async #press(): Promise<void> {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#recorder.onProblem('');
    this.draw();
    try {
      const early: Float32Array[] = [];
      const microphone = await Microphone.open((samples) => {
        if (this.#isOn) this.#stream.sendPiece(samples);
        else early.push(samples);
      });
      if (!this.#isHeld) {
        await microphone.stop();
        this.#recorder.onProblem(say`The microphone is ready: hold the button while you speak.`);
        return;
      }
      this.#isOn = true;
      this.#stream.sendBegin();
      this.#recorder.onStart(microphone.rate);
      for (const samples of early) this.#stream.sendPiece(samples);
      this.draw();
      await this.#released();
      await microphone.stop();
      this.#isOn = false;
      this.#stream.sendEnd();
    } catch (error) {
      this.#recorder.onProblem((error as Error).message);
    } finally {
      this.#isHeld = false;
      this.#isOn = false;
      this.draw();
    }
  }

  #release: () => void = () => undefined;
  #released(): Promise<void> {
    return new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  #let(): void {
    this.#isHeld = false;
    this.#release();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.#wasPressed = true;
    void this.#press();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (event.type === 'keyup') this.#let();
    else if (!event.repeat) void this.#press();
  }

  #click(): void {
    if (this.#wasPressed) this.#wasPressed = false;
    else if (this.#isHeld) this.#let();
    else void this.#press();
  }

  protected override template(): Content {
    const text = this.#isOn
      ? say`Listening: release to stop`
      : this.#isHeld
        ? say`Opening the microphone…`
        : this.#label;
    return html`
      <button
        type="button"
        id=${this.#id}
        class="main hold"
        aria-pressed=${this.#isHeld ? 'true' : 'false'}
        @pointerdown=${this.#down}
        @pointerup=${this.#let}
        @pointercancel=${this.#let}
        @keydown=${this.#key}
        @keyup=${this.#key}
        @blur=${this.#let}
        @click=${this.#click}
        @contextmenu=${(event: Event) => event.preventDefault()}
      >${text}</button>`;
  }
}

// What a step of a language does, as a line of text and a share.

import { formatInteger } from '../../../src/core/format-numbers.ts';
import type { JobEvent } from '../../../src/entries/heddle.ts';
import { english } from '../../common/english.ts';

/** Milliseconds between two messages. */
const time = 200;

/** Turns events of jobs into messages, a few in a second. */
export class StepProgress {
  readonly #show: (text: string, share: number | null) => void;
  /** Number of updates of the training, from its first event. */
  #steps = 0;
  #last = 0;

  constructor(show: (text: string, share: number | null) => void) {
    this.#show = show;
  }

  /** A step begins. */
  begin(): void {
    this.#steps = 0;
    this.#say('', null, true);
  }

  take(event: JobEvent): void {
    if (event.type === 'start') this.#steps = event.steps;
    else if (event.type === 'step')
      this.#say(
        english`step ${formatInteger(event.step)} of ${formatInteger(this.#steps)}, loss ${event.loss.toFixed(3)}`,
        event.step / Math.max(1, this.#steps),
      );
    else if (event.type === 'progress')
      this.#say(
        english`${formatInteger(event.done)} of ${formatInteger(event.total)} ${event.text}`,
        event.done / Math.max(1, event.total),
      );
    else if (event.type === 'message' || event.type === 'warning') this.#say(event.text, null);
  }

  #say(text: string, share: number | null, now = false): void {
    if (!now && performance.now() - this.#last < time) return;
    this.#last = performance.now();
    this.#show(text, share);
  }
}

// What a step of a language does, as a line of text and a share.

import { fixed, type Message, msg } from '../../../src/core/message.ts';
import type { JobEvent } from '../../../src/entries/heddle.ts';

/** Milliseconds between two messages. */
const time = 200;

/** Turns events of jobs into messages, a few in a second. */
export class StepProgress {
  readonly #show: (text: Message | string, share: number | null) => void;
  /** Number of updates of the training, from its first event. */
  #steps = 0;
  #last = 0;

  constructor(show: (text: Message | string, share: number | null) => void) {
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
        msg`step ${event.step} of ${this.#steps}, loss ${fixed(event.loss, 3)}`,
        event.step / Math.max(1, this.#steps),
      );
    else if (event.type === 'progress')
      this.#say(
        msg`${event.done} of ${event.total} ${event.template ?? event.text}`,
        event.done / Math.max(1, event.total),
      );
    else if (event.type === 'message' || event.type === 'warning')
      this.#say(event.template ?? event.text, null);
  }

  #say(text: Message | string, share: number | null, now = false): void {
    if (!now && performance.now() - this.#last < time) return;
    this.#last = performance.now();
    this.#show(text, share);
  }
}

// Messages about long work of the worker, a few in a second.

import type { Message } from '../../../src/core/message.ts';
import type { Reply } from '../documents-protocol.ts';

/** Milliseconds between two messages. */
const time = 250;

/** Posts messages, the first after some time, so that short work has none. */
export class PacedStatus {
  readonly #post: (reply: Reply) => void;
  #last = performance.now();

  constructor(post: (reply: Reply) => void) {
    this.#post = post;
  }

  show(text: () => Message): void {
    if (performance.now() - this.#last < time) return;
    this.#last = performance.now();
    this.#post({ type: 'status', text: text() });
  }
}

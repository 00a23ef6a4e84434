// Progress of a training, sent to the page as events: state, updates (batched), evaluations.

import type { Message } from '../../../src/core/message.ts';
import type { LogRecord, LogStart } from '../../../src/entries/reports.ts';
import type { Sent } from '../../common/worker-client.ts';
import type { SessionEvent, SessionState, StepEvent } from '../protocol.ts';

/** Milliseconds between messages with updates. */
const flushInterval = 50;

/** Progress of a training. */
export interface Progress {
  readonly state: SessionState;
  /** Updates done. */
  readonly step: number;
  /** First record of its log; undefined before training has begun. */
  readonly head: LogStart | undefined;
  /** Sets the state and sends it with an optional message. */
  setState(state: SessionState, text?: Message | string): void;
  /** Handles a record of the log. */
  record(record: LogRecord): void;
  /** Sends buffered updates; call before sending events that come after them. */
  flush(): void;
}

/** Creates the progress of a training that is about to start; `send` sends an event to the page. */
export function createProgress(model: string, send: (event: Sent<SessionEvent>) => void): Progress {
  let state: SessionState = 'preparing';
  let head: LogStart | undefined;
  let [step, steps, seconds, sentAt] = [0, 0, 0, 0];
  let unsent: StepEvent[] = [];
  let first = true;
  const flush = () => {
    if (unsent.length === 0) return;
    send({ type: 'steps', steps: unsent });
    unsent = [];
    sentAt = performance.now();
  };
  return {
    get state() {
      return state;
    },
    get step() {
      return step;
    },
    get head() {
      return head;
    },
    setState(next, text = '') {
      state = next;
      send({ type: 'state', state, model, step, steps, text });
    },
    record(r) {
      if (r.type === 'start') {
        seconds = 0;
        first = true;
        [steps, step] = [r.steps, Math.max(step, r.step)];
        head ??= r;
      } else if (r.type === 'step') {
        step = r.step;
        unsent.push({ ...r, stepMs: Math.max(0, r.seconds - seconds) * 1000, first: first || undefined });
        first = false;
        seconds = r.seconds;
        if (performance.now() - sentAt >= flushInterval) flush();
      } else {
        flush();
        if (r.type === 'eval' && r.part === 'dev') send({ type: 'evaluation', eval: r });
        if (r.type === 'probe') send({ type: 'probe', probe: r });
        if (r.type === 'change') send({ type: 'change', change: r });
      }
    },
    flush,
  };
}

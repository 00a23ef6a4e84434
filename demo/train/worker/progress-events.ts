// How far a training is, told to the page in events: its state, its updates (many in one message), its evaluations.

import type { LogRecord, LogStart } from '../../../src/report/training-log.ts';
import type { SessionEvent, SessionState, StepEvent } from '../protocol.ts';

/** Milliseconds between messages with updates. */
const stepsEvery = 50;

/** How far a training is. */
export interface Progress {
  readonly state: SessionState;
  /** Updates done. */
  readonly step: number;
  /** The head of its log, from the first attempt; undefined before. */
  readonly head: LogStart | undefined;
  /** Goes over to a state and tells it; `text` says more of it. */
  enter(state: SessionState, text?: string): void;
  /** Takes in a record of its log. */
  record(record: LogRecord): void;
  /** Tells the updates that were held back: before anything that comes after them. */
  flush(): void;
}

/** The progress of a training that is about to begin. */
export function createProgress(model: string, tell: (event: SessionEvent) => void): Progress {
  let state: SessionState = 'preparing';
  let head: LogStart | undefined;
  let [step, steps, seconds, toldAt] = [0, 0, 0, 0];
  let unsent: StepEvent[] = [];
  const flush = () => {
    if (unsent.length === 0) return;
    tell({ type: 'steps', steps: unsent });
    unsent = [];
    toldAt = performance.now();
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
    enter(next, text = '') {
      state = next;
      tell({ type: 'state', state, model, step, steps, text });
    },
    record(r) {
      if (r.type === 'start') {
        seconds = 0;
        [steps, step] = [r.steps, Math.max(step, r.step)];
        head ??= r;
      } else if (r.type === 'step') {
        step = r.step;
        unsent.push({ ...r, stepMs: Math.max(0, r.seconds - seconds) * 1000 });
        seconds = r.seconds;
        if (performance.now() - toldAt >= stepsEvery) flush();
      } else {
        flush();
        if (r.type === 'eval' && r.part === 'dev') tell({ type: 'dev', eval: r });
      }
    },
    flush,
  };
}

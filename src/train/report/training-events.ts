// Events of a training run: the records of its log, and what happens beside them.

import type { Message } from '../../core/message.ts';
import type { Session } from '../../session/session.ts';
import type { SessionEvent } from '../../session/session-event.ts';
import type { LogRecord, Sample } from './training-log.ts';

/**
 * Event of a training run; numbers may be NaN. The records of the log are events too (`LogRecord`).
 */
export type TrainingEvent =
  | LogRecord
  /** Dev sentences as the model translates them after `step` updates. */
  | { readonly type: 'devSamples'; readonly step: number; readonly samples: readonly Sample[] }
  /** A checkpoint is complete in the model folder. */
  | { readonly type: 'checkpoint'; readonly step: number }
  /** The device was lost, or a new one is open and training continues from `step`. */
  | {
      readonly type: 'recovery';
      readonly state: 'lost' | 'recovered';
      readonly step: number;
      readonly text: string;
      readonly template?: Message;
    };

/** Event of a running job, a training included. */
export type JobEvent = SessionEvent | TrainingEvent;

/** What a training run runs on. */
export type TrainingSession = Session<TrainingEvent>;

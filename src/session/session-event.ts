// The events of a session: what any job, training or model reports while it works.

import { type Message, renderMessage } from '../core/message.ts';

/** Event of any job. */
export type SessionEvent =
  | { readonly type: 'message'; readonly text: string; readonly template?: Message }
  /**
   * Something failed, and the job continues. `unsaved`: it is a checkpoint that was not saved. `slower`: the steps of a
   * training take `times` as long as at its start.
   */
  | {
      readonly type: 'warning';
      readonly text: string;
      readonly template?: Message;
      readonly unsaved?: boolean;
      readonly slower?: { readonly times: number };
    }
  /** The next piece of a streamed result. */
  | { readonly type: 'piece'; readonly text: string }
  /** The next part of a result that comes in parts; plain JSON. */
  | { readonly type: 'result'; readonly value: unknown }
  | {
      readonly type: 'progress';
      readonly task: string;
      readonly done: number;
      readonly total: number;
      readonly text: string;
      readonly template?: Message;
    };

/** An event as it is reported: its text may be a message with holes, which becomes its template. */
export type Reported<Event> = Event extends unknown
  ? 'template' extends keyof Event
    ? Omit<Event, 'text' | 'template'> & { readonly text: Message | string }
    : Event
  : never;

/** Reports events to a receiver, with their messages as texts; to nobody without a receiver. */
export const emitTo =
  <Event>(onEvent: ((event: Event) => void) | undefined): ((reported: Reported<Event>) => void) =>
  (reported) => {
    const { text } = reported as { readonly text?: Message | string };
    const template = typeof text === 'object' ? text : undefined;
    if (template) onEvent?.({ ...(reported as object), text: renderMessage(template), template } as Event);
    else onEvent?.(reported as Event);
  };

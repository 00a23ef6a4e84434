// The table of what guests add to the translator of the front page: a row for each guest, whose code is loaded when it is
// needed.

import type { DictationEvents } from '../common/dictation-events.ts';

/** What a guest adds. */
interface TranslateGuest {
  /** A button that records while it is held. */
  readonly microphone?: () => Promise<(events: DictationEvents) => HTMLElement>;
}

const speech: TranslateGuest = {
  microphone: async () => (await import('../speech/dictation.ts')).dictation,
};

const guests: readonly TranslateGuest[] = [speech];

/** What all guests add. */
export const translateGuests: TranslateGuest = Object.assign({}, ...guests);

// What a training does while its tab is hidden: keep going, slow down or pause, as the visitor chooses; and the
// checkpoint that is saved when the tab is hidden or closed, since a phone ends a hidden page without a word.

import { say } from '../../common/page-texts.ts';
import type { SessionEvent, SessionState } from '../protocol.ts';
import type { Session } from './training-session.ts';

/** The choices. */
export type HiddenChoice = 'run' | 'slow' | 'pause';

/** The choices with their names. */
export const hiddenChoices: readonly (readonly [HiddenChoice, string])[] = [
  ['run', say`Keep going`],
  ['slow', say`Slow down to a quarter`],
  ['pause', say`Pause`],
];

/** Rest after each update, as a multiple of its duration, of a run that is slowed down to a quarter. */
const slowRest = 3;

/** Milliseconds for which a page that is closed waits for its last checkpoint at most. */
export const closingMs = 200;

/** What it uses of the page. */
export interface HiddenTabOptions {
  readonly session: Pick<Session, 'pause' | 'continue' | 'rest' | 'saveNow'>;
  readonly page: Pick<Document, 'visibilityState'>;
  /** Receives what the run does because of it; empty if nothing. */
  readonly onStatus: (text: string) => void;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** The reactions of a run to a hidden tab. No method rejects. */
export class HiddenTab {
  choice: HiddenChoice = 'run';
  readonly #options: HiddenTabOptions;
  readonly #now: () => number;
  #state: SessionState = 'idle';
  /** What was done because the tab is hidden. */
  #done: 'slow' | 'pause' | undefined;
  /** When the tab was hidden during a training. */
  #since = 0;

  constructor(options: HiddenTabOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  onEvent(event: SessionEvent): void {
    if (event.type !== 'state') return;
    const wasTraining = this.#state === 'training';
    this.#state = event.state;
    if (!['training', 'paused', 'recovering'].includes(event.state)) this.#done = undefined;
    // A training that was prepared in a hidden tab begins.
    if (event.state === 'training' && !wasTraining && this.#isHidden) this.#hide();
  }

  /** The tab was hidden or shown. */
  visibilityChanged(): void {
    if (!this.#isHidden) this.#show();
    else if (this.#state === 'training') this.#hide();
  }

  /** The page is closed: saves a checkpoint, and keeps the page for `closingMs` at most while the worker writes it. */
  leave(): void {
    if (this.#state !== 'training') return;
    this.#save();
    const end = this.#now() + closingMs;
    while (this.#now() < end); // the worker works meanwhile; without a page it ends at once
  }

  get #isHidden(): boolean {
    return this.#options.page.visibilityState === 'hidden';
  }

  #save(): void {
    void this.#options.session.saveNow().catch(() => undefined); // a warning says why
  }

  #hide(): void {
    if (this.#done) return;
    const { session, onStatus } = this.#options;
    this.#since = this.#now();
    if (this.choice === 'pause') {
      this.#done = 'pause';
      void session.pause().catch(() => undefined); // it has ended
      onStatus(say`Paused while this tab is hidden.`);
      return;
    }
    this.#save();
    if (this.choice !== 'slow') return;
    this.#done = 'slow';
    void session.rest(slowRest).catch(() => undefined);
    onStatus(say`Slowed down to a quarter while this tab is hidden.`);
  }

  #show(): void {
    const { session, onStatus } = this.#options;
    const done = this.#done;
    if (!done) return;
    this.#done = undefined;
    const work = done === 'slow' ? session.rest(0) : session.continue();
    void work.catch(() => undefined);
    const seconds = Math.round((this.#now() - this.#since) / 1000);
    onStatus(
      done === 'slow'
        ? say`Slowed down for ${seconds} s while this tab was hidden.`
        : say`Paused for ${seconds} s while this tab was hidden.`,
    );
  }
}

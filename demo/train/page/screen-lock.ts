// Keeps the screen of a phone on while it trains (Screen Wake Lock): with the screen off the browser stops the page.
// The browser releases the lock when the tab is hidden, so it is requested again when the tab is shown.

import type { SessionEvent } from '../protocol.ts';

/** What it uses of the browser. */
export interface ScreenLockOptions {
  /** `navigator.wakeLock`; some browsers have none. */
  readonly wakeLock: Pick<WakeLock, 'request'> | undefined;
  readonly page: Pick<Document, 'visibilityState'>;
  /** Whether the device is a phone or a tablet. */
  readonly isPhone: boolean;
}

/** States in which the device works. */
const working = ['preparing', 'training', 'recovering', 'stopping'];

/** The lock. No method rejects: without it the training goes on until the screen turns off. */
export class ScreenLock {
  readonly #options: ScreenLockOptions;
  #isWanted = false;
  #isRequested = false;
  #lock: Pick<WakeLockSentinel, 'release' | 'released'> | undefined;

  constructor(options: ScreenLockOptions) {
    this.#options = options;
  }

  onEvent(event: SessionEvent): void {
    if (event.type !== 'state') return;
    this.#isWanted = this.#options.isPhone && working.includes(event.state);
    void this.#update();
  }

  /** The tab was hidden or shown. */
  visibilityChanged(): void {
    void this.#update();
  }

  async #update(): Promise<void> {
    const { wakeLock, page } = this.#options;
    if (this.#lock?.released) this.#lock = undefined;
    if (!this.#isWanted) {
      const lock = this.#lock;
      this.#lock = undefined;
      return lock?.release().catch(() => undefined);
    }
    if (this.#lock || this.#isRequested || !wakeLock || page.visibilityState !== 'visible') return;
    this.#isRequested = true;
    // Refused if the battery is low.
    this.#lock = await wakeLock.request('screen').catch(() => undefined);
    this.#isRequested = false;
    if (!this.#isWanted) await this.#update(); // the training has ended meanwhile
  }
}

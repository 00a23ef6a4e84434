// Rests between the updates of a training: a run that works a part of the time leaves the device cool and the machine
// free for other work.

/** Milliseconds of a rest at most: a run that rests still shows that it lives. */
const longest = 5000;

/** The rests of a run. */
export class StepRest {
  readonly #now: () => number;
  /** Rest after an update as a multiple of its duration. */
  #times = 0;
  /** When the update began, in milliseconds. */
  #since: number;
  #wake = (): void => undefined;

  /** `now` returns milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** Sets the rest after each update as a multiple of its duration; 0: none. Ends the rest that is under way. */
  set(times: number): void {
    this.#times = times;
    this.#wake();
  }

  /** The rest after an update; undefined if there is none. */
  next(): (() => Promise<void>) | undefined {
    const ms = Math.min(longest, this.#times * (this.#now() - this.#since));
    this.begin();
    return ms > 0 ? () => this.#rest(ms) : undefined;
  }

  /** Ends the rest that is under way. */
  end(): void {
    this.#wake();
  }

  /** The next update begins now. */
  begin(): void {
    this.#since = this.#now();
  }

  async #rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.begin();
  }
}

// A mutex: holders of the lock follow one another in the order of their calls.

/** A lock for work that must not run at the same time. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Waits for the earlier holders; resolves to the function that releases the lock. */
  async acquire(): Promise<() => void> {
    const earlier = this.#last;
    let release = () => {};
    this.#last = new Promise((resolve) => {
      release = resolve;
    });
    await earlier;
    return release;
  }
}

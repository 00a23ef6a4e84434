// Memoization of asynchronous results by a key of plain JSON.

/** Results by key, each made once. A result that fails is forgotten, so that the next call tries again. */
export class Memo<Key, Value> {
  readonly #results = new Map<string, Promise<Value>>();

  /** The result of a key; made by `make` if there is none. */
  get(key: Key, make: () => Promise<Value>): Promise<Value> {
    const name = JSON.stringify(key);
    const known = this.#results.get(name);
    if (known) return known;
    const result = make();
    this.#results.set(name, result);
    result.catch(() => this.#results.delete(name));
    return result;
  }
}

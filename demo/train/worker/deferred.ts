// A promise that is settled from outside.

/** A promise and what settles it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Makes one. Its rejection is not reported as unhandled: whoever waits hears of it. */
export function deferred<T>(): Deferred<T> {
  let [resolve, reject]: [(value: T) => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<T>((a, b) => {
    [resolve, reject] = [a, b];
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

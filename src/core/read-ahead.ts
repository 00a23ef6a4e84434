// A stream whose work does not wait for its reader: items are kept until they are read.

/**
 * Yields the items that `work` gives to `push`, in order, and then throws what it throws. The work starts at the first
 * read and runs to its end, whether or not the items are read: they are kept in memory, so their number must be bounded.
 * Leaving the loop aborts the signal of the work. If `signal` is aborted, the next read throws its reason.
 *
 * @example
 * for await (const n of readAhead<number>(async (push) => [1, 2, 3].forEach(push))) console.log(n);
 */
export async function* readAhead<T>(
  work: (push: (item: T) => void, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, void> {
  const left = new AbortController();
  const items: T[] = [];
  let isDone = false;
  let wake = () => {};
  const push = (item: T) => {
    items.push(item);
    wake();
  };
  const running = work(push, signal ? AbortSignal.any([signal, left.signal]) : left.signal).finally(() => {
    isDone = true;
    wake();
  });
  running.catch(() => undefined); // the reader may be away; it gets the error at its next read
  try {
    for (let at = 0; ; ) {
      for (; at < items.length; at++) {
        signal?.throwIfAborted();
        yield items[at] as T;
      }
      if (isDone) return await running;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    left.abort();
  }
}

// Cancellation: one way for every call with a signal to end at once, also while work is running that cannot be
// stopped, such as the compilation of a pipeline.

/** Milliseconds in which aborted work may end in order, so that its files and locks are free afterwards. */
const grace = 50;

/**
 * Resolves as `work()`. If the signal is aborted before it ends, rejects with the signal's reason (an AbortError
 * unless the caller gave another one), soon after that. Work that is still running then ends in the
 * background; `drop` receives its result, to free what it owns.
 *
 * @example
 * const signal = AbortSignal.timeout(5000);
 * const value = await untilAborted(signal, async () => 1);
 */
export async function untilAborted<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
  drop?: (late: T) => unknown,
): Promise<T> {
  if (!signal) return work();
  signal.throwIfAborted();
  const running = work();
  let stop!: () => unknown;
  const stopped = new Promise((resolve) => {
    stop = () => setTimeout(resolve, grace);
  });
  signal.addEventListener('abort', stop);
  try {
    const result = await Promise.race([running, stopped]);
    if (!signal.aborted) return result as T;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  running.then(drop).catch(() => {});
  throw signal.reason;
}

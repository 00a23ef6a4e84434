// A time limit on a promise, whose error names what hung.
import { HeddleError } from '../core/errors.ts';

/** Resolves as `promise` does; after `ms` milliseconds throws a HeddleError of kind `timeout` that names `what`. It cannot stop the work itself. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    const message = `${what} took longer than ${ms / 1000} s`;
    timer = setTimeout(() => reject(new HeddleError(message, { kind: 'timeout' })), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

// A time limit on a promise, whose error names what hung.
import { HeddleError } from '../errors.ts';

/** Resolves as `promise` does; after `ms` milliseconds throws a HeddleError that names `what`. It cannot stop the work itself. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new HeddleError(`${what} took longer than ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

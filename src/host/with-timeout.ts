// A time limit for a promise.
import { HeddleError } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';

/**
 * Result of `promise`, or a HeddleError of kind `timeout` that names `task` if it takes longer than `ms`
 * milliseconds. The work itself continues.
 */
export async function withTimeout<T>(ms: number, task: Message | string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    const message = msg`${task} took longer than ${ms / 1000} s`;
    timer = setTimeout(() => reject(new HeddleError(message, { kind: 'timeout' })), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

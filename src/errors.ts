// The one error class for what a user can mend: its message is a whole sentence to print, without a stack trace.

/** An error caused by input, configuration or the machine; the command line prints its message alone and exits with 1. */
export class HeddleError extends Error {
  override name = 'HeddleError';
}

/** Throws a HeddleError with `message` unless `condition` holds. */
export function check(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new HeddleError(typeof message === 'string' ? message : message());
}

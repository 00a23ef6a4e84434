// The one error class for what a user can mend: its message is a whole sentence to print, without a stack trace.

/** Longest message: what a broken file has in place of a number may be as long as the file. */
const longest = 1000;

/** A message fit for a terminal: not too long, control characters written out. */
function printable(message: string): string {
  const short =
    message.length > longest
      ? `${message.slice(0, longest / 2)} ... ${message.slice(message.length - longest / 2)}`
      : message;
  return short.replace(/(?![\n\t])\p{Cc}/gu, (c) => `\\u${(c.codePointAt(0) as number).toString(16).padStart(4, '0')}`);
}

/** What code may want to tell apart: `device`, the GPU was lost; `memory`, it does not fit; `timeout`, it took too long. */
export type ErrorKind = 'device' | 'memory' | 'timeout';

/** An error caused by input, configuration or the machine; the command line prints its message alone and exits with 1. */
export class HeddleError extends Error {
  override name = 'HeddleError';
  readonly kind: ErrorKind | undefined;
  constructor(message: string, options?: ErrorOptions & { readonly kind?: ErrorKind }) {
    super(printable(message), options);
    this.kind = options?.kind;
  }
}

/** Throws a HeddleError with `message` unless `condition` holds. */
export function check(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new HeddleError(typeof message === 'string' ? message : message());
}

/** What `work` returns; where it throws a HeddleError, the same with `what: ` in front, in the place of `instead: ` if that is there. */
export function withErrorPrefix<T>(what: string, work: () => T, instead?: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    const { message } = error;
    const rest = instead && message.startsWith(`${instead}: `) ? message.slice(instead.length + 2) : message;
    throw new HeddleError(`${what}: ${rest}`, { cause: error });
  }
}

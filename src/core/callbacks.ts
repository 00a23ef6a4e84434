// The calls of a program: what a promise of its callbacks rejects with, rejects the call, as an error that a callback
// throws does, but no call waits for the code of its caller. And errors of a call say which line of the program called.

import { HeddleError } from './errors.ts';

/** Milliseconds that a call waits at its end, holding nothing, for promises of its callbacks that are pending. */
const grace = 1000;

/** Watches the promises that callbacks return, so that none of them is an unhandled rejection. */
export class CallbackWatch {
  #failure: { readonly error: unknown } | undefined;
  readonly #pending = new Set<Promise<unknown>>();

  /** The callback, watched. Its next call throws what a promise of an earlier call rejected with. */
  of<A extends unknown[], R>(callback: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.#check();
      const result = callback(...args);
      if (isPromise(result)) this.#add(result);
      return result;
    };
  }

  /**
   * Does work that calls callbacks. Rejects with what a promise of a callback rejected with, at the latest when the work
   * ends: it then waits for pending promises, at most a second.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const caller = new Error();
    const result = await work().catch((error: unknown) => {
      throw atCaller(error, caller);
    });
    if (this.#pending.size > 0) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, grace);
      });
      await Promise.race([Promise.all(this.#pending), late]);
      clearTimeout(timer);
    }
    this.#check();
    return result;
  }

  #add(promise: PromiseLike<unknown>): void {
    const watched: Promise<unknown> = Promise.resolve(promise)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#pending.delete(watched));
    this.#pending.add(watched);
  }

  /** Throws the first failure, once. */
  #check(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }
}

/** Where the modules of the library are. */
const library = import.meta.url.replace(/core\/[^/]*$/, '');

/** The calls of a stack; V8 writes each on a line. */
const callsOf = ({ stack = '' }: Error): string[] => stack.match(/^ {4}at .*$/gm) ?? [];

/** An error whose stack has the call that throws and the calls of the program; other errors as they are. */
function atCaller(error: unknown, caller: Error): unknown {
  if (!(error instanceof HeddleError)) return error;
  const outside = callsOf(caller).filter(
    (call) => !call.includes(library) && !call.includes('node:internal/'),
  );
  if (outside.length > 0)
    error.stack = [`${error.name}: ${error.message}`, ...callsOf(error).slice(0, 1), ...outside].join('\n');
  return error;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/**
 * Does work with options whose callbacks (`onX`) are watched; see `CallbackWatch`.
 *
 * @example
 * await withCallbacks({ async onProgress() { throw new Error('mine'); } }, async ({ onProgress }) => onProgress()); // rejects
 */
export function withCallbacks<O extends object, T>(options: O, work: (options: O) => Promise<T>): Promise<T> {
  const callbacks = Object.entries(options ?? {}).filter(
    ([name, value]) => /^on[A-Z]/.test(name) && typeof value === 'function',
  );
  if (callbacks.length === 0) return work(options);
  const watch = new CallbackWatch();
  const watched = Object.fromEntries(callbacks.map(([name, call]) => [name, watch.of(call.bind(options))]));
  return watch.during(() => work({ ...options, ...watched }));
}

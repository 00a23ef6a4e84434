// One request to a hub: what its status means to someone who asked for a model, and again and again where the connection is cut.
import { HeddleError } from '../core/errors.ts';

/** What requests need of the outside. */
export interface HttpOptions {
  readonly fetch: typeof fetch;
  /** Sent to the hub and, as fetch has it, to no other server that it points to. */
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which a connection counts as cut. */
  readonly idleTimeout: number;
  /** Milliseconds before the first new try; each further one waits twice as long. */
  readonly retryDelay: number;
  /** New tries after which nothing came. */
  readonly maxRetries: number;
  /** What errors tell people to do; a command's unless given. */
  readonly hints?: ErrorHints;
}

/** What errors tell people to do. */
export interface ErrorHints {
  /** After a connection that stayed cut: what goes on with what has come. */
  readonly resume: string;
  /** For a model that is not public. */
  readonly access: string;
  /** How to name another revision, as an example. */
  readonly revision: string;
  /** Where no hub answers, only some server; without it such a server is asked for files by the names that they usually have. */
  readonly noHub?: string;
}

const commands: ErrorHints = {
  resume: 'the same command goes on with it',
  access: 'put an access token into HF_TOKEN',
  revision: '--revision refs/pr/1',
};

/** What errors tell people to do. */
export const errorHints = ({ hints }: HttpOptions): ErrorHints => hints ?? commands;

/** Something that may be better at the next try. */
export class RetryableError extends Error {
  override name = 'Cut';
  /** Milliseconds that the server asks to wait. */
  readonly wait: number;
  constructor(message: string, options?: ErrorOptions & { wait?: number }) {
    super(message, options);
    this.wait = options?.wait ?? 0;
  }
}

/** Longest wait that a server may ask for. */
const maxWait = 60_000;

/** What a server answered; `timer.reset` starts the patience anew when bytes come, `timer.stop` ends it. */
export interface TimedResponse {
  readonly response: Response;
  readonly timer: { reset(): void; stop(): void };
}

/**
 * Sends one request. `what` is told in errors. Statuses below 400 and those in `allowed` are answers; others become a HeddleError
 * that says what to do, or a Cut where a new try may help.
 */
export async function send(
  web: HttpOptions,
  url: string,
  what: string,
  { allowed = [], ...init }: RequestInit & { allowed?: readonly number[] } = {},
): Promise<TimedResponse> {
  web.signal.throwIfAborted();
  const stopper = new AbortController();
  const stop = () => stopper.abort(web.signal.reason);
  web.signal.addEventListener('abort', stop, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clock = {
    reset() {
      clearTimeout(timer);
      timer = setTimeout(
        () => stopper.abort(new RetryableError(`no byte came for ${web.idleTimeout / 1000} s`)),
        web.idleTimeout,
      );
    },
    stop() {
      clearTimeout(timer);
      web.signal.removeEventListener('abort', stop);
    },
  };
  clock.reset();
  const headers = new Headers(init.headers);
  headers.set('Accept-Encoding', 'identity');
  if (web.token) headers.set('Authorization', `Bearer ${web.token}`);
  let response: Response;
  try {
    response = await web.fetch(url, { ...init, headers, signal: stopper.signal });
  } catch (error) {
    clock.stop();
    web.signal.throwIfAborted();
    throw new RetryableError(`${what}: ${reasonOf(error, url)}`, { cause: error });
  }
  if (response.status < 400 || allowed.includes(response.status)) return { response, timer: clock };
  clock.stop();
  await response.body?.cancel().catch(() => undefined);
  throw statusError(response, what, web);
}

/** Why a request failed, for people: fetch itself says only that it did. */
function reasonOf(error: unknown, url: string): string {
  if (error instanceof RetryableError) return error.message;
  const cause = (error as { cause?: { code?: unknown; message?: unknown } }).cause;
  const { host } = new URL(url);
  if (cause?.code === 'ENOTFOUND' || cause?.code === 'EAI_AGAIN') return `${host} is not found; is there a network?`;
  if (cause?.code === 'ECONNREFUSED') return `${host} refuses the connection`;
  const why = cause?.message ?? (error instanceof Error ? error.message : String(error));
  return `the connection to ${host} failed (${String(why)})`;
}

/** The error of an answer that is none: a HeddleError that says what to do, or a Cut where a new try may help. */
export function statusError({ status, statusText, headers }: Response, what: string, web: HttpOptions): Error {
  if (status === 404) return new HeddleError(`${what}: there is no such model, revision or file (404)`);
  if (status === 401 || status === 403) {
    const help = web.token
      ? 'the token in HF_TOKEN does not allow it; its owner may have to accept the terms of the model on its page'
      : `it does not exist, or is private: ${errorHints(web).access}`;
    return new HeddleError(`${what}: the hub refuses it (${status}): ${help}`);
  }
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get('Retry-After'));
    const wait = seconds > 0 ? Math.min(maxWait, seconds * 1000) : 0;
    return new RetryableError(`${what}: the hub answers ${status}${status === 502 ? ` (${statusText})` : ''}`, {
      wait,
    });
  }
  return new HeddleError(`${what}: the hub answers ${status}`);
}

/**
 * Does `work` until it is done: after a Cut once more, each time later, up to `web.tries` times in a row without progress. `work`
 * says by its argument that something came. The last Cut becomes a HeddleError that ends with `advice`.
 */
export async function withRetries<T>(
  web: HttpOptions,
  advice: string,
  work: (progress: () => void) => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work(() => {
        failures = 0;
      });
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (failures >= web.maxRetries) throw new HeddleError(`${error.message}${advice}`, { cause: error });
      await sleep(Math.max(error.wait, web.retryDelay * 2 ** failures), web.signal);
    }
  }
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', abort, { once: true });
    function done() {
      signal.removeEventListener('abort', abort);
      resolve();
    }
    function abort() {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });

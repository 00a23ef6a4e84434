// HTTP requests to a hub: errors that say what to do, timeouts, and retries with exponential backoff.

import { HeddleError } from '../../core/errors.ts';
import { type Message, msg, renderMessage } from '../../core/message.ts';

/** How to send requests. */
export interface HttpOptions {
  /** Function that sends a request. */
  readonly fetch: typeof fetch;
  /** Access token. Sent to the hub; fetch drops it on redirects to other servers. */
  readonly token?: string;
  readonly signal: AbortSignal;
  /** Timeout of a connection without data, in milliseconds. */
  readonly idleTimeout: number;
  /** Delay before the first retry in milliseconds; it doubles with each further retry. */
  readonly retryDelay: number;
  /** Maximum number of retries in a row without progress. */
  readonly maxRetries: number;
  /** Advice in error messages. */
  readonly hints?: ErrorHints;
  /** Hub to use if the server at the URL of the hub is no hub, for example a static host of pages. */
  readonly fallbackHub?: string;
}

/** Advice in error messages. */
export interface ErrorHints {
  /** How to resume an interrupted download. */
  readonly resume: Message;
  /** How to access a private model. */
  readonly access: Message;
  /** How to select another revision, by example. */
  readonly revision: Message;
  /** What to do if the hub cannot be reached. */
  readonly unreachable: Message;
}

/** Advice for users of the command. */
export const commandHints: ErrorHints = {
  resume: msg`run the same command again to resume`,
  access: msg`put an access token into HF_TOKEN`,
  revision: msg`revision refs/pr/1`,
  unreachable: msg`check the network, or set HF_ENDPOINT to a mirror of the hub`,
};

/** The hints of error messages. */
export const errorHints = ({ hints }: HttpOptions): ErrorHints => hints ?? commandHints;

/** Header of the hub proxy of a page: the host that it cannot reach. */
export const unreachableHeader = 'Heddle-Unreachable';

/** An error after which a retry may succeed. */
export class RetryableError extends Error {
  override name = 'RetryableError';
  /** The message with its holes, and the name of the file or model that it is about. */
  readonly template: Message;
  readonly area: string | undefined;
  /** Delay that the server requests (Retry-After), in milliseconds. */
  readonly wait: number;
  /** Kind of the HeddleError if no retry succeeds: that of a retryable cause, or `network`. */
  readonly kind: 'network' | 'timeout';
  constructor(
    template: Message,
    options: ErrorOptions & Partial<Pick<RetryableError, 'area' | 'wait' | 'kind'>> = {},
  ) {
    super(renderMessage(template), options);
    const {
      area,
      wait = 0,
      cause,
      kind = cause instanceof RetryableError ? cause.kind : 'network',
    } = options;
    this.template = template;
    this.area = area;
    this.wait = wait;
    this.kind = kind;
  }
}

/** Maximum of Retry-After in milliseconds. */
const maxWait = 60_000;

/**
 * Sends one request; `title` is its name in errors. Call `timer.reset` when data arrives, `timer.stop` at the
 * end. Throws a HeddleError that says what to do for statuses of 400 and above, except those in `allowed`,
 * and a RetryableError if a retry may help.
 */
export async function send(
  http: HttpOptions,
  url: string,
  title: string,
  { allowed = [], ...init }: RequestInit & { allowed?: readonly number[] } = {},
): Promise<{ readonly response: Response; readonly timer: { reset(): void; stop(): void } }> {
  http.signal.throwIfAborted();
  const stopper = new AbortController();
  const stop = () => stopper.abort(http.signal.reason);
  http.signal.addEventListener('abort', stop, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clock = {
    reset() {
      clearTimeout(timer);
      timer = setTimeout(
        () =>
          stopper.abort(
            new RetryableError(msg`no data for ${http.idleTimeout / 1000} s`, { kind: 'timeout' }),
          ),
        http.idleTimeout,
      );
    },
    stop() {
      clearTimeout(timer);
      http.signal.removeEventListener('abort', stop);
    },
  };
  clock.reset();
  const headers = new Headers(init.headers);
  headers.set('Accept-Encoding', 'identity');
  if (http.token) headers.set('Authorization', `Bearer ${http.token}`);
  let response: Response;
  try {
    response = await http.fetch(url, { ...init, headers, signal: stopper.signal });
  } catch (error) {
    clock.stop();
    http.signal.throwIfAborted();
    throw new RetryableError(reasonOf(error, url), { area: title, cause: error });
  }
  if (response.status < 400 || allowed.includes(response.status)) return { response, timer: clock };
  clock.stop();
  await response.body?.cancel().catch(() => undefined);
  throw statusError(response, title, http);
}

/** Why fetch failed, which its own message does not tell. */
function reasonOf(error: unknown, url: string): Message {
  if (error instanceof RetryableError) return error.template;
  const cause = (error as { cause?: { code?: unknown; message?: unknown } }).cause;
  const { host } = new URL(url);
  if (cause?.code === 'ENOTFOUND' || cause?.code === 'EAI_AGAIN')
    return msg`${host} is not found; is there a network?`;
  if (cause?.code === 'ECONNREFUSED') return msg`${host} refuses the connection`;
  // Browsers do not say why.
  return cause?.message ? msg`${host} cannot be reached (${String(cause.message)})` : unreachable(host);
}

const unreachable = (host: string): Message => msg`${host} cannot be reached`;

/**
 * The error for an HTTP status: a HeddleError that says what to do, or a RetryableError if a retry may help.
 */
export function statusError({ status, headers }: Response, title: string, http: HttpOptions): Error {
  if (status === 404)
    return new HeddleError(
      'there is no such model, revision or file (404); check the spelling of OWNER/NAME and of the revision on the hub',
      { area: title, kind: 'not-found' },
    );
  if (status === 401 || status === 403) {
    const help = http.token
      ? msg`the access token does not allow it; its owner may have to accept the terms of the model on its page`
      : msg`it does not exist, or is private: ${errorHints(http).access}`;
    return new HeddleError(msg`the hub refuses it (${status}): ${help}`, { area: title, kind: 'network' });
  }
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get('Retry-After'));
    const wait = seconds > 0 ? Math.min(maxWait, seconds * 1000) : 0;
    const host = headers.get(unreachableHeader);
    return new RetryableError(host ? unreachable(host) : msg`the hub answers ${status}`, {
      area: title,
      wait,
    });
  }
  return new HeddleError(msg`the hub answers ${status}`, { area: title, kind: 'network' });
}

/**
 * Runs `work`, with retries after a RetryableError: exponential backoff, up to `maxRetries` in a row without
 * progress, which `work` reports by its argument. The last error becomes a HeddleError with a hint.
 */
export async function withRetries<T>(
  http: HttpOptions,
  hint: Message | undefined,
  work: (progress: () => void) => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work(() => {
        failures = 0;
      });
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (failures >= http.maxRetries)
        throw new HeddleError(hint ? msg`${error.template}; ${hint}` : error.template, {
          kind: error.kind,
          area: error.area,
          cause: error,
        });
      await sleep(Math.max(error.wait, http.retryDelay * 2 ** failures), http.signal);
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

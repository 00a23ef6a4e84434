// Who may use a server: API keys, a rate per client, origins of pages, and host names.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A refused request: status and message. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Options of `Access`. */
export interface AccessOptions {
  readonly keys: readonly string[];
  /** Requests per minute of a key or address; 0: no limit. */
  readonly requestsPerMinute: number;
  /** Origin that pages may call from, or `*`; undefined: none. */
  readonly cors?: string;
  /** Whether the server listens only on this machine, so that it must be called by a local name. */
  readonly isLocal: boolean;
}

/** Clients whose rate is remembered. */
const maxClients = 10_000;

/** Wrong keys of an address after which it is refused, and in how many milliseconds one of them is forgotten. */
const maxWrong = 5;
const wrongFor = 60_000;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Checks requests. */
export class Access {
  readonly #options: AccessOptions;
  readonly #keys: readonly Buffer[];
  /** Requests that a client may still make, and when that was computed. */
  readonly #buckets = new Map<string, { left: number; at: number }>();
  /** The wrong keys of an address that are not forgotten, and since when. */
  readonly #wrong = new Map<string, { count: number; at: number }>();

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#keys = options.keys.map(digest);
  }

  get needsKey(): boolean {
    return this.#keys.length > 0;
  }

  /** Headers of every answer. */
  get headers(): Readonly<Record<string, string>> {
    const { cors } = this.#options;
    if (cors === undefined) return {};
    return {
      'access-control-allow-origin': cors,
      'access-control-allow-headers': 'content-type, authorization',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      vary: 'Origin',
    };
  }

  /** Throws a Refusal for a request of a page of another origin, or by a name that is not of this machine. */
  checkOrigin({ headers }: IncomingMessage): void {
    const { cors, isLocal } = this.#options;
    const { origin, host = '' } = headers;
    const name = host.replace(/:\d+$/, '').toLowerCase();
    // A name that an attacker points to 127.0.0.1 would make a page of the same origin (DNS rebinding).
    if (isLocal && !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(name))
      throw new Refusal(403, `the host name ${host.slice(0, 100)} is not of this machine`);
    if (origin === undefined || cors === '*' || origin === cors) return;
    if (origin === `http://${host}` || origin === `https://${host}`) return;
    throw new Refusal(403, 'pages of other origins may not use this server (--cors)');
  }

  /** Throws a Refusal without a valid key (`api_key`, or a bearer token), and above the rate. */
  check(request: IncomingMessage, given: unknown): void {
    const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const key = typeof given === 'string' && given !== '' ? given : bearer;
    if (this.#keys.length > 0) {
      if (key === undefined) throw new Refusal(403, 'an API key is required');
      this.#checkKey(key, request.socket.remoteAddress ?? '');
    }
    this.#take(
      this.#keys.length > 0 && key !== undefined
        ? digest(key).toString('hex')
        : (request.socket.remoteAddress ?? ''),
    );
  }

  /** Throws a Refusal for a wrong key, and for any key of an address that has sent several wrong ones. */
  #checkKey(key: string, address: string): void {
    const now = performance.now();
    const before = this.#wrong.get(address);
    const forgotten = before ? Math.floor((now - before.at) / wrongFor) : 0;
    const count = Math.max(0, (before?.count ?? 0) - forgotten);
    if (count >= maxWrong) {
      const wait = Math.ceil((wrongFor - ((now - (before?.at ?? now)) % wrongFor)) / 1000);
      throw new Refusal(429, 'too many wrong API keys', { 'retry-after': String(wait) });
    }
    const own = digest(key);
    if (this.#keys.some((known) => timingSafeEqual(known, own))) return;
    this.#wrong.delete(address);
    this.#wrong.set(address, { count: count + 1, at: now });
    if (this.#wrong.size > maxClients) this.#wrong.delete(this.#wrong.keys().next().value ?? '');
    throw new Refusal(403, 'the API key is invalid');
  }

  /** Counts a request (token bucket). */
  #take(client: string): void {
    const { requestsPerMinute: rate } = this.#options;
    if (rate === 0) return;
    const now = performance.now();
    const known = this.#buckets.get(client) ?? { left: rate, at: now };
    const left = Math.min(rate, known.left + ((now - known.at) / 60_000) * rate);
    this.#buckets.delete(client);
    this.#buckets.set(client, { left: Math.max(0, left - 1), at: now });
    if (this.#buckets.size > maxClients) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    if (left < 1)
      throw new Refusal(429, `more than ${rate} requests per minute`, {
        'retry-after': String(Math.ceil(((1 - left) * 60) / rate)),
      });
  }
}

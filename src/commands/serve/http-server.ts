// The HTTP server: routes, limits, errors as JSON, and a graceful stop.

import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { errorKind, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { type Access, Refusal } from './access.ts';
import { apiDescription } from './api-description.ts';
import type { Metrics } from './metrics.ts';
import { type RequestFields, readBody } from './request-body.ts';
import type { TranslateHandler } from './translate-handler.ts';
import { QueueFullError } from './translation-queue.ts';

/** Options of a server. */
export interface ServerOptions {
  readonly access: Access;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
  /** Number of texts that wait. */
  waiting(): number;
  /** Receives errors that are not of a request. */
  onError(error: unknown): void;
  /** Milliseconds without a byte of a request after which its connection is closed. [9,000] */
  readonly timeout?: number;
  /** Maximum number of connections. [1,024] */
  readonly maxConnections?: number;
}

/** What a route needs. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fields: RequestFields;
  /** Aborted if the client is gone. */
  readonly signal: AbortSignal;
}

/** A route: its answer as JSON; undefined if it has sent one. */
type Route = (exchange: Exchange) => object | undefined | Promise<object | undefined>;

/** Paths that need no key: clients read what they may ask before they have one. */
const openPaths: readonly string[] = ['/health', '/languages', '/frontend/settings', '/spec'];

/** A server of translations. */
export class TranslationServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #open = new Set<Promise<void>>();
  readonly #routes: Readonly<Record<string, Route>>;
  readonly #timeout: number;

  constructor(handler: TranslateHandler, options: ServerOptions) {
    this.#options = options;
    this.#timeout = options.timeout ?? 9000;
    const { metrics } = options;
    this.#routes = {
      'GET /health': () => ({ status: 'ok' }),
      'GET /languages': () => handler.languages(),
      'GET /spec': () => apiDescription(handler.limits),
      'GET /frontend/settings': () => handler.settings(options.access.needsKey),
      'GET /metrics': ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
        response.end(metrics.text(options.waiting()));
        return undefined;
      },
      'POST /detect': ({ fields }) => handler.detect(fields),
      'POST /translate': async ({ fields, signal }) => {
        const { answer, characters } = await handler.translate(fields, signal);
        metrics.characters(characters);
        return answer;
      },
      'POST /translate/stream': async (exchange) => this.#stream(exchange, handler),
    };
    const { maxConnections = 1024 } = options;
    this.#server = createServer({
      requestTimeout: 300_000,
      headersTimeout: this.#timeout,
      connectionsCheckingInterval: 500,
      keepAliveTimeout: 5000,
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('request', (request, response) => {
      // A response is sent when its connection has taken it, not when it is written.
      const work = this.#handle(request, response)
        .then(() => finished(response))
        .catch(() => undefined) // the client is gone
        .finally(() => this.#open.delete(work));
      this.#open.add(work);
    });
    this.#server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** Listens; resolves to the port. Throws a HeddleError if the port is in use. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new HeddleError(msg`cannot listen on ${host}:${port}: ${error.message}`, {
            area: 'serve',
            cause: error,
          }),
        ),
      );
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Stops: no new connections; waits for open requests, at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, grace);
    });
    await Promise.race([Promise.allSettled(this.#open), expired]);
    clearTimeout(timer);
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { access, metrics, maxBodyBytes } = this.#options;
    const begin = performance.now();
    const path = (request.url ?? '/').replace(/[?#].*$/s, '').replace(/(?<=.)\/$/, '');
    // Node sends no body as the answer to HEAD.
    const name = `${request.method === 'HEAD' ? 'GET' : request.method} ${path}`;
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    const gone = new AbortController();
    setMaxListeners(0, gone.signal); // one for each text of the request
    response.on('close', () => gone.abort(new HeddleError('the client is gone', { kind: 'aborted' })));
    response.on('error', () => gone.abort());
    try {
      access.checkOrigin(request);
      for (const [header, value] of Object.entries(access.headers)) response.setHeader(header, value);
      response.setHeader('x-content-type-options', 'nosniff');
      if (request.method === 'OPTIONS') response.writeHead(204).end();
      else if (!route) this.#refuse(path, request);
      else {
        const limits = { maxBytes: maxBodyBytes, timeout: this.#timeout };
        const fields = request.method === 'POST' ? await readBody(request, limits) : {};
        if (!openPaths.includes(path)) access.check(request, fields.api_key);
        const answer = await route({ request, response, fields, signal: gone.signal });
        if (answer) send(response, 200, answer);
      }
    } catch (error) {
      this.#fail(response, error, gone.signal);
      // The rest of a body that is not read would keep the connection busy.
      if (!request.complete) {
        response.once('finish', () => request.destroy());
        request.resume();
      }
    }
    metrics.request(route ? path : 'other', response.statusCode, (performance.now() - begin) / 1000);
  }

  #refuse(path: string, request: IncomingMessage): never {
    const methods = Object.keys(this.#routes).filter((name) => name.endsWith(` ${path}`));
    if (methods.length === 0) throw new Refusal(404, 'not found');
    const allow = methods.map((name) => name.split(' ')[0]).join(', ');
    throw new Refusal(405, `${request.method} is not allowed, only ${allow}`, { allow });
  }

  #fail(response: ServerResponse, error: unknown, gone: AbortSignal): void {
    if (gone.aborted || response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof Refusal) {
      send(response, error.status, { error: error.message }, error.headers);
      return;
    }
    if (error instanceof QueueFullError) {
      send(response, 503, { error: error.message }, { 'retry-after': '5' });
      return;
    }
    const isInput = error instanceof HeddleError && errorKind(error) === 'input';
    if (!isInput) this.#options.onError(error);
    // Messages of other errors may name files of this machine.
    send(response, isInput ? 400 : 500, { error: isInput ? error.message : 'the translation failed' });
  }

  /** Server-sent events: `{ "text" }` for each piece, `{ "done": true, "translatedText" }` at the end. */
  async #stream({ fields, response, signal }: Exchange, handler: TranslateHandler): Promise<undefined> {
    const event = (data: object) => void response.write(`data: ${JSON.stringify(data)}\n\n`);
    const begin = () => {
      if (!response.headersSent)
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    };
    const translatedText = await handler.stream(fields, signal, (text) => {
      if (text === '') return;
      begin();
      event({ text });
    });
    begin();
    event({ done: true, translatedText });
    response.end();
    return undefined;
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

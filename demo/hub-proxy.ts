// The path `hub/` of a server of the pages: what is asked there is asked of a hub, so that a page that may ask its own origin alone
// can fetch models. Redirects are followed here. Only what fetching a model needs is passed on, and nothing of the visitor.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hubProxyHeader } from '../src/hub/repository.ts';

/** A listing of a model's files, or one of the files. */
const taken = /\/hub(\/(?:api\/models\/[^/]+\/[^/]+\/revision\/[^/]+|[^/]+\/[^/]+\/resolve\/[^/]+\/[^/]+))$/;

/** Headers of the hub that the page needs. */
const kept = ['Content-Range', 'ETag', 'Retry-After', 'X-Linked-Etag', 'X-Linked-Size'];

/** Answers what is asked of `hub/` from the hub at this URL and says true; leaves all else. */
export function passOn(hub: string): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const base = hub.replace(/\/+$/, '');
  return async (request, response) => {
    const { method = '', url = '/', headers } = request;
    const { pathname, search } = new URL(url, 'http://127.0.0.1');
    const [, path] = taken.exec(pathname) ?? [];
    if (path === undefined || !['GET', 'HEAD'].includes(method)) return false;
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const { range } = headers;
    try {
      const asked = { method, headers: { 'Accept-Encoding': 'identity', ...(range && { Range: range }) } };
      const ask = (redirect: RequestRedirect) =>
        fetch(`${base}${path}${search}`, { ...asked, redirect, signal: gone.signal });
      // A hub says length and checksum of a large file in the answer that points on to where it lies.
      const first = method === 'HEAD' ? await ask('manual') : undefined;
      const stated = first?.headers.has('X-Linked-Etag') ?? false;
      const answer = first && (stated || first.status < 300 || first.status >= 400) ? first : await ask('follow');
      const isJson = /\bjson\b/i.test(answer.headers.get('Content-Type') ?? '');
      response.writeHead(stated && answer.status < 400 ? 200 : answer.status, {
        ...Object.fromEntries(
          kept.flatMap((name) => (answer.headers.has(name) ? [[name, answer.headers.get(name)]] : [])),
        ),
        ...lengthOf(answer),
        ...safe,
        'Content-Type': isJson && path.startsWith('/api/') ? 'application/json' : 'application/octet-stream',
      });
      response.flushHeaders();
      if (answer.body && method === 'GET') await pipeline(Readable.fromWeb(answer.body as never), response);
      else response.end();
    } catch {
      // After the head only a broken connection can say that the body is not whole.
      if (response.headersSent) response.destroy();
      else response.writeHead(502, `${new URL(base).host} cannot be reached`, safe).end();
    }
    return true;
  };
}

/** A hub's files are anyone's: nothing of them may run as a page of this origin. */
const safe = {
  [hubProxyHeader]: '1',
  'Cache-Control': 'no-store',
  'Content-Disposition': 'attachment',
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
};

/** The length of the body, where it comes as it is. */
function lengthOf({ headers }: Response): Record<string, string> {
  const length = headers.get('Content-Length');
  return length !== null && !headers.has('Content-Encoding') && !headers.has('X-Linked-Size')
    ? { 'Content-Length': length }
    : {};
}

// Proxy at the path `hub/` of the pages' server, through which pages download models from any hub; without it
// they use Hugging Face directly. It follows redirects, and forwards only the requests and headers of
// downloads, no cookies or credentials.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { unreachableHeader } from '../src/files/hub/http.ts';
import { hubProxyHeader } from '../src/files/hub/repository.ts';

/** Paths of a model's file listing and of its files. */
const allowedPaths =
  /\/hub(\/(?:api\/models\/[^/]+\/[^/]+\/revision\/[^/]+|[^/]+\/[^/]+\/resolve\/[^/]+\/[^/]+))$/;

/** Response headers that are forwarded. */
const forwardedHeaders = ['Content-Range', 'ETag', 'Retry-After', 'X-Linked-Etag', 'X-Linked-Size'];

/**
 * Returns a request handler that answers requests to `hub/` from the hub at this URL; it resolves to false
 * for all other requests.
 */
export function hubProxy(
  hub: string,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const base = hub.replace(/\/+$/, '');
  return async (request, response) => {
    const { method = '', url = '/', headers } = request;
    const { pathname, search } = new URL(url, 'http://127.0.0.1');
    const [, path] = allowedPaths.exec(pathname) ?? [];
    if (path === undefined || !['GET', 'HEAD'].includes(method)) return false;
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    const { range } = headers;
    try {
      const identity = { 'Accept-Encoding': 'identity' };
      const init = { method, headers: range ? { ...identity, Range: range } : identity };
      const fetchFrom = (redirect: RequestRedirect) =>
        fetch(`${base}${path}${search}`, { ...init, redirect, signal: closed.signal });
      // The hub states length and checksum of a large file in the redirect response.
      const first = method === 'HEAD' ? await fetchFrom('manual') : undefined;
      const hasChecksum = first?.headers.has('X-Linked-Etag') ?? false;
      const hubResponse =
        first && (hasChecksum || first.status < 300 || first.status >= 400)
          ? first
          : await fetchFrom('follow');
      const isJson = /\bjson\b/i.test(hubResponse.headers.get('Content-Type') ?? '');
      response.writeHead(hasChecksum && hubResponse.status < 400 ? 200 : hubResponse.status, {
        ...Object.fromEntries(
          forwardedHeaders.flatMap((name) =>
            hubResponse.headers.has(name) ? [[name, hubResponse.headers.get(name)]] : [],
          ),
        ),
        ...lengthOf(hubResponse),
        ...securityHeaders,
        'Content-Type': isJson && path.startsWith('/api/') ? 'application/json' : 'application/octet-stream',
      });
      response.flushHeaders();
      if (hubResponse.body && method === 'GET')
        await pipeline(Readable.fromWeb(hubResponse.body as never), response);
      else response.end();
    } catch {
      // After the headers are sent, only a broken connection can signal an error.
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { ...securityHeaders, [unreachableHeader]: new URL(base).host }).end();
    }
    return true;
  };
}

/** Files of a hub are untrusted: they must not run as a page of this origin. */
const securityHeaders = {
  [hubProxyHeader]: '1',
  'Cache-Control': 'no-store',
  'Content-Disposition': 'attachment',
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
};

/** Content-Length, unless the body was decoded or the length is that of a redirect. */
function lengthOf({ headers }: Response): Record<string, string> {
  const length = headers.get('Content-Length');
  return length !== null && !headers.has('Content-Encoding') && !headers.has('X-Linked-Size')
    ? { 'Content-Length': length }
    : {};
}

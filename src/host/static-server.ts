// Static file server on 127.0.0.1. WebGPU needs a secure context, and http://127.0.0.1 is one.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, sep } from 'node:path';

/** A running server. */
export interface FolderServer {
  /** URL of the server: `http://127.0.0.1:PORT/`. */
  url: string;
  /** Closes the server and its connections. */
  close(): Promise<void>;
  /** `close` at the end of a block: `await using server = ...`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.map': 'application/json',
};

/** Handles a request and returns true; or returns false, and the folder answers it. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/**
 * Serves `folder`, or an empty page if it is undefined, on 127.0.0.1 at `port` (default: a free port). Pages
 * are cross-origin isolated, which makes their clock more precise, and other origins cannot embed them.
 * `answer` handles requests before the folder does.
 *
 * @example
 * const server = await serveFolder('dist/demo');
 * const page = await chrome.openPage(server.url);
 * await server.close();
 */
export async function serveFolder(
  folder: string | undefined,
  port = 0,
  answer?: RequestHandler,
): Promise<FolderServer> {
  const server = createServer(async (request, response) => {
    if (await answer?.(request, response)) return;
    const file = await readFrom(folder, request.url ?? '/');
    response.writeHead(file ? 200 : 404, {
      'Content-Type': file?.type ?? 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Content-Security-Policy': "frame-ancestors 'self'", // a meta element of the page cannot set it
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    response.end(file?.body ?? 'not found\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readFrom(
  folder: string | undefined,
  url: string,
): Promise<{ body: Buffer | string; type: string } | undefined> {
  const html = TYPES['.html'] as string;
  if (url === '/favicon.ico') return { body: '', type: 'image/x-icon' };
  if (folder === undefined)
    return url === '/' ? { body: '<!doctype html><title>heddle</title>', type: html } : undefined;
  try {
    const pathname = decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname);
    const path = normalize(join(folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    if (!path.startsWith(normalize(folder + sep))) return undefined;
    return { body: await readFile(path), type: TYPES[extname(path)] ?? 'application/octet-stream' };
  } catch {
    return undefined;
  }
}

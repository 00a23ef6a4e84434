// File server for a page: gives it access to some files and folders of this machine, under a URL with a
// secret token. The client in the page is http-files.ts.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { appendFile, type Files, openStream } from '../files/files.ts';
import type { RequestHandler } from './static-server.ts';

/** A file server: `handle` is for the HTTP server, `base` for the page. */
export interface FileServer {
  /** Path of its URL, with the token. */
  readonly base: string;
  readonly handle: RequestHandler;
}

/**
 * Serves `paths`: files, folders with their contents, and names with another suffix after a dot, since
 * folders are written under a temporary name and renamed. The query ?path names the file or folder. GET reads
 * it, as a stream with ?stream, or lists it with ?list; HEAD tests existence and returns the size; PUT
 * writes; PATCH appends; POST renames to ?to; DELETE removes. Other paths and methods, and failed requests,
 * get 403 and the reason as text.
 */
export function fileServer(files: Files, paths: readonly string[]): FileServer {
  const base = `/files-${randomBytes(16).toString('hex')}`;
  const served = paths.map((path) => resolve(path));
  const open = (path: string | null): string => {
    if (path === '-' && paths.includes(path)) return path;
    const full = resolve(path ?? '');
    const isServed = served.some((p) => {
      if (full === p || full.startsWith(p.endsWith(sep) ? p : p + sep)) return true;
      return full.startsWith(`${p}.`) && !full.slice(p.length).split(sep).includes('..');
    });
    if (!path || !isServed) throw new HeddleError('this command has no access to it', { area: path ?? '' });
    return full;
  };
  return {
    base,
    async handle(request, response) {
      const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname !== base) return false;
      const done = (body?: Uint8Array | string): true => {
        response.writeHead(200, { 'Cache-Control': 'no-store' }).end(body);
        return true;
      };
      try {
        const path = open(query.get('path'));
        switch (request.method) {
          case 'GET':
            if (query.has('list')) return done(JSON.stringify(await files.list(path)));
            if (!query.has('stream')) return done(await files.read(path));
            for await (const chunk of await openStream(files, path))
              response.write(chunk) || (await once(response, 'drain'));
            response.end();
            return true;
          case 'HEAD': {
            const size = await files.size?.(path);
            const headers = size === undefined ? {} : { 'Content-Length': size };
            response.writeHead((await files.exists(path)) ? 200 : 404, headers).end();
            return true;
          }
          case 'PUT':
            await files.write(path, await buffer(request));
            return done();
          case 'PATCH':
            await appendFile(files, path, await buffer(request));
            return done();
          case 'POST':
            await files.rename(path, open(query.get('to')));
            return done();
          case 'DELETE':
            await files.remove(path);
            return done();
          default:
            throw new HeddleError(msg`${request.method} is not supported`, { area: path });
        }
      } catch (error) {
        if (!(error instanceof HeddleError)) throw error;
        const { kind, area, template } = error;
        response
          .writeHead(403, { 'Content-Type': 'application/json; charset=utf-8' })
          .end(JSON.stringify({ kind, area, template }));
        return true;
      }
    },
  };
}

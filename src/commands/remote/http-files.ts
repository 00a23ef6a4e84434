// Files for a job in a page: the client of the file server in Node (src/host/file-server.ts).
import { HeddleError } from '../../core/errors.ts';
import type { Files } from '../../files/files.ts';
import type { SentError } from './json-transport.ts';

/** Files of the file server at `base`: a URL, or a path in a page of the same server. */
export function httpFiles(base: string): Files {
  const request = async (method: string, path: string, query = '', body?: Uint8Array): Promise<Response> => {
    let response: Response;
    try {
      const url = `${base}?path=${encodeURIComponent(path)}${query}`;
      response = await fetch(url, { method, body: body as BodyInit | undefined });
    } catch (error) {
      throw new HeddleError('the file server does not answer', { area: path, cause: error });
    }
    if (method !== 'HEAD' && !response.ok) {
      const error = (await response.json()) as SentError;
      throw new HeddleError(error.template, error);
    }
    return response;
  };
  return {
    read: async (path) => new Uint8Array(await (await request('GET', path)).arrayBuffer()),
    stream: async (path) => (await request('GET', path, '&stream')).body as ReadableStream<Uint8Array>,
    async size(path) {
      const { ok, headers } = await request('HEAD', path);
      const length = ok ? headers.get('Content-Length') : null;
      return length === null ? undefined : Number(length);
    },
    write: async (path, bytes) => void (await request('PUT', path, '', bytes)),
    append: async (path, bytes) => void (await request('PATCH', path, '', bytes)),
    async exists(path) {
      const { status } = await request('HEAD', path);
      if (status !== 200 && status !== 404) throw new HeddleError('no access to it', { area: path });
      return status === 200;
    },
    list: async (folder) => (await (await request('GET', folder, '&list')).json()) as string[],
    rename: async (from, to) => void (await request('POST', from, `&to=${encodeURIComponent(to)}`)),
    remove: async (path) => void (await request('DELETE', path)),
  };
}
